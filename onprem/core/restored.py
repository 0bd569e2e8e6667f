"""A restore from a backup, as the ledger notes it: the one thing that explains a lost tail."""

import msgspec


class BackupTip(msgspec.Struct, frozen=True):
    """Where the ledger stood in the backup: number and digest of its last entry."""

    seq: int
    digest: str


class LastKnown(msgspec.Struct, frozen=True):
    """Where the newest checkpoint that is known says that the ledger stood."""

    size: int
    digest: str


class Restored(msgspec.Struct, frozen=True, rename="camel"):
    """`backup_created_at`: seconds of retention time; `by`: an actor, as that of an act.

    Without `last_known` it explains nothing that was checkpointed after the backup.
    """

    backup_tip: BackupTip
    last_known: LastKnown | None
    backup_created_at: float
    by: str
