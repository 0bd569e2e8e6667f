"""pyannote's speaker diarization as this server runs it, and the two ways to put one together."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from onprem.engine.clustering import AgglomerativeClustering, VBxClustering
from onprem.engine.embedding import SpeakerEmbedding
from onprem.engine.libraries import PLDA, Model, SpeakerDiarization
from onprem.engine.pcm import SAMPLE_RATE, SliceAudio
from onprem.engine.pipeline_config import PIPELINE_CONFIG, files_of_pipeline
from onprem.engine.segmentation import WindowInference
from onprem.engine.weights import load_campplus, load_pyannote_model
from onprem.errors import ModelFolderUnrecognised

CLUSTERINGS = {
    "AgglomerativeClustering": AgglomerativeClustering,
    "VBxClustering": VBxClustering,
}

# Tuned by pyannote for segmentation 3.0; 0.7 on unit vectors is a cosine of 0.755.
STARTER_PARAMETERS = {
    "segmentation": {"min_duration_off": 0.0},
    "clustering": {"method": "centroid", "threshold": 0.7, "min_cluster_size": 12},
}

# Small enough that a cancel is seen within a second or two on a CPU.
SEGMENTATION_BATCH = 32
EMBEDDING_BATCH = 16


class InertPLDA(PLDA):
    """Stands where pyannote wants a PLDA though the clustering uses none; None is a TypeError."""

    def __init__(self) -> None:
        """Loads nothing."""


class OfflineDiarization(SpeakerDiarization):
    """`SpeakerDiarization` over int16 waveforms, with clustering outside the interpreter lock.

    `segmentation`, `embedding` and `plda` must be loaded already, so that nothing asks a hub.
    Raises ValueError where the segmentation gives no probabilities of sets of speakers.
    """

    def __init__(
        self, *, segmentation: Model, embedding: Model, plda: PLDA, clustering: str, **params: Any
    ) -> None:
        if not segmentation.specifications.powerset:
            raise ValueError("the segmentation is not of the powerset kind")
        super().__init__(
            segmentation=segmentation,
            embedding=embedding,
            plda=plda,
            clustering=clustering,
            segmentation_batch_size=SEGMENTATION_BATCH,
            embedding_batch_size=EMBEDDING_BATCH,
            **params,
        )
        duration = segmentation.specifications.duration
        self._segmentation = WindowInference(
            segmentation,
            duration=duration,
            step=self.segmentation_step * duration,
            skip_aggregation=True,
            batch_size=SEGMENTATION_BATCH,
        )
        self._audio = SliceAudio(sample_rate=SAMPLE_RATE, mono="downmix")
        plda_first = (plda,) if clustering == "VBxClustering" else ()
        self.clustering = CLUSTERINGS[clustering](*plda_first, metric=self._embedding.metric)
        self.last_clusters: npt.NDArray[np.integer[Any]] | None = None

    @property
    def windows(self) -> WindowInference:
        """The segmentation, which keeps its posteriors when it is told to."""
        return self._segmentation

    def forget(self) -> None:
        """Drop what is remembered of the last recording."""
        self.windows.powerset.start(keep=False)
        self.last_clusters = None

    def reconstruct(self, segmentations: Any, hard_clusters: Any, count: Any) -> Any:
        """As pyannote's, but the clusters stay readable: confidence needs them."""
        self.last_clusters = hard_clusters
        return super().reconstruct(segmentations, hard_clusters, count)


def starter_pipeline(segmentation: Path, embedding: Path) -> OfflineDiarization:
    """The starter recipe from the folders of `segmentation-3.0` and `campplus-zh-en`."""
    network = load_campplus(embedding / "campplus_cn_en_common.pt", model_id=embedding.name)
    pipeline = OfflineDiarization(
        segmentation=load_pyannote_model(
            segmentation / "pytorch_model.bin", model_id=segmentation.name
        ),
        embedding=SpeakerEmbedding(network),
        plda=InertPLDA(),
        clustering="AgglomerativeClustering",
        # Voices are taken where one speaks alone: DER 5.2 % instead of 5.7 % on pyannote's sample.
        embedding_exclude_overlap=True,
    )
    pipeline.instantiate(STARTER_PARAMETERS)
    return pipeline


def imported_pipeline(folder: Path) -> OfflineDiarization:
    """A folder laid out like `pyannote/speaker-diarization-community-1`.

    `Pipeline.from_pretrained` would import whatever class the configuration names and would look
    for missing parts on the hub; here the same keys are read, and only files of the folder.

    Raises:
        ModelFolderUnrecognised: its config.yaml asks for something else.
        ModelUnsafe: a checkpoint in it would run code.
    """
    config_file = folder / PIPELINE_CONFIG
    checkpoints, arrays = files_of_pipeline(config_file)
    segmentation, embedding = (
        load_pyannote_model(folder / name, model_id=folder.name) for name in checkpoints
    )
    config = msgspec.yaml.decode(config_file.read_bytes())
    params = config["pipeline"]["params"]
    try:
        pipeline = OfflineDiarization(
            segmentation=segmentation,
            embedding=embedding,
            plda=_plda(folder, arrays),
            clustering=params.get("clustering", "VBxClustering"),
            embedding_exclude_overlap=bool(params.get("embedding_exclude_overlap")),
            segmentation_step=params.get("segmentation_step") or 0.1,
        )
        pipeline.instantiate(config["params"])
    except (KeyError, ValueError) as error:
        why = f"{PIPELINE_CONFIG}: {error}"
        raise ModelFolderUnrecognised(folder=folder, why=why) from error
    return pipeline


def _plda(folder: Path, arrays: list[str]) -> PLDA:
    if not arrays:
        return InertPLDA()
    plda, transform = (folder / name for name in sorted(arrays))
    return PLDA(transform, plda)
