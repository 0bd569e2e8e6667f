"""Clustering: pyannote's results, and a server that goes on answering meanwhile."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pyannote.core import SlidingWindow, SlidingWindowFeature
from scipy.cluster.hierarchy import linkage

from onprem.engine.clustering import linkage_without_lock
from onprem.engine.libraries import PLDA, clustering as pyannote_clustering
from tests.support.community_folder import write_plda

AgglomerativeClustering = pyannote_clustering.AgglomerativeClustering
VBxClustering = pyannote_clustering.VBxClustering

AGGLOMERATIVE = {"method": "centroid", "threshold": 0.7, "min_cluster_size": 12}
VBX = {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}


def voices(count: int, dimension: int, speakers: int = 4, seed: int = 0) -> NDArray[np.float64]:
    """(count, dimension) vectors of some speakers, with noise."""
    random = np.random.default_rng(seed)
    centres = random.normal(size=(speakers, dimension))
    return centres[random.integers(0, speakers, count)] + 0.5 * random.normal(
        size=(count, dimension)
    )


def clustered(clustering: Any, vectors: NDArray[np.float64], **counts: int) -> NDArray[np.int8]:
    speaks = SlidingWindowFeature(np.ones((len(vectors), 100, 1)), SlidingWindow(10, 1))
    bounds = {"min_clusters": 1, "max_clusters": 99, **counts}
    return clustering(embeddings=vectors[:, None].copy(), segmentations=speaks, **bounds)[0]


@pytest.mark.parametrize("method", ["centroid", "median", "ward", "single", "average", "complete"])
def test_dendrograms_equal_scipys(method: str) -> None:
    vectors = voices(300, 32)
    ours = linkage_without_lock(vectors, method=method)
    theirs = linkage(vectors, method=method)
    np.testing.assert_allclose(ours[:, 2:], theirs[:, 2:], rtol=1e-9)


def with_both_linkages(
    monkeypatch: pytest.MonkeyPatch, cluster: Callable[[], NDArray[np.int8]]
) -> tuple[NDArray[np.int8], NDArray[np.int8]]:
    assert pyannote_clustering.linkage is linkage_without_lock
    ours = cluster()
    monkeypatch.setattr(pyannote_clustering, "linkage", linkage)
    return ours, cluster()


@pytest.mark.parametrize("counts", [{}, {"num_clusters": 2}, {"min_clusters": 6}])
@pytest.mark.parametrize("seed", [1, 2])
def test_agglomerative_clusters_equal_pyannotes(
    counts: dict[str, int], seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    vectors = voices(200, 192, seed=seed)
    one = AgglomerativeClustering(metric="cosine")
    one.instantiate(AGGLOMERATIVE)
    results = with_both_linkages(monkeypatch, lambda: clustered(one, vectors, **counts))
    np.testing.assert_array_equal(*results)


@pytest.mark.parametrize("counts", [{}, {"num_clusters": 2}])
def test_vbx_clusters_equal_pyannotes(
    counts: dict[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = VBxClustering(PLDA(*write_plda(tmp_path, dimension=64, reduced=32)), metric="cosine")
    one.instantiate(VBX)
    vectors = voices(200, 64)
    results = with_both_linkages(monkeypatch, lambda: clustered(one, vectors, **counts))
    np.testing.assert_array_equal(*results)


def longest_stall(work: Callable[[], object]) -> tuple[float, float]:
    """(seconds of work, longest time in it that a thread which wants to run every ms did not)."""
    stalls: list[float] = []
    done = threading.Event()

    def tick() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            stalls.append(now - last)
            last = now

    ticking = threading.Thread(target=tick)
    ticking.start()
    time.sleep(0.05)
    begun = time.perf_counter()
    work()
    spent = time.perf_counter() - begun
    done.set()
    ticking.join()
    return spent, max(stalls)


def test_other_threads_run_while_clustering_works(tmp_path: Path) -> None:
    vectors = voices(3000, 192)
    one = AgglomerativeClustering(metric="cosine")
    one.instantiate(AGGLOMERATIVE)
    spent, stall = longest_stall(lambda: clustered(one, vectors))
    assert stall < max(0.1, spent / 5), (spent, stall)


def test_other_threads_run_while_vbx_works(tmp_path: Path) -> None:
    one = VBxClustering(PLDA(*write_plda(tmp_path, dimension=192)), metric="cosine")
    one.instantiate(VBX)
    vectors = voices(3000, 192)
    spent, stall = longest_stall(lambda: clustered(one, vectors))
    assert stall < max(0.1, spent / 5), (spent, stall)
