"""Tables that are hash chains. Each append reads the tip inside its transaction."""

from typing import Any, NamedTuple

from onprem.core.chain import GENESIS, Entry, canonical, chain_digest
from onprem.core.checkpoint import ChainTip
from onprem.core.ledger import ChainName
from onprem.stamp import Stamp
from onprem.store.database import Database, Row, Transaction

_BEHIND_ALL = 2**63 - 1
"""The largest number that a row can have."""
_COLUMNS = "seq, at, wall, boot_id, synchronised, kind, job_id, body, digest"


class Tip(NamedTuple):
    """Where a chain ends: number and digest of its last entry."""

    seq: int
    digest: bytes

    @property
    def said(self) -> ChainTip:
        """As signed documents say it."""
        return ChainTip(self.seq, self.digest.hex())


class Chain:
    """One table of `schema.sql` with these columns and triggers."""

    def __init__(self, name: ChainName) -> None:
        self.name = name
        self._table = name.value

    async def append(
        self, tx: Transaction, stamp: Stamp, kind: str, body: Any, *, job_id: str | None = None
    ) -> int:
        """Add one entry behind the tip, in the caller's transaction. Returns its number."""
        tip = await self.tip(tx)
        seq, raw = tip.seq + 1, canonical(body).decode()
        digest = chain_digest(tip.digest, seq, stamp, kind, job_id, raw)
        when = (stamp.at, stamp.wall, stamp.boot_id, stamp.synchronised)
        await tx.execute(
            f"INSERT INTO {self._table} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (seq, *when, kind, job_id, raw, digest),
        )
        return seq

    async def tip(self, database: Database | Transaction) -> Tip:
        row = await database.fetchone(
            f"SELECT seq, digest FROM {self._table} ORDER BY seq DESC LIMIT 1"
        )
        return Tip(*row) if row else await self.floor(database)

    async def floor(self, database: Database | Transaction) -> Tip:
        """The last entry that outlived its retention; number 0: none did."""
        row = await database.fetchone(
            "SELECT seq, digest FROM chain_floor WHERE chain = ?", (self._table,)
        )
        return Tip(*row) if row else Tip(0, GENESIS)

    async def entries(
        self,
        database: Database | Transaction,
        *,
        after: int = 0,
        limit: int = -1,
        where: str = "TRUE",
        values: tuple[Any, ...] = (),
    ) -> list[Entry]:
        """Those behind number `after`, in order; at most `limit`, where that is not negative."""
        rows = await database.fetchall(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE seq > ? AND ({where})"
            " ORDER BY seq LIMIT ?",
            (after, *values, limit),
        )
        return [_entry(row) for row in rows]

    async def newest(
        self,
        database: Database | Transaction,
        *,
        limit: int,
        before: int | None = None,
        where: str = "TRUE",
        values: tuple[Any, ...] = (),
    ) -> list[Entry]:
        """As `entries`, the newest first; those before number `before`."""
        rows = await database.fetchall(
            f"SELECT {_COLUMNS} FROM {self._table} WHERE seq < ? AND ({where})"
            " ORDER BY seq DESC LIMIT ?",
            (_BEHIND_ALL if before is None else before, *values, limit),
        )
        return [_entry(row) for row in rows]

    async def before(self, database: Database | Transaction, seq: int) -> Tip:
        """Where it ended before entry `seq`, which is one of its own or the next."""
        row = await database.fetchone(
            f"SELECT seq, digest FROM {self._table} WHERE seq = ?", (seq - 1,)
        )
        return Tip(*row) if row else await self.floor(database)

    async def first_since(self, database: Database | Transaction, moment: float) -> int | None:
        """The number of the first entry that is no older than `moment`."""
        row = await database.fetchone(
            f"SELECT seq FROM {self._table} WHERE at >= ? ORDER BY seq LIMIT 1", (moment,)
        )
        return row[0] if row else None

    async def last_until(self, database: Database | Transaction, moment: float) -> Tip:
        """The last entry that is no younger than `moment`; none: where the chain begins."""
        row = await database.fetchone(
            f"SELECT seq, digest FROM {self._table} WHERE at <= ? ORDER BY seq DESC LIMIT 1",
            (moment,),
        )
        return Tip(*row) if row else await self.floor(database)

    async def outlived(
        self, tx: Transaction, before: float, *, now: float, at_most: int
    ) -> Tip | None:
        """The last of the oldest entries that are all older than `before`; None: there is none.

        One from later than `now` is of a clock that ran ahead: it is older than each one behind it.
        """
        row = await tx.fetchone(
            f"SELECT max(seq) FROM {self._table} WHERE at < ? AND seq < coalesce("
            f"(SELECT min(seq) FROM {self._table} WHERE at BETWEEN ? AND ?), ?)",
            (before, before, now, _BEHIND_ALL),
        )
        if row is None or row[0] is None:
            return None
        last = min(row[0], (await self.floor(tx)).seq + at_most)
        row = await tx.fetchone(f"SELECT seq, digest FROM {self._table} WHERE seq = ?", (last,))
        return Tip(*row) if row else None

    async def drop_head(self, tx: Transaction, last: Tip) -> None:
        """Take away the entries up to `last`; the next one follows from its digest."""
        await tx.execute(
            "INSERT INTO chain_floor (chain, seq, digest) VALUES (?, ?, ?)"
            " ON CONFLICT (chain) DO UPDATE SET seq = excluded.seq, digest = excluded.digest",
            (self._table, *last),
        )
        await tx.execute(f"DELETE FROM {self._table} WHERE seq <= ?", (last.seq,))

    async def first_broken(self, database: Database) -> int | None:
        """The number of the first entry that does not follow from the one before; None: intact."""
        expected = await self.floor(database)
        while entries := await self.entries(database, after=expected.seq, limit=10_000):
            for entry in entries:
                if entry.seq != expected.seq + 1 or not entry.follows(expected.digest):
                    return expected.seq + 1
                expected = Tip(entry.seq, entry.digest)
        return None


def _entry(row: Row) -> Entry:
    seq, at, wall, boot_id, synchronised, kind, job_id, body, digest = row
    return Entry(seq, Stamp(at, wall, boot_id, bool(synchronised)), kind, job_id, body, digest)


LEDGER = Chain(ChainName.LEDGER)
ACCESS_LOG = Chain(ChainName.ACCESS_LOG)
