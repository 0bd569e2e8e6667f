"""Reading the whole store to judge it: what `services/invariants` compares. Changes nothing."""

import sqlite3

import msgspec

from onprem.core.job import JobStatus
from onprem.core.receipt import Receipt
from onprem.errors import DiskFailed
from onprem.store.artefacts import COLUMNS, Artefact
from onprem.store.database import Database
from onprem.store.ledger import DELETION


class JobRow(msgspec.Struct, frozen=True):
    """What stands in a job's row of the things that must agree."""

    id: str
    status: JobStatus
    region: str
    media_id: bytes | None
    request_id: bytes | None
    destination_id: bytes | None
    output_id: bytes | None
    edits_id: bytes | None
    output_due_at: float | None
    error_code: str | None
    claims: int
    attempts: int
    finished_at: float | None

    @property
    def held(self) -> tuple[bytes | None, ...]:
        """The artefacts that it names."""
        return self.media_id, self.request_id, self.destination_id, self.output_id, self.edits_id


class LiveArtefact(msgspec.Struct, frozen=True):
    """An artefact and how many bytes of ciphertext its row holds; None: they are in a blob."""

    artefact: Artefact
    inline_bytes: int | None


async def every_job(database: Database) -> list[JobRow]:
    columns = ", ".join(JobRow.__struct_fields__)
    rows = await database.fetchall(f"SELECT {columns} FROM job ORDER BY seq")
    return [
        msgspec.convert(dict(zip(JobRow.__struct_fields__, row, strict=True)), JobRow)
        for row in rows
    ]


async def every_artefact(database: Database) -> list[LiveArtefact]:
    rows = await database.fetchall(f"SELECT {COLUMNS}, length(sealed) FROM artefact")
    names = Artefact.__struct_fields__
    return [
        LiveArtefact(
            msgspec.convert(dict(zip(names, row[:-1], strict=True)), Artefact), inline_bytes=row[-1]
        )
        for row in rows
    ]


async def every_receipt(database: Database) -> list[Receipt]:
    """In the order of the ledger."""
    rows = await database.fetchall(
        "SELECT body FROM ledger WHERE kind = ? ORDER BY seq", (DELETION,)
    )
    return [msgspec.json.decode(body, type=Receipt) for (body,) in rows]


async def damage(database: Database) -> list[str]:
    """What SQLite's own checks find."""
    try:
        found = [row[0] for row in await database.fetchall("PRAGMA integrity_check")]
        broken = await database.fetchall("PRAGMA foreign_key_check")
    except sqlite3.DatabaseError as error:
        return [f"the database cannot be read ({error.sqlite_errorname})"]
    except DiskFailed as error:
        return [str(error)]
    found += [f"a row of {row[0]} refers to a row of {row[2]} that is not there" for row in broken]
    return [line for line in found if line != "ok"]
