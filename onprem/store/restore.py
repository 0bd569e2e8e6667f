"""Restoring the database of a backup: what it keeps of the one that it replaces."""

import enum
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

import msgspec

from onprem.errors import LedgerUnreadable, StorageFull, StoreBusy
from onprem.store.artefacts import COLUMNS as ARTEFACT_COLUMNS, Artefact, artefact_of
from onprem.store.backup import CHAINS, COLUMNS
from onprem.store.chain import Chain
from onprem.store.database import PRAGMAS, Database, Transaction


class Lead(enum.Enum):
    """Which of two copies of a chain goes on where the other one ends."""

    NEITHER = enum.auto()
    BACKUP = enum.auto()
    TARGET = enum.auto()
    APART = enum.auto()
    """They say different things of the same entry."""


class Holdings(msgspec.Struct, frozen=True):
    """What a database holds, in numbers; `artefacts` are those with content."""

    projects: int
    keys: int
    jobs: int
    artefacts: int


async def compared(chain: Chain, backup: Database, target: Database) -> Lead:
    """Who is ahead. Where the older end outlived its retention in the other one, numbers tell."""
    ours, theirs = await chain.tip(backup), await chain.tip(target)
    end, ahead = (ours, target) if ours.seq <= theirs.seq else (theirs, backup)
    there = await chain.before(ahead, end.seq + 1)
    if there.seq == end.seq and there.digest != end.digest:
        return Lead.APART
    if ours.seq == theirs.seq:
        return Lead.NEITHER
    return Lead.TARGET if ahead is target else Lead.BACKUP


async def holdings(database: Database) -> Holdings:
    row = await database.fetchone(
        "SELECT (SELECT count(*) FROM project WHERE erased_at IS NULL),"
        " (SELECT count(*) FROM api_key WHERE revoked_at IS NULL),"
        " (SELECT count(*) FROM job WHERE deleted_at IS NULL),"
        " (SELECT count(*) FROM artefact WHERE kind != 'worker_copy')"
    )
    assert row is not None, "counts always have a row"
    return Holdings(*row)


def keep_history(backup: Path, target: Path) -> None:
    """Take over what the target knows of what happened, for its chains go on from the backup's.

    Chains, checkpoints, jobs and their deliveries, what is stored now, and the time are the
    target's.
    Projects, settings, keys and secrets stay the backup's; projects that it does not know are
    added, without keys, for their jobs. So are the installation's secrets that it lacks. Blocks.
    """
    with _attached(backup, target) as database:
        projects = ", ".join(COLUMNS["project"])
        renamed = projects.replace(
            "name", "CASE WHEN name IN (SELECT name FROM main.project) THEN id ELSE name END", 1
        )
        database.execute(
            f"INSERT INTO main.project ({projects}) SELECT {renamed} FROM target.project"
            " WHERE id NOT IN (SELECT id FROM main.project)"
        )
        for table in ("delivery", "job", "artefact", "checkpoint"):
            database.execute(f"DELETE FROM main.{table}")
        for table in ("job", "delivery", "artefact", "checkpoint"):
            _copy(database, table)
        for chain in CHAINS:
            _go_on(database, chain)
        _copy(
            database,
            "secret",
            "project_id IS NULL AND purpose NOT IN"
            " (SELECT purpose FROM main.secret WHERE project_id IS NULL)"
            " AND (SELECT value FROM target.key_check) = (SELECT value FROM main.key_check)",
        )
        for table in ("clock_mark", "used_link"):
            database.execute(f"INSERT OR REPLACE INTO main.{table} SELECT * FROM target.{table}")


def keep_artefacts(backup: Path, target: Path) -> None:
    """Take over which artefacts the target has, where its chains are older than the backup's, so
    that each ends with a receipt. Blocks."""
    with _attached(backup, target) as database:
        _copy(
            database,
            "artefact",
            "id NOT IN (SELECT id FROM main.artefact) AND lower(hex(id)) NOT IN"
            " (SELECT body ->> 'artefactId' FROM main.ledger WHERE kind = 'deletion'"
            " AND seq > (SELECT coalesce(max(seq), 0) FROM target.ledger))",
        )


async def bind_slots(tx: Transaction, occupants: Mapping[int, bytes], *, now: float) -> list[bytes]:
    """Artefacts whose keys are there get their slots back, and are due. Returns them."""
    bound = []
    for slot, record in occupants.items():
        if await tx.execute(
            "UPDATE artefact SET slot = ?, due_at = min(due_at, ?) WHERE id = ?"
            " AND kind != 'worker_copy'",
            (slot, now, record),
        ):
            bound.append(record)
    return bound


