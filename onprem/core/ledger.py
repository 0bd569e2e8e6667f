"""The two chains, and what the entries of the ledger are."""

import enum


class ChainName(enum.StrEnum):
    LEDGER = "ledger"
    """Receipts of deletions, and acts."""
    ACCESS_LOG = "access_log"
    """Who read what content."""


class EntryKind(enum.StrEnum):
    """What an entry of the ledger notes."""

    DELETION = "deletion"
    ACT = "act"
    CANARY = "canary"
    RESTORED = "restored"
    PRUNED = "pruned"
