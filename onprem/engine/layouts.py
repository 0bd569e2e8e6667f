"""Recognising what kind of model a folder holds, and which of its files are needed."""

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from onprem.engine.catalogue import CatalogueModel, ModelKind
from onprem.engine.pipeline_config import PIPELINE_CONFIG, files_of_pipeline
from onprem.engine.whisper_vocabulary import VOCABULARIES
from onprem.errors import ModelFolderUnrecognised

_WHISPER_FILES = ("config.json", "model.bin", "tokenizer.json")
_PREPROCESSOR = "preprocessor_config.json"

# A CTranslate2 model begins with a version (4 bytes), a length (2 bytes) and its kind.
_KIND_AT = slice(6, 18)
_WHISPER = b"WhisperSpec\0"

# Licences ask that they, and the names of the makers, stay with the weights.
_TEXTS = ("LICENSE", "LICENCE", "NOTICE", "README", "THIRD_PARTY")

_CHECKPOINTS = (".bin", ".pt", ".pth", ".ckpt")


class Layout(NamedTuple):
    """`files` is what is copied; `checkpoints` are those of them that hold a pickle."""

    kind: ModelKind
    files: tuple[str, ...]
    checkpoints: tuple[str, ...]


def known_layout(model: CatalogueModel) -> Layout:
    """That of a model whose files are established, whatever else lies in the folder."""
    files = tuple(model.files)
    # CTranslate2's model.bin is no pickle, all the others with these endings are.
    pickled = () if model.kind == "transcription" else _CHECKPOINTS
    return Layout(model.kind, files, tuple(name for name in files if name.endswith(pickled)))


def recognised_layout(folder: Path, files: Mapping[str, Path]) -> Layout:
    """Raise ModelFolderUnrecognised where it is neither a pipeline nor a Whisper model."""
    texts = [name for name in files if name.upper().startswith(_TEXTS) and "/" not in name]
    if PIPELINE_CONFIG in files:
        checkpoints, arrays = files_of_pipeline(files[PIPELINE_CONFIG])
        needed = (PIPELINE_CONFIG, *checkpoints, *arrays, *texts)
        return Layout("diarization", needed, tuple(checkpoints))
    if "config.json" in files:
        _require_whisper(folder, files)
        optional = [name for name in (*VOCABULARIES, _PREPROCESSOR) if name in files]
        return Layout("transcription", (*_WHISPER_FILES, *optional, *texts), ())
    raise ModelFolderUnrecognised(
        folder=folder, why=f"it has neither {PIPELINE_CONFIG} nor config.json"
    )


def _require_whisper(folder: Path, files: Mapping[str, Path]) -> None:
    for name in _WHISPER_FILES:
        if name not in files:
            raise ModelFolderUnrecognised(folder=folder, why=f"{name} is not there")
    if not any(name in files for name in VOCABULARIES):
        raise ModelFolderUnrecognised(folder=folder, why="vocabulary.json or .txt is not there")
    with files["model.bin"].open("rb") as model:
        if model.read(_KIND_AT.stop)[_KIND_AT] != _WHISPER:
            raise ModelFolderUnrecognised(
                folder=folder, why="model.bin is not a Whisper model of CTranslate2"
            )
