"""Switch off everything in the model libraries that would speak to the outside.

The environment is where all of them look, so it must be set before the first of them is imported.
Standard library only: the command line calls this without paying for torch.
"""

import os
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
    "TORCH_FORCE_WEIGHTS_ONLY_LOAD": "1",
}
"""What each variable must be; pyannote reads 'false' and '0' alike as off, we write one of them."""


def switch_off() -> None:
    """Set every switch in this process's environment; children inherit it."""
    os.environ.update(SWITCHES)


def assert_offline() -> None:
    """Raise `TelemetryEnabled` naming the first switch that is not as `switch_off` leaves it."""
    for name, value in SWITCHES.items():
        if os.environ.get(name) != value:
            raise TelemetryEnabled(what=name)
