"""Switch off everything in the model libraries that would speak to the outside.

The environment is where all of them look, so it must be set before the first of them is imported.
Standard library only: the command line calls this without paying for torch.
"""

import os
import sys
from collections.abc import Mapping

from onprem.errors import TelemetryEnabled

SWITCHES: Mapping[str, str] = {
    "PYANNOTE_METRICS_ENABLED": "0",
    "OTEL_SDK_DISABLED": "true",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_IMPLICIT_TOKEN": "1",
    "DO_NOT_TRACK": "1",
    "ORT_DISABLE_TELEMETRY": "1",
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
}
"""What each variable must be; pyannote reads 'false' and '0' alike as off, we write one of them."""


BANNED_MODULES = ("onnxruntime",)
"""Modules that report from native code, where a Python process cannot see what a switch did.

Newer releases of onnxruntime open a session with Microsoft's telemetry when they are imported, and
pyannote.audio imports it wherever it is installed. Nothing here needs it: speech is found by the
segmentation model, and where it cannot be imported its importers do without.
"""


def switch_off() -> None:
    """Set every switch in this process's environment; children inherit it.

    Raises TelemetryEnabled where a banned module was imported before.
    """
    os.environ.update(SWITCHES)
    for name in BANNED_MODULES:
        if sys.modules.setdefault(name, None) is not None:  # type: ignore[arg-type]
            raise TelemetryEnabled(what=name)


def assert_offline() -> None:
    """Raise `TelemetryEnabled` naming what is not as `switch_off` leaves it."""
    for name, value in SWITCHES.items():
        if os.environ.get(name) != value:
            raise TelemetryEnabled(what=name)
    for name in BANNED_MODULES:
        if sys.modules.get(name) is not None:
            raise TelemetryEnabled(what=name)
