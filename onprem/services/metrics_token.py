"""The token that lets a monitoring system read metrics from another machine."""

import hmac
from pathlib import Path

SHORTEST = 16
"""Characters."""


class MetricsToken:
    """None: there is no token, so none matches."""

    def __init__(self, token: str | None = None) -> None:
        self._token = None if token is None else token.encode()

    @classmethod
    def read(cls, path: Path | None) -> "MetricsToken":
        """The text of a file; None: no token. Raises ValueError with the reason."""
        if path is None:
            return cls()
        try:
            token = path.read_text().strip()
        except OSError as error:
            raise ValueError(f"cannot be read: {error.strerror}") from None
        except UnicodeDecodeError:
            raise ValueError("is not text") from None
        if len(token) < SHORTEST:
            raise ValueError(f"is shorter than {SHORTEST} characters")
        return cls(token)

    def matches(self, secret: str) -> bool:
        """Takes the same time wherever the two differ."""
        return self._token is not None and hmac.compare_digest(self._token, secret.encode())
