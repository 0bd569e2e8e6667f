"""What a purge reaches, and the rows of a project that go with it."""

import msgspec

from onprem.core.chain import Entry
from onprem.core.purge import ProjectRecords
from onprem.core.receipt import Receipt
from onprem.store.artefacts import COLUMNS, Artefact, artefact_of
from onprem.store.canaries import PROJECT as CANARIES
from onprem.store.chain import LEDGER
from onprem.store.database import Database, Transaction
from onprem.store.jobs import COLUMNS as JOB_COLUMNS, Job, job_of

_AT_ONCE = 500
"""Parameters of one statement."""

_CONTENT = "kind != 'canary'"
"""Canaries are synthetic, live for a minute, and would prove nothing if they died earlier."""


class Reach(msgspec.Struct, frozen=True):
    """All of a job, all of a project, or all there is."""

    job_id: str | None = None
    project_id: str | None = None

    def where(self, job_column: str) -> tuple[str, list[str]]:
        """A condition, and its parameters."""
        wanted = {job_column: self.job_id, "project_id": self.project_id}
        given = {column: value for column, value in wanted.items() if value is not None}
        return " AND ".join([f"{column} = ?" for column in given] or ["TRUE"]), [*given.values()]


async def artefacts(database: Database | Transaction, reach: Reach) -> list[Artefact]:
    """Live ones, worker copies among them, the oldest first."""
    condition, values = reach.where("job_id")
    rows = await database.fetchall(
        f"SELECT {COLUMNS} FROM artefact WHERE {condition} AND {_CONTENT} ORDER BY created_at, id",
        values,
    )
    return [artefact_of(row) for row in rows]


async def artefacts_named(database: Database, records: list[bytes]) -> list[Artefact]:
    """Those of them that live, in their order."""
    found: dict[bytes, Artefact] = {}
    for start in range(0, len(records), _AT_ONCE):
        some = records[start : start + _AT_ONCE]
        places = ", ".join("?" * len(some))
        rows = await database.fetchall(
            f"SELECT {COLUMNS} FROM artefact WHERE id IN ({places})", some
        )
        found |= {row[0]: artefact_of(row) for row in rows}
    return [found[record] for record in records if record in found]


async def worker_copies(database: Database) -> list[tuple[bytes, str]]:
    """Each with its job."""
    rows = await database.fetchall(
        "SELECT id, job_id FROM artefact WHERE kind = 'worker_copy' ORDER BY created_at"
    )
    return [(row[0], row[1]) for row in rows]


async def unfinished(database: Database | Transaction, reach: Reach) -> list[Job]:
    condition, values = reach.where("id")
    rows = await database.fetchall(
        f"SELECT {JOB_COLUMNS} FROM job WHERE finished_at IS NULL AND {condition} ORDER BY seq",
        values,
    )
    return [job_of(row) for row in rows]


async def unfinished_with(database: Database | Transaction, media_id: bytes) -> list[Job]:
    """Jobs that are bound to a version of media."""
    rows = await database.fetchall(
        f"SELECT {JOB_COLUMNS} FROM job WHERE finished_at IS NULL AND media_id = ? ORDER BY seq",
        (media_id,),
    )
    return [job_of(row) for row in rows]


async def shown_jobs(database: Database | Transaction, reach: Reach) -> list[str]:
    """Ids of jobs that no owner has deleted."""
    condition, values = reach.where("id")
    rows = await database.fetchall(
        f"SELECT id FROM job WHERE deleted_at IS NULL AND {condition} ORDER BY seq", values
    )
    return [row[0] for row in rows]


async def media_version(database: Database, project_id: str, key: str) -> Artefact | None:
    """The version that a key names, also past its deadline."""
    rows = await database.fetchall(
        f"SELECT {COLUMNS} FROM artefact WHERE id ="
        " (SELECT artefact_id FROM media WHERE project_id = ? AND key = ?)",
        (project_id, key),
    )
    return artefact_of(rows[0]) if rows else None


async def of_erased_projects(database: Database) -> list[bytes]:
    """What is still stored of erased projects. Not their worker copies."""
    rows = await database.fetchall(
        f"SELECT id FROM artefact WHERE kind != 'worker_copy' AND {_CONTENT}"
        " AND project_id IN (SELECT id FROM project WHERE erased_at IS NOT NULL)"
    )
    return [row[0] for row in rows]


