"""The canary: a synthetic record that is made to see it vanish. What a trial found."""

import enum

import msgspec


class Verdict(enum.StrEnum):
    GONE = "gone"
    """It could be found while it lived, and no byte of it after its deadline."""
    LEFT = "left"
    """Something of it was found after its deadline."""
    EXPOSED = "exposed"
    """Its plaintext was found while it lived."""
    UNPROVEN = "unproven"
    """It could not be found while it lived, or a scan did not come to its end: not to find it
    proves nothing."""
    INTERRUPTED = "interrupted"
    """The server stopped before its end: what was to be looked for is forgotten."""

    @property
    def kept(self) -> bool:
        """Whether it contradicts no promise."""
        return self not in (Verdict.LEFT, Verdict.EXPOSED)


class Trace(msgspec.Struct, frozen=True, rename="camel"):
    """Something that was found: `what` is `plaintext`, `ciphertext` or `key`."""

    what: str
    place: str
    file: str


class Trial(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The life of one canary, as the ledger notes it. Times in seconds of retention time.

    `files` and `bytes` are how much the last scan read.
    """

    verdict: Verdict
    artefacts: list[str]
    created_at: float
    due_at: float
    ended_at: float
    places: list[str] = []
    traces: list[Trace] = []
    files: int = 0
    bytes: int = 0
