"""Writes the golden files of the scores: NumPy archives beside this script.

Needs numpy, scipy, scikit-learn, scikit-image, scikit-dimension and prdc; their versions go into `versions.txt`.
Every archive holds inputs, rounded to float32, and what the named library makes of them in float64.
"""

import contextlib
import importlib.metadata
import io
import pathlib

import numpy as np
import prdc
import scipy.linalg
import scipy.stats
import skdim
import sklearn.cluster
import sklearn.manifold
import sklearn.metrics.pairwise
from scipy.spatial.distance import squareform
from sklearn.manifold import _t_sne
from skimage.metrics import structural_similarity

HERE = pathlib.Path(__file__).parent


def as_float(x):
    return np.asarray(x, dtype=np.float32).astype(np.float64)


def narrow(x):
    """As float32 where that loses nothing."""
    return x.astype(np.float32) if np.array_equal(as_float(x), x) else x


def save(name, compressed=False, **arrays):
    write = np.savez_compressed if compressed else np.savez
    write(HERE / f"{name}.npz", **{k: narrow(np.asarray(v, dtype=np.float64)) for k, v in arrays.items()})


def mixture(rng, count, dimensions, classes, scale=1.0):
    """Points around the first `classes` corners of a simplex."""
    centers = np.zeros((classes, dimensions))
    centers[np.arange(classes), np.arange(classes)] = 6
    return as_float(centers[rng.integers(classes, size=count)] + scale * rng.normal(size=(count, dimensions)))


def frechet(mu1, sigma1, mu2, sigma2):
    """The formula of pytorch-fid: a general matrix square root, by SciPy."""
    root = scipy.linalg.sqrtm(sigma1 @ sigma2)
    if not np.isfinite(root).all():
        offset = 1e-6 * np.eye(len(mu1))
        root = scipy.linalg.sqrtm((sigma1 + offset) @ (sigma2 + offset))
    shift = mu1 - mu2
    return shift @ shift + np.trace(sigma1) + np.trace(sigma2) - 2 * np.trace(np.real(root))


def moments(x):
    return np.mean(x, axis=0), np.cov(x, rowvar=False)


def frechet_distances():
    rng = np.random.default_rng(1)
    mix = rng.normal(size=(16, 16))
    a = as_float(rng.normal(size=(300, 16)) @ mix + 0.5)
    b = as_float(rng.normal(size=(200, 16)) ** 2)
    mu, sigma = moments(a)
    save("frechet", a=a, b=b, mu=mu, sigma=sigma, distance=frechet(mu, sigma, *moments(b)))
    save("statistics", mu=mu, sigma=sigma)
    save("statistics-deflated", compressed=True, mu=mu, sigma=sigma)


def frechet_of_few():
    """100 samples in 768 dimensions: the samples are a rule that the tests repeat, so the file is small.

    The root of the product's eigenvalues has a closed form by the samples' own Gram matrices: with centred
    samples A, B the trace of the root of cov(A) cov(B) is the sum of the singular values of A Bᵀ/(n − 1).
    """
    i, j = np.indices((100, 768))
    a, b = (((i * 7919 + j * 104729 + i * j * 31 + k) * 2654435761 % 2**32 >> 24) / 256 for k in (0, 1))
    (mu1, sigma1), (mu2, sigma2) = moments(a), moments(b)
    centered_a, centered_b = a - mu1, b - mu2
    trace = scipy.linalg.svdvals(centered_a @ centered_b.T).sum() / (len(a) - 1)
    shift = mu1 - mu2
    exact = shift @ shift + np.trace(sigma1) + np.trace(sigma2) - 2 * trace
    save("frechet-singular", by_root=frechet(mu1, sigma1, mu2, sigma2), exact=exact)


