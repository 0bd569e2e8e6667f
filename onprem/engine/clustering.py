"""The linkage that pyannote's clustering begins with, outside the interpreter lock.

`onprem.engine.libraries` puts it in the place of scipy's when it imports pyannote.
Figures and the choice: docs/adr/0004-clustering-off-the-gil.md.
"""

from typing import Any

import fastcluster
import numpy as np
import numpy.typing as npt

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
