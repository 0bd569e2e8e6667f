"""A secret of 32 bytes in a file of its own: 64 hexadecimal digits that nobody else can read."""

import os
from pathlib import Path

KEY_BYTES = 32


def read_key(path: Path) -> bytes:
    """Raises ValueError with the reason."""
    try:
        status = path.stat()
        text = path.read_text().strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(type(error).__name__) from None
    # systemd hands a credential to a service's user as root's file, 0440, since version 254.
    from_root = status.st_uid == 0 != os.geteuid()
    if status.st_mode & (0o037 if from_root else 0o077):
        raise ValueError("others can read it; chmod 600 it")
    try:
        secret = bytes.fromhex(text)
    except ValueError:
        secret = b""
    if len(secret) != KEY_BYTES:
        raise ValueError("it does not hold 64 hexadecimal digits")
    return secret
