"""Refusing torch checkpoints that would run code, by reading their pickle and not executing it.

A pickle is a program: the classes and functions that it names are called while it loads. Here the
instructions are only read. This file needs no torch, so that importing a model needs none; torch's
own `weights_only` unpickler stands behind it when the weights are loaded.
"""

import contextlib
import io
import zipfile
from pathlib import Path

from onprem.engine.pickle_names import names_in_pickle
from onprem.errors import ModelUncheckable, ModelUnsafe

_ELEMENT_TYPES = (
    "BFloat16 Bool Byte Char ComplexDouble ComplexFloat Double Float Half Int Long Short"
)
_DTYPES = "bfloat16 bool complex64 complex128 float16 float32 float64 int8 int16 int32 int64 uint8"

# The part of torch's own list that plain weights need; a test holds it to be a part of that list.
TORCH_SAFE_GLOBALS = frozenset(
    {
        "_codecs.encode",
        "builtins.bytearray",
        "builtins.complex",
        "builtins.set",
        "collections.Counter",
        "collections.OrderedDict",
        "torch.Size",
        "torch.Tensor",
        "torch.device",
        "torch.nn.parameter.Parameter",
        "torch.storage.TypedStorage",
        "torch.storage.UntypedStorage",
        "torch._utils._rebuild_parameter",
        "torch._utils._rebuild_parameter_with_state",
        "torch._utils._rebuild_tensor",
        "torch._utils._rebuild_tensor_v2",
        "torch._utils._rebuild_tensor_v3",
        *(f"torch.{name}Storage" for name in _ELEMENT_TYPES.split()),
        *(f"torch.cuda.{name}Storage" for name in _ELEMENT_TYPES.split()),
        *(f"torch.{name}" for name in _DTYPES.split()),
    }
)

# Plain data classes in which pyannote checkpoints describe their task.
PYANNOTE_SAFE_GLOBALS = frozenset(
    {
        "pyannote.audio.core.task.Problem",
        "pyannote.audio.core.task.Resolution",
        "pyannote.audio.core.task.Specifications",
        "torch.torch_version.TorchVersion",
    }
)

SAFE_GLOBALS = TORCH_SAFE_GLOBALS | PYANNOTE_SAFE_GLOBALS

# A pickle holds names and shapes only; the numbers lie beside it. Real ones take under 1 MB.
_PICKLE_LIMIT = 64 << 20

# Of a file in the old format, enough to name what it would call.
_BARE_START = 16 << 20

# How torch itself tells its zip format from the one before; a zip's end alone would not do: a file
# may begin as a bare pickle and end as a zip.
_ZIP_START = b"PK\x03\x04"

# The old format is a row of pickles: magic number, version, machine, the object, storage keys.
_PICKLES_IN_BARE_FILE = 5


def require_safe_checkpoint(path: Path, *, model: str, file: str) -> None:
    """Call it before every load of a checkpoint; `model` and `file` are for the error's text.

    Raises ModelUnsafe naming what the checkpoint would call, or ModelUncheckable where it is not
    in torch's zip format, holds TorchScript or is damaged.
    """
    with path.open("rb") as opened:
        start = opened.read(_BARE_START)
    zipped = start.startswith(_ZIP_START)
    try:
        names = _names_in_zip(path) if zipped else _names_in_bare(start)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise ModelUncheckable(model=model, file=file, why=str(error)) from error
    unsafe = sorted(names - SAFE_GLOBALS)
    if unsafe:
        raise ModelUnsafe(model=model, file=file, names=", ".join(unsafe))
    if not zipped:
        raise ModelUncheckable(model=model, file=file, why="it is not in the zip format of torch")


def _names_in_zip(path: Path) -> set[str]:
    names: set[str] = set()
    with zipfile.ZipFile(path) as archive:
        # Every pickle, not the one that torch is thought to choose: two readers of one zip need
        # not agree on doubled names, and torch's ignores their case.
        pickles = [one for one in archive.infolist() if one.filename.lower().endswith(".pkl")]
        if not pickles:
            raise ValueError("the archive holds no data.pkl")
        for member in pickles:
            _require_plain(member)
            names.update(names_in_pickle(io.BytesIO(archive.read(member))))
    return names


def _require_plain(member: zipfile.ZipInfo) -> None:
    if member.filename.lower().endswith("constants.pkl"):
        raise ValueError("it holds TorchScript, which is code")
    if member.compress_type != zipfile.ZIP_STORED or member.flag_bits & 1:
        raise ValueError(f"{member.filename} is compressed or encrypted")
    if member.file_size > _PICKLE_LIMIT:
        raise ValueError(f"{member.filename} is larger than {_PICKLE_LIMIT} bytes")


def _names_in_bare(start: bytes) -> set[str]:
    """What can be named; the file is refused in any case, so damage further on is no matter."""
    names: set[str] = set()
    stream = io.BytesIO(start)
    with contextlib.suppress(ValueError):
        for _ in range(_PICKLES_IN_BARE_FILE):
            names.update(names_in_pickle(stream))
    return names
