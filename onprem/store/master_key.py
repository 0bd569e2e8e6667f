"""The master key: read from its file, and the keys that are derived from it."""

import os
import secrets
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from onprem.errors import MasterKeyUnusable
from onprem.store.key_file import KEY_BYTES, read_key


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
            return cls(read_key(path))
        except ValueError as error:
            raise MasterKeyUnusable(path=path, why=str(error)) from None

    @staticmethod
    def create(path: Path) -> None:
        """Write a new random key to `path` (0600). Raises FileExistsError."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        with os.fdopen(os.open(path, flags, 0o600), "w") as file:
            file.write(secrets.token_hex(KEY_BYTES) + "\n")
            file.flush()
            os.fsync(file.fileno())

    def derive(self, purpose: str) -> bytes:
        """32 bytes for one purpose (HKDF-SHA256); other purposes learn nothing of them."""
        return HKDF(SHA256(), KEY_BYTES, salt=None, info=f"onprem {purpose}".encode()).derive(
            self._secret
        )
