"""The master key: read from its file, and the keys that are derived from it."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onprem.errors import MasterKeyUnusable

_BYTES = 32


class MasterKey:
    """Wraps all record keys and signs links; each use has a derived key of its own."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    @classmethod
    def read(cls, path: Path) -> "MasterKey":
        """From a file of 64 hexadecimal digits that nobody but its owner can read.

        Raises:
            MasterKeyUnusable: with the reason.
        """
        try:
            status = path.stat()
            text = path.read_text().strip()
        except (OSError, UnicodeDecodeError) as error:
            raise MasterKeyUnusable(path=path, why=type(error).__name__) from None
        # systemd hands a credential to a service's user as root's file, 0440, since version 254.
        from_root = status.st_uid == 0 != os.geteuid()
        if status.st_mode & (0o037 if from_root else 0o077):
            raise MasterKeyUnusable(path=path, why="others can read it; chmod 600 it")
        try:
            secret = bytes.fromhex(text)
        except ValueError:
            secret = b""
        if len(secret) != _BYTES:
            raise MasterKeyUnusable(path=path, why="it does not hold 64 hexadecimal digits")
        return cls(secret)

    @staticmethod
    def create(path: Path) -> None:
        """Write a new random key to `path` (0600). Raises FileExistsError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "w") as file:
            file.write(secrets.token_hex(_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256); other purposes learn nothing of them."""
        return HKDF(SHA256(), _BYTES, salt=None, info=f"onprem {purpose}".encode()).derive(
            self._secret
        )
