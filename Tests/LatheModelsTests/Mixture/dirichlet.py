"""Writes dirichlet.safetensors: scikit-learn's BayesianGaussianMixture from given clusters.

    codes                           [400, 4], in float32; computed with in float64
    centres                         [6, 4]; each code starts in the component of the nearest one
    weights, means, covariances     after as many rounds as scikit-learn makes, their number in the metadata
    early.weights, early.means, early.lower_bound
                                    after three rounds
    lower_bound                     [1]
"""

import warnings
from pathlib import Path

import numpy
import sklearn
from safetensors.numpy import save_file
from sklearn.mixture import BayesianGaussianMixture

generator = numpy.random.default_rng(11)
components, size = 6, 4
means = 2 * generator.normal(size=(3, size))
factors = 0.6 * generator.normal(size=(3, size, size))
kinds = generator.integers(3, size=400)
noise = generator.normal(size=(400, size))
codes = (means[kinds] + numpy.einsum("nij,nj->ni", factors[kinds], noise)).astype("f4").astype("f8")
centres = codes[:components]
nearest = ((codes[:, None] - centres[None]) ** 2).sum(2).argmin(1)


class FromClusters(BayesianGaussianMixture):
    """Starts from the nearest of the centres in place of k-means."""

    def _initialize_parameters(self, X, random_state, xp=None):
        self._initialize(X, numpy.eye(components)[nearest])


def fitted(rounds):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return FromClusters(
            n_components=components, covariance_type="full", weight_concentration_prior=1 / components,
            max_iter=rounds,
        ).fit(codes)


mixture, early = fitted(100), fitted(3)
tensors = {
    "codes": codes, "centres": centres,
    "weights": mixture.weights_, "means": mixture.means_, "covariances": mixture.covariances_,
    "lower_bound": numpy.array([mixture.lower_bound_]),
    "early.weights": early.weights_, "early.means": early.means_,
    "early.lower_bound": numpy.array([early.lower_bound_]),
}
metadata = {"scikit-learn": sklearn.__version__, "rounds": str(mixture.n_iter_)}
path = Path(__file__).with_name("dirichlet.safetensors")
save_file({name: numpy.ascontiguousarray(t, "f4") for name, t in tensors.items()}, path, metadata)
print(f"{path.name}: {metadata}, lower bound {mixture.lower_bound_}, weights {mixture.weights_}")
