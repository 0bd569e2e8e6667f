"""The base of every error, and how foreign exceptions are written to a log."""

import traceback
from typing import ClassVar


class OnpremError(Exception):
    """Base of all errors that the product raises on purpose."""

    code: ClassVar[str] = "internal"
    message: ClassVar[str] = "Something failed inside the server."
    remedy: ClassVar[str] = "Look in the server's log for the request id, and report it."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    @property
    def advice(self) -> str:
        """What to do next, as one or more sentences."""
        return self.remedy.format(**self.facts)

    @property
    def sentence(self) -> str:
        """What happened and what to do next, for people."""
        return f"{self} {self.advice}"


def described(error: BaseException) -> str:
    """A foreign exception for the log: its type and where it was raised.

    Its own text is left out, because it may quote content.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"
