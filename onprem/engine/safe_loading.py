"""Teaching torch's restricted unpickler the four classes in which pyannote describes a task."""

from torch.serialization import add_safe_globals
from torch.torch_version import TorchVersion

from onprem.engine.libraries import Problem, Resolution, Specifications

PYANNOTE_CLASSES = (Specifications, Problem, Resolution, TorchVersion)


def allow_pyannote_globals() -> None:
    """Call it once before the first load; anything beyond these classes stays refused.

    `TORCH_FORCE_WEIGHTS_ONLY_LOAD=1`, which is set before torch is imported, makes every load of a
    checkpoint go through the restricted unpickler; this adds to what it accepts.
    """
    add_safe_globals(list(PYANNOTE_CLASSES))
