"""Times in scikit-learn what `lathe bench scores` times: the same vectors, settings and threads."""

import argparse
import os
import time


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("array")
    parser.add_argument("--samples", type=int, default=10_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=["neighbors", "prd", "kmeans", "gmm", "tsne"])
    return parser.parse_args()


options = arguments()
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(options.threads)

import numpy as np  # noqa: E402
import sklearn  # noqa: E402
from sklearn.cluster import KMeans, MiniBatchKMeans  # noqa: E402
from sklearn.manifold import TSNE  # noqa: E402
from sklearn.mixture import GaussianMixture  # noqa: E402
from sklearn.neighbors import NearestNeighbors  # noqa: E402


def neighbors(x):
    search = NearestNeighbors(n_neighbors=4, algorithm="brute", n_jobs=options.threads).fit(x)
    return f"mean distance of the 4th {search.kneighbors(x)[0][:, -1].mean()}"


def prd(x):
    for seed in range(10):
        labels = MiniBatchKMeans(20, n_init=10, random_state=seed).fit(x).labels_
    return f"{len(set(labels))} clusters"


def kmeans(x):
    fitted = KMeans(10, n_init=1, tol=1e-4, random_state=0).fit(x)
    return f"mean squared distance {fitted.inertia_ / len(x)}"


def gmm(x):
    fitted = GaussianMixture(10, max_iter=2000, random_state=0).fit(x)
    return f"log-likelihood {fitted.score(x)}, {fitted.n_iter_} rounds"


def tsne(x):
    fitted = TSNE(learning_rate=200, init="random", n_jobs=options.threads, random_state=0).fit(x)
    return f"divergence {fitted.kl_divergence_}"


x = np.load(options.array)[: options.samples].astype(np.float32)
print(f"scikit-learn {sklearn.__version__}: {x.shape[0]} vectors of {x.shape[1]}")
for name in options.only:
    data = x.astype(np.float64) if name in ("kmeans", "gmm") else x
    start = time.perf_counter()
    summary = globals()[name](data)
    print(f"{name}: {time.perf_counter() - start:.2f} s, {summary}", flush=True)
