"""A public key on the command line: base64, or a file that holds it."""

import binascii
from base64 import b64decode
from pathlib import Path

KEY_BYTES = 32


def public_key(text: str) -> bytes:
    """Raises ValueError, which typer tells as a usage error."""
    path = Path(text)
    try:
        if len(text) < 200 and path.is_file():
            text = path.read_text().strip()
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} holds no key") from None
    try:
        key = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError("it is no public key as `onprem ledger key` prints it, nor a file of one")
    return key
