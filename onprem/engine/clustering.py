"""pyannote's clustering, without standing still: its linkage runs outside the interpreter lock.

Figures and the choice: docs/adr/0004-clustering-off-the-gil.md.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import fastcluster
import numpy as np
import numpy.typing as npt

from onprem.engine.libraries import clustering as pyannote_clustering

Vectors = npt.NDArray[np.floating[Any]]


def linkage_without_lock(
    vectors: Vectors, method: str, metric: str = "euclidean"
) -> npt.NDArray[np.float64]:
    """What `scipy.cluster.hierarchy.linkage` returns, with memory linear in the vectors.

    Args:
        vectors: (n, dimension), n of at least 2.
        method: "centroid", "median", "ward" or "single"; the others need all distances at once
            and take memory quadratic in n.

    Returns:
        (n - 1, 4) dendrogram.
    """
    if method in ("centroid", "median", "ward", "single"):
        dendrogram = fastcluster.linkage_vector(vectors, method=method, metric=metric)
    else:
        dendrogram = fastcluster.linkage(vectors, method=method, metric=metric)
    return np.asarray(dendrogram)


@contextmanager
def _linkage_replaced() -> Iterator[None]:
    """pyannote calls `linkage` by its name in its own module; lend it ours for one call."""
    original = pyannote_clustering.linkage
    pyannote_clustering.linkage = linkage_without_lock
    try:
        yield
    finally:
        pyannote_clustering.linkage = original


class _WithoutLock:
    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with _linkage_replaced():
            return super().__call__(*args, **kwargs)  # type: ignore[misc]


class AgglomerativeClustering(_WithoutLock, pyannote_clustering.AgglomerativeClustering):
    """As pyannote's own; results are equal."""


class VBxClustering(_WithoutLock, pyannote_clustering.VBxClustering):
    """As pyannote's own; results are equal."""
