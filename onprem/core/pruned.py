"""Entries that outlived their retention: what the ledger says of the head of a chain that went."""

import msgspec

from onprem.core.ledger import ChainName


class Pruned(msgspec.Struct, frozen=True, rename="camel"):
    """`seq` and `digest` are those of the last entry that went: the next one follows from it.

    `before`: all of them were older than this moment, in seconds of retention time.
    """

    chain: ChainName
    seq: int
    digest: str
    before: float