async def take_keyless(tx: Transaction) -> list[Artefact]:
    """Remove those that have no key here, for each to get a receipt."""
    rows = await tx.fetchall(f"SELECT {ARTEFACT_COLUMNS} FROM artefact WHERE slot IS NULL")
    await tx.execute("DELETE FROM artefact WHERE slot IS NULL")
    return [artefact_of(row) for row in rows]


async def free_slots(tx: Transaction, slots: Collection[int]) -> None:
    listed = msgspec.json.encode(sorted(slots)).decode()
    await tx.execute("INSERT INTO free_slot (slot) SELECT value FROM json_each(?)", (listed,))


async def revoke_again(tx: Transaction, key_id: str, *, at: float) -> None:
    """A key of which the ledger says so."""
    await tx.execute(
        "UPDATE api_key SET revoked_at = coalesce(revoked_at, ?) WHERE id = ?", (at, key_id)
    )


async def settle_exports(tx: Transaction, *, now: float) -> None:
    """Checkpoints of the backup leave the host no more: behind younger ones they would say that
    the restore knew of those."""
    await tx.execute(
        "UPDATE checkpoint SET filed_at = coalesce(filed_at, ?), sent_at = coalesce(sent_at, ?)",
        (now, now),
    )


async def expire_outputs(tx: Transaction, *, now: float) -> None:
    """No output is left."""
    await tx.execute("UPDATE job SET output_due_at = ? WHERE output_due_at > ?", (now, now))


async def end_deliveries(tx: Transaction, *, now: float) -> int:
    """Nobody knows any more where they lead. Returns how many waited."""
    return await tx.execute(
        "UPDATE delivery SET next_at = NULL, ended_at = ?, state = CASE WHEN kind = 'deliver' AND"
        " (SELECT status FROM job WHERE job.id = job_id) != 'succeeded'"
        " THEN 'skipped' ELSE 'failed' END WHERE state = 'waiting'",
        (now,),
    )


@contextmanager
def _attached(backup: Path, target: Path) -> Iterator[sqlite3.Connection]:
    """One transaction. Raises LedgerUnreadable, StorageFull, StoreBusy."""
    try:
        with closing(sqlite3.connect(backup, isolation_level=None)) as database:
            for name in ("busy_timeout", "temp_store"):
                database.execute(f"PRAGMA {name} = {PRAGMAS[name]}")
            database.execute("ATTACH ? AS target", (str(target),))
            database.execute("BEGIN")
            yield database
            database.execute("COMMIT")
    except sqlite3.DatabaseError as error:
        match error.sqlite_errorcode & 0xFF:
            case sqlite3.SQLITE_FULL:
                raise StorageFull() from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise StoreBusy() from error
            case sqlite3.SQLITE_CORRUPT | sqlite3.SQLITE_NOTADB | sqlite3.SQLITE_IOERR:
                why = f"the database cannot be read ({error.sqlite_errorname})"
                raise LedgerUnreadable(path=target, why=why) from error
        raise


def _copy(database: sqlite3.Connection, table: str, where: str = "TRUE") -> None:
    names = ", ".join(COLUMNS[table])
    database.execute(
        f"INSERT INTO main.{table} ({names}) SELECT {names} FROM target.{table} WHERE {where}"
    )


def _go_on(database: sqlite3.Connection, chain: str) -> None:
    """The target's entries behind those of the backup, and its beginning."""
    database.execute(
        "INSERT OR REPLACE INTO main.chain_floor (chain, seq, digest)"
        " SELECT chain, seq, digest FROM target.chain_floor WHERE chain = ?",
        (chain,),
    )
    floor = "(SELECT coalesce(max(seq), 0) FROM main.chain_floor WHERE chain = ?)"
    database.execute(f"DELETE FROM main.{chain} WHERE seq <= {floor}", (chain,))
    names = ", ".join(COLUMNS[chain])
    database.execute(
        f"INSERT INTO main.{chain} ({names}) SELECT {names} FROM target.{chain}"
        f" WHERE seq > max((SELECT coalesce(max(seq), 0) FROM main.{chain}), {floor})"
        " ORDER BY seq",
        (chain,),
    )
