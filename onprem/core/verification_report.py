"""What a verification of the ledger found, for people and programs."""

import enum
from datetime import datetime

import msgspec

MOST_PROBLEMS = 100
"""More are only counted: whoever garbles a whole export gets no list of a million lines."""


class Problem(msgspec.Struct, frozen=True):
    """`where`: the line, entry or checkpoint; `what` is wrong with it."""

    where: str
    what: str


class Problems:
    """Those that were found, in their order."""

    def __init__(self) -> None:
        self.listed: list[Problem] = []
        self.unlisted = 0

    def add(self, where: str, what: str) -> None:
        if len(self.listed) < MOST_PROBLEMS:
            self.listed.append(Problem(where, what))
        else:
            self.unlisted += 1

    def __bool__(self) -> bool:
        return bool(self.listed)


class Beginning(enum.StrEnum):
    """Why the first entry is the first."""

    START = "start"
    """No entry was ever before it."""
    PRUNED = "pruned"
    """Those before it outlived their retention, and an entry says so."""
    SINCE = "since"
    """Whoever exported it asked for no older ones."""


class ChainReport(msgspec.Struct, frozen=True, rename="camel"):
    """The entries behind number `after`, up to `last`.

    `anchored_up_to`: what is behind that entry, no anchor holds yet; None: no anchors were given.
    """

    begins: Beginning
    after: int
    last: int
    anchored_up_to: int | None


class AnchorReport(msgspec.Struct, frozen=True, rename="camel"):
    """How many anchored checkpoints there are of each sort.

    `on_chain`: compared, and found. `before`: they speak of entries that are not here any more.
    `newer` than the export. `lost`: they speak of entries that a restore from a backup lost, as
    the ledger says. `unreadable`: lines that are no signed document, such as one broken off.
    """

    on_chain: int
    before: int
    newer: int
    lost: int
    unreadable: list[int]


class Verification(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """The result. `unlisted` counts the problems beyond those that are listed.

    What could not be read is absent. `restored`: numbers of the entries that tell of a restore.
    """

    intact: bool
    problems: list[Problem]
    unlisted: int
    installation: str
    exported_at: datetime | None = None
    since: datetime | None = None
    ledger: ChainReport | None = None
    access_log: ChainReport | None = None
    checkpoints: int | None = None
    anchors: AnchorReport | None = None
    restored: list[int] = []
