"""The one map from errors to exit codes. Unknown codes must be treated as failure."""

from onprem import errors
from onprem.errors import OnpremError

OK = 0
FAILED = 1
USAGE = 2

EXIT_CODES: dict[type[OnpremError], int] = {
    errors.PurgeRefused: USAGE,
    errors.ConfigInvalid: 3,
    errors.InstallationError: 4,
    errors.ModelError: 5,
    errors.RequestRefused: 6,
    errors.StorageFull: 7,
    errors.StoreBusy: 8,
}


def exit_code(error: OnpremError) -> int:
    """The code of the nearest class in the map."""
    for kind in type(error).__mro__:
        if kind in EXIT_CODES:
            return EXIT_CODES[kind]
    return FAILED
