"""Writes mixture.safetensors: scikit-learn's GaussianMixture fitted to codes from a given start.

    codes                           [600, 5], in float32; computed with in float64
    start.weights, .means           [3], [3, 5]; the covariances start as the identity
    weights, means, covariances     after as many rounds as scikit-learn makes, their number in the metadata
    log_likelihood                  [600], of each code under the fitted mixture, in nats
    lower_bound                     [1], the mean log-likelihood before the last M-step
"""

from pathlib import Path

import numpy
import sklearn
from safetensors.numpy import save_file
from sklearn.mixture import GaussianMixture

generator = numpy.random.default_rng(7)
components, size = 3, 5
centres = 1.5 * generator.normal(size=(components, size))
factors = 0.6 * generator.normal(size=(components, size, size))
kinds = generator.integers(components, size=600)
noise = generator.normal(size=(600, size))
codes = (centres[kinds] + numpy.einsum("nij,nj->ni", factors[kinds], noise)).astype("f4")

start = {"weights": numpy.full(components, 1 / 3), "means": codes[:components].astype("f8")}
mixture = GaussianMixture(
    components, tol=1e-3, reg_covar=1e-6, max_iter=2000, weights_init=start["weights"],
    means_init=start["means"], precisions_init=numpy.stack([numpy.eye(size)] * components),
).fit(codes.astype("f8"))
tensors = {
    "codes": codes, "start.weights": start["weights"], "start.means": start["means"],
    "weights": mixture.weights_, "means": mixture.means_, "covariances": mixture.covariances_,
    "log_likelihood": mixture.score_samples(codes.astype("f8")),
    "lower_bound": numpy.array([mixture.lower_bound_]),
}
metadata = {"scikit-learn": sklearn.__version__, "rounds": str(mixture.n_iter_)}
path = Path(__file__).with_name("mixture.safetensors")
save_file({name: numpy.ascontiguousarray(t, "f4") for name, t in tensors.items()}, path, metadata)
print(f"{path.name}: {metadata}, mean log-likelihood {mixture.lower_bound_}")