class Candidate(msgspec.Struct, frozen=True):
    """A project that can be erased, or was: `erased_at` in seconds since the epoch."""

    id: str
    erased_at: float | None


async def candidate(database: Database, named: str) -> Candidate | None:
    """By id or name; one that was erased by its id only. The owner of canaries is none."""
    row = await database.fetchone(
        "SELECT id, erased_at FROM project WHERE (id = ?1 OR name = ?1) AND id != ?2"
        " ORDER BY id = ?1 DESC",
        (named, CANARIES),
    )
    return Candidate(*row) if row else None


async def erased_at(tx: Transaction, project_id: str) -> float | None:
    row = await tx.fetchone("SELECT erased_at FROM project WHERE id = ?", (project_id,))
    return row[0] if row else None


async def records(database: Database | Transaction, project_id: str) -> ProjectRecords:
    """What goes with the project beside its artefacts."""
    row = await database.fetchone(
        "SELECT (SELECT count(*) FROM api_key WHERE project_id = ?1 AND revoked_at IS NULL),"
        " (SELECT count(*) FROM secret WHERE project_id = ?1),"
        " (SELECT count(*) FROM idempotency WHERE project_id = ?1),"
        " (SELECT count(*) FROM job WHERE project_id = ?1),"
        " (SELECT count(*) FROM delivery JOIN job ON job.id = job_id WHERE project_id = ?1),"
        " (SELECT count(*) FROM media WHERE project_id = ?1)",
        (project_id,),
    )
    assert row is not None, "counts always have a row"
    return ProjectRecords(project_id, *row)


async def blank(tx: Transaction, project_id: str, *, now: float) -> None:
    """From now on it is in no list, none of its keys opens anything, and its name is free."""
    await tx.execute(
        "UPDATE project SET name = id, settings = '{}', erased_at = ? WHERE id = ?",
        (now, project_id),
    )
    await tx.execute(
        "UPDATE api_key SET name = id, hash = X'', revoked_at = coalesce(revoked_at, ?)"
        " WHERE project_id = ?",
        (now, project_id),
    )
    await tx.execute("DELETE FROM secret WHERE project_id = ?", (project_id,))
    await tx.execute("DELETE FROM idempotency WHERE project_id = ?", (project_id,))


async def forget_rest(tx: Transaction) -> int:
    """Rows of erased projects: tombstones and deliveries of jobs of which nothing is left, and
    what was written in the moment of the erasure. Returns how many tombstones it deleted."""
    erased = "SELECT id FROM project WHERE erased_at IS NOT NULL"
    await tx.execute(f"DELETE FROM secret WHERE project_id IN ({erased})")
    await tx.execute(f"DELETE FROM idempotency WHERE project_id IN ({erased})")
    return await tx.execute(
        f"DELETE FROM job WHERE finished_at IS NOT NULL AND project_id IN ({erased})"
        " AND NOT EXISTS (SELECT 1 FROM artefact WHERE artefact.job_id = job.id)"
    )


class Numbered(msgspec.Struct, frozen=True):
    """A receipt, its number in the ledger, and the digest of that entry."""

    number: int
    digest: bytes
    receipt: Receipt


async def receipts_behind(database: Database, number: int) -> list[Numbered]:
    """All receipts behind that entry of the ledger."""
    entries = await LEDGER.entries(database, after=number, where="kind = 'deletion'")
    return [_numbered(entry) for entry in entries]


async def receipts_of_project(database: Database, project_id: str) -> list[Numbered]:
    """All that the ledger has of it."""
    entries = await LEDGER.entries(
        database, where="kind = 'deletion' AND body ->> 'projectId' = ?", values=(project_id,)
    )
    return [_numbered(entry) for entry in entries]


async def act_of_erasure(database: Database, project_id: str) -> Entry | None:
    """The ledger's entry that says that this project was erased."""
    found = await LEDGER.entries(
        database,
        where="kind = 'act' AND body ->> 'act' = 'project_erased' AND body ->> 'subject' = ?",
        values=(project_id,),
    )
    return found[0] if found else None


def _numbered(entry: Entry) -> Numbered:
    return Numbered(entry.seq, entry.digest, msgspec.json.decode(entry.body, type=Receipt))
