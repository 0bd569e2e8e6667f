"""A promise that does not hold."""

import msgspec


class Violation(msgspec.Struct, frozen=True):
    """`left_over`: a server that was killed leaves it, and its next start mends it."""

    number: str
    """Of the invariant in the design, such as I4."""
    sentence: str
    left_over: bool = False

    def __str__(self) -> str:
        return f"{self.number}: {self.sentence}"
