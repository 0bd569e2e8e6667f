"""Import torchaudio beside a CPU-only torch.

torchaudio's wheel on PyPI links CUDA. Where torch is a CPU build, loading its shared library fails
and with it the whole import, though pyannote needs only the Python part (Kaldi features and
resampling). torchaudio itself copes with a library that is not there: then it works without its
C++ parts. So, only after the library really failed to load, torchaudio is told to look for it in a
folder that does not exist, and imported again. No installed file is touched.
"""

import importlib
import sys
from pathlib import Path

LOADER = "torchaudio._extension.utils"
"""The module that finds the library in `_LIB_DIR`; it is imported before the library is loaded."""


def import_torchaudio() -> None:
    """Import torchaudio; does nothing where that has been done.

    Raises:
        OSError: it cannot be imported for another reason than its own shared library.
    """
    try:
        importlib.import_module("torchaudio")
    except OSError:
        loader = sys.modules.get(LOADER)
        if loader is None:
            raise
        loader._LIB_DIR = Path("/nonexistent")  # type: ignore[attr-defined]
        importlib.import_module("torchaudio")
