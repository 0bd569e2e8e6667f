"""Canaries in the store: synthetic records, kept and deleted as any other."""

import msgspec

from onprem.clock import Clock
from onprem.core.canary import Trial, Verdict
from onprem.core.ledger import EntryKind
from onprem.core.receipt import ArtefactKind
from onprem.store.artefacts import ArtefactStore, AtRest
from onprem.store.chain import LEDGER
from onprem.store.database import Database, Transaction

PROJECT = "prj_canary"
"""Owner of all canaries. Its row counts as erased: no list shows it, and it has no keys."""


class Canaries:
    def __init__(self, database: Database, artefacts: ArtefactStore, clock: Clock) -> None:
        self._database = database
        self._artefacts = artefacts
        self._clock = clock

    async def keep(self, plaintexts: list[bytes], *, now: float, due_at: float) -> list[bytes]:
        """Returns the record ids. Raises StorageFull, StoreBusy."""
        async with self._database.write() as tx:
            await _own(tx, now)
            return [
                await self._artefacts.keep(
                    tx,
                    ArtefactKind.CANARY,
                    plaintext,
                    project_id=PROJECT,
                    job_id=None,
                    now=now,
                    due_at=due_at,
                )
                for plaintext in plaintexts
            ]

    async def live(self) -> list[bytes]:
        rows = await self._database.fetchall("SELECT id FROM artefact WHERE kind = 'canary'")
        return [row[0] for row in rows]

    async def at_rest(self, record: bytes) -> AtRest | None:
        return await self._artefacts.at_rest(record)

    async def note(self, trial: Trial) -> None:
        async with self._database.write() as tx:
            await LEDGER.append(tx, self._clock.stamp(), EntryKind.CANARY, trial)


async def last_trial(database: Database, *verdicts: Verdict) -> Trial | None:
    """The last one that the ledger notes; with `verdicts`, of those that ended so."""
    wanted = verdicts or tuple(Verdict)
    row = await database.fetchone(
        "SELECT body FROM ledger WHERE kind = ?"
        f" AND body ->> 'verdict' IN ({', '.join('?' * len(wanted))}) ORDER BY seq DESC LIMIT 1",
        (EntryKind.CANARY, *wanted),
    )
    return msgspec.json.decode(row[0], type=Trial) if row else None


async def _own(tx: Transaction, now: float) -> None:
    await tx.execute(
        "INSERT OR IGNORE INTO project (id, name, created_at, erased_at) VALUES (?, ?, ?, ?)",
        (PROJECT, PROJECT, now, now),
    )
