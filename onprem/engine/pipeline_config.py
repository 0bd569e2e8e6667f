"""`config.yaml` of a pyannote pipeline: it can name classes and hubs, so little is allowed."""

from pathlib import Path

import msgspec

from onprem.errors import ModelFolderUnrecognised

PIPELINE_CONFIG = "config.yaml"

_PIPELINE = "pyannote.audio.pipelines.SpeakerDiarization"
_HERE = "$model/"
_SIZE_LIMIT = 64 << 10
_BY_VBX = "VBxClustering"


class _Params(msgspec.Struct, forbid_unknown_fields=True):
    segmentation: str
    embedding: str
    clustering: str = _BY_VBX
    plda: str | None = None
    segmentation_step: float | None = None
    segmentation_batch_size: int | None = None
    embedding_batch_size: int | None = None
    embedding_exclude_overlap: bool | None = None
    legacy: bool | None = None
    der_variant: dict[str, float] | None = None


class _Pipeline(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    params: _Params


class _Config(msgspec.Struct, forbid_unknown_fields=True):
    """`preprocessors` is left out on purpose: pyannote imports any class that it names."""

    pipeline: _Pipeline
    params: dict[str, object] = {}
    dependencies: dict[str, str] = {}
    version: str | None = None


def files_of_pipeline(config: Path) -> tuple[list[str], list[str]]:
    """The checkpoints and the PLDA arrays that it refers to, relative to its folder.

    Raises ModelFolderUnrecognised where it is no speaker diarization, or refers to anything
    outside its own folder.
    """
    params = _read(config).pipeline.params
    checkpoints = [
        f"{_subfolder(config, params.segmentation)}/pytorch_model.bin",
        f"{_subfolder(config, params.embedding)}/pytorch_model.bin",
    ]
    if params.plda is None:
        if params.clustering == _BY_VBX:
            raise _unrecognised(config, f"{_BY_VBX} needs plda")
        return checkpoints, []
    plda = _subfolder(config, params.plda)
    return checkpoints, [f"{plda}/plda.npz", f"{plda}/xvec_transform.npz"]


def _read(config: Path) -> _Config:
    if config.stat().st_size > _SIZE_LIMIT:
        raise _unrecognised(config, f"it is larger than {_SIZE_LIMIT} bytes")
    try:
        parsed = msgspec.yaml.decode(config.read_bytes(), type=_Config)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise _unrecognised(config, str(error)) from error
    if parsed.pipeline.name != _PIPELINE:
        raise _unrecognised(config, f"its pipeline is {parsed.pipeline.name}, not {_PIPELINE}")
    return parsed


def _subfolder(config: Path, reference: str) -> str:
    name = reference.removeprefix(_HERE)
    # One plain name: a longer path could lead out, and "@" asks a hub for a revision.
    if not reference.startswith(_HERE) or not name.replace("_", "").replace("-", "").isalnum():
        raise _unrecognised(config, f"{reference} is not a sub-folder such as {_HERE}segmentation")
    return name


def _unrecognised(config: Path, why: str) -> ModelFolderUnrecognised:
    return ModelFolderUnrecognised(folder=config.parent, why=f"{PIPELINE_CONFIG}: {why}")
