"""Model folders of the real layouts, small, made of real files."""

import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

COMMUNITY_CONFIG = """\
dependencies:
  pyannote.audio: 4.0.0
pipeline:
  name: pyannote.audio.pipelines.SpeakerDiarization
  params:
    clustering: VBxClustering
    segmentation: $model/segmentation
    segmentation_batch_size: 32
    embedding: $model/embedding
    embedding_batch_size: 32
    embedding_exclude_overlap: true
    plda: $model/plda
params:
  clustering:
    threshold: 0.6
    Fa: 0.07
    Fb: 0.8
  segmentation:
    min_duration_off: 0.0
"""

WHISPER_BIN = b"\x06\0\0\0\x0c\0WhisperSpec\0" + bytes(64)


class CallsOnLoad:
    """Pickles into a call of `function` with `arguments`."""

    def __init__(self, function: Any, *arguments: Any) -> None:
        self._call = (function, arguments)

    def __reduce__(self) -> Any:
        return self._call


def checkpoint(path: Path, content: object, protocol: int = 2) -> Path:
    """Write `content` in torch's zip format, which needs no torch."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol))
        archive.writestr("archive/version", "3\n")
    return path


def make_pipeline_folder(parent: Path) -> Path:
    """Laid out like pyannote/speaker-diarization-community-1."""
    folder = parent / "speaker-diarization-community-1"
    for name in ("segmentation", "embedding"):
        checkpoint(folder / name / "pytorch_model.bin", OrderedDict(weight=[1.0]))
    (folder / "plda").mkdir()
    (folder / "plda" / "plda.npz").write_bytes(b"numbers")
    (folder / "plda" / "xvec_transform.npz").write_bytes(b"more numbers")
    (folder / "config.yaml").write_text(COMMUNITY_CONFIG)
    (folder / "README.md").write_text("CC-BY-4.0, by pyannote\n")
    return folder


def make_whisper_folder(parent: Path) -> Path:
    """Laid out like Whisper large-v3-turbo for CTranslate2."""
    folder = parent / "faster-whisper-large-v3-turbo"
    folder.mkdir()
    (folder / "model.bin").write_bytes(WHISPER_BIN)
    for name in ("config.json", "tokenizer.json", "vocabulary.json", "preprocessor_config.json"):
        (folder / name).write_text("{}")
    return folder
