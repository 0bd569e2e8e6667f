"""pyannote's speaker diarization as this server runs it, and the two ways to put one together."""

import copy
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

from onprem.engine.embedding import SpeakerEmbedding
from onprem.engine.libraries import PLDA, Model, SpeakerDiarization
from onprem.engine.pcm import SAMPLE_RATE, SliceAudio
from onprem.engine.pipeline_config import PIPELINE_CONFIG, files_of_pipeline
from onprem.engine.posteriors import Quantity
from onprem.engine.segmentation import Bias, WindowInference
from onprem.engine.voices import EmbeddingNetwork
from onprem.engine.weights import load_campplus, load_pyannote_model
from onprem.errors import ModelFolderUnrecognised

CLUSTERINGS = ("AgglomerativeClustering", "VBxClustering")
"""pyannote's other two ask for the number of speakers, or for the truth."""

# Tuned by pyannote for segmentation 3.0; 0.7 on unit vectors is a cosine of 0.755.
STARTER_PARAMETERS = {
    "segmentation": {"min_duration_off": 0.0},
    "clustering": {"method": "centroid", "threshold": 0.7, "min_cluster_size": 12},
}

# Small enough that a cancel is seen within a second or two on a CPU.
SEGMENTATION_BATCH = 32
EMBEDDING_BATCH = 16

SHORTEST_PAUSE = 0.3
"""Seconds: where nobody asks who speaks, speech is one region across shorter pauses."""


class InertPLDA(PLDA):
    """Stands where pyannote wants a PLDA though the clustering uses none; None is a TypeError."""

    def __init__(self) -> None:
        """Loads nothing."""


class OfflineDiarization(SpeakerDiarization):
    """`SpeakerDiarization` over int16 waveforms.

    `segmentation`, `embedding` and `plda` must be loaded already, so that nothing asks a hub.
    Raises ValueError where the segmentation gives no probabilities of sets of speakers, or the
    clustering is another than those of `CLUSTERINGS`.
    """

    def __init__(
        self, *, segmentation: Model, embedding: Model, plda: PLDA, clustering: str, **params: Any
    ) -> None:
        if not segmentation.specifications.powerset:
            raise ValueError("the segmentation is not of the powerset kind")
        if clustering not in CLUSTERINGS:
            raise ValueError(f"{clustering} is none of {', '.join(CLUSTERINGS)}")
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
        self.last_clusters: npt.NDArray[np.integer[Any]] | None = None

    def for_one_recording(self, keep: Collection[Quantity], bias: Bias) -> "OfflineDiarization":
        """A copy over the same networks; what it remembers of a recording goes when it goes.

        Several threads may each run one of their own.
        """
        one = copy.copy(self)
        # pyannote keeps these in a dict, which the copy would share.
        one.__dict__["_inferences"] = dict(self._inferences)
        one._segmentation = self._segmentation.for_one_recording(keep, bias)
        return one

    @property
    def windows(self) -> WindowInference:
        """The segmentation."""
        return self._segmentation

    @property
    def embedding_network(self) -> EmbeddingNetwork:
        """The network that tells its speakers apart."""
        network: EmbeddingNetwork = self._embedding
        return network

    def speech(self, file: dict[str, Any], hook: Callable[..., None]) -> Any:
        """Where anybody speaks, as an annotation of one label: segmentation and nothing else."""
        segmentations = self.get_segmentations(file, hook=hook)
        frames = self.windows.model.receptive_field
        speaking = self.speaker_count(segmentations, frames, warm_up=(0.0, 0.0))
        speaking.data = np.minimum(speaking.data, 1)
        return self.to_annotation(speaking, min_duration_off=SHORTEST_PAUSE)

    def reconstruct(self, segmentations: Any, hard_clusters: Any, count: Any) -> Any:
        """As pyannote's, but the clusters stay readable: confidence needs them."""
        self.last_clusters = hard_clusters
        return super().reconstruct(segmentations, hard_clusters, count)


def starter_pipeline(segmentation: Path, embedding: Path) -> OfflineDiarization:
    """The starter recipe from the folders of `segmentation-3.0` and `campplus-zh-en`."""
    pipeline = OfflineDiarization(
        segmentation=load_pyannote_model(
            segmentation / "pytorch_model.bin", model_id=segmentation.name
        ),
        embedding=starter_embedding(embedding),
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


def starter_embedding(folder: Path) -> Model:
    """The voice embedding in the folder of `campplus-zh-en`."""
    path = folder / "campplus_cn_en_common.pt"
    return SpeakerEmbedding(load_campplus(path, model_id=folder.name))


def imported_embedding(folder: Path) -> Model:
    """The voice embedding of a pipeline's folder, alone. Raises as `imported_pipeline`."""
    (_, checkpoint), _ = files_of_pipeline(folder / PIPELINE_CONFIG)
    return load_pyannote_model(folder / checkpoint, model_id=folder.name)


def _plda(folder: Path, arrays: list[str]) -> PLDA:
    if not arrays:
        return InertPLDA()
    plda, transform = (folder / name for name in sorted(arrays))
    return PLDA(transform, plda)