def kernel_distances():
    rng = np.random.default_rng(2)
    a = as_float(rng.normal(size=(120, 24)))
    b = as_float(rng.normal(size=(90, 24)) * 1.2 + 0.3)

    def discrepancy(x, y):
        def kernel(u, v):
            return sklearn.metrics.pairwise.polynomial_kernel(u, v, degree=3, gamma=1 / x.shape[1], coef0=1)

        n, m = len(x), len(y)
        xx, yy, xy = kernel(x, x), kernel(y, y), kernel(x, y)
        return ((xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
                - 2 * xy.mean())

    save("kernel", a=a, b=b, discrepancy=discrepancy(a, b), same=discrepancy(a[:60], a[60:]))


def curve(p, r, angles=1001):
    """Sajjadi et al., Algorithm 1, with equally spaced angles."""
    slopes = np.tan(np.linspace(1e-10, np.pi / 2 - 1e-10, num=angles))
    precision = np.minimum(r[None] * slopes[:, None], p[None]).sum(axis=1)
    return precision.clip(0, 1), (precision / slopes).clip(0, 1)


def best_f(precision, recall, beta):
    return np.max((1 + beta**2) * precision * recall / (beta**2 * precision + recall + 1e-10))


def shares(labels, clusters):
    return np.bincount(labels, minlength=clusters) / len(labels)


def cluster_curve(evaluated, reference, seed):
    labels = sklearn.cluster.MiniBatchKMeans(
        n_clusters=20, n_init=10, batch_size=100, random_state=seed).fit(np.vstack([evaluated, reference])).labels_
    n = len(evaluated)
    return labels, curve(shares(labels[:n], 20), shares(labels[n:], 20))


def precision_recall():
    rng = np.random.default_rng(3)
    reference = mixture(rng, 600, 10, 8)
    evaluated = mixture(rng, 600, 10, 4, scale=1.3)
    labels, (precision, recall) = cluster_curve(evaluated, reference, 0)
    runs = np.array([[best_f(*c, 1 / 8), best_f(*c, 8)]
                     for c in (cluster_curve(evaluated, reference, seed)[1] for seed in range(10))])
    save("precision-recall", evaluated=evaluated, reference=reference, labels=labels, precision=precision,
         recall=recall, scores=[best_f(precision, recall, 1 / 8), best_f(precision, recall, 8)], runs=runs)


def neighborhoods():
    rng = np.random.default_rng(4)
    real, generated = as_float(rng.normal(size=(320, 8))), as_float(rng.normal(size=(290, 8)) * 0.8 + 0.4)
    with contextlib.redirect_stdout(io.StringIO()):
        scores = prdc.compute_prdc(real, generated, nearest_k=5)
    save("neighborhoods", real=real, generated=generated,
         scores=[scores[k] for k in ("precision", "recall", "density", "coverage")])


def similarities():
    rng = np.random.default_rng(5)
    y, x = np.indices((28, 24)) / 24
    grey = as_float(np.stack([np.sin(3 * x + k * y) ** 2 for k in (1, 2)]))
    colour = as_float(rng.uniform(size=(2, 17, 19, 3)))

    def noisy(images):
        return as_float(np.clip(images + rng.normal(size=images.shape) * 0.1, 0, 1))

    def similarity(a, b, **options):
        return structural_similarity(a, b, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                     data_range=1, K1=0.01, K2=0.03, **options)

    other_grey, other_colour = noisy(grey), noisy(colour)
    save("similarity", grey=grey, other_grey=other_grey, colour=colour, other_colour=other_colour,
         of_grey=[similarity(a, b) for a, b in zip(grey, other_grey)],
         of_colour=[similarity(a, b, channel_axis=2) for a, b in zip(colour, other_colour)])


def latent():
    rng = np.random.default_rng(6)
    codes = as_float(rng.normal(size=(500, 6)) @ rng.normal(size=(6, 6)))
    off = ~np.eye(6, dtype=bool)
    save("latent", codes=codes, correlation=np.corrcoef(codes, rowvar=False),
         correlation_mean=np.abs(np.corrcoef(codes, rowvar=False))[off].mean(),
         covariance_mean=np.abs(np.cov(codes, rowvar=False))[off].mean())


def embedding():
    rng = np.random.default_rng(7)
    points = mixture(rng, 120, 6, 4)
    start = as_float(1e-4 * rng.normal(size=(120, 2)))
    squared = sklearn.metrics.pairwise.euclidean_distances(points, squared=True)
    affinities = squareform(_t_sne._joint_probabilities(squared, 30.0, 0))
    model = sklearn.manifold.TSNE(method="exact", init=start.astype(np.float32), learning_rate=200.0,
                                  early_exaggeration=12.0, max_iter=1000, perplexity=30.0).fit(points)
    save("embedding", points=points, start=start, affinities=affinities, divergence=model.kl_divergence_)


def neighbors():
    rng = np.random.default_rng(8)
    images, queries = as_float(rng.uniform(size=(300, 48))), as_float(rng.uniform(size=(12, 48)))
    distances = np.sqrt(((queries[:, None] - images[None]) ** 2).sum(axis=2))
    order = np.argsort(distances, axis=1, kind="stable")[:, :4]
    save("neighbors", images=images, queries=queries, numbers=order,
         distances=np.take_along_axis(distances, order, axis=1))


def dimensions():
    """400 points of a curved surface of 3 dimensions in 7."""
    rng = np.random.default_rng(9)
    u = rng.uniform(size=(400, 3))
    points = as_float(np.concatenate([u, np.sin(2 * u), u[:, :1] * u[:, 1:2]], axis=1))
    save("dimension", points=points, two_nn=skdim.id.TwoNN().fit(points).dimension_,
         maximum_likelihood=np.mean([skdim.id.MLE().fit(points, n_neighbors=k).dimension_ for k in range(10, 21)]))


def memorization():
    """Distances with ties, and what SciPy's Mann-Whitney test makes of them, without a correction for ties."""
    rng = np.random.default_rng(10)
    generated, unseen = rng.integers(5, 40, size=60) / 8, rng.integers(0, 30, size=45) / 8
    u = scipy.stats.mannwhitneyu(generated, unseen).statistic
    m, n = len(generated), len(unseen)
    save("memorization", generated=generated, unseen=unseen,
         score=(u - m * n / 2) / np.sqrt(m * n * (m + n + 1) / 12))


for make in (frechet_distances, frechet_of_few, kernel_distances, precision_recall, neighborhoods, similarities, latent,
             embedding, neighbors, dimensions, memorization):
    make()
packages = ("numpy", "scipy", "scikit-learn", "scikit-image", "scikit-dimension", "prdc")
(HERE / "versions.txt").write_text("".join(f"{p} {importlib.metadata.version(p)}\n" for p in packages))
