"""Verifying a backup: every byte, the database, and both chains. Needs no installation."""

import tempfile
from pathlib import Path

import msgspec

from onprem.core.backup import SealedManifest
from onprem.errors import (
    BackupUnusable,
    DataDirectoryDamaged,
    MasterKeyUnusable,
    OnpremError,
    SchemaTooNew,
)
from onprem.services.backup.create import SEAL
from onprem.store import backup, backup_file, inspection, key_check
from onprem.store.backup_file import Unpacked
from onprem.store.chain import ACCESS_LOG, LEDGER
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.threads import in_thread


class Verdict(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What was found. `sound`: there is no problem.

    `opens` says whether the master key that was given opens it. What could not be read is absent.
    """

    file: str
    sound: bool
    problems: list[str]
    bytes: int | None = None
    age_seconds: float | None = None
    opens: bool | None = None
    backup: SealedManifest | None = None


async def verify(path: Path, *, wall: float, master: MasterKey | None = None) -> Verdict:
    """`wall`: the time of day, for its age. `master`: to see whether it opens the backup.

    The database is unpacked to a temporary folder, which needs as much room as the file.

    Raises OSError: it cannot be read, or the temporary folder not be written.
    """
    with tempfile.TemporaryDirectory(prefix="onprem-backup-") as folder:
        place = DataDirectory(Path(folder), Path(folder))
        try:
            unpacked = await in_thread(backup_file.unpack, path, place.database)
        except BackupUnusable as unusable:
            return Verdict(file=str(path), sound=False, problems=[str(unusable.facts["why"])])
        problems = await examined(unpacked, place)
        opens = None
        if master is not None and not problems:
            opens = await opened_by(unpacked, place, master)
            if not opens:
                problems = ["the master key that was given does not open it"]
    return Verdict(
        file=str(path),
        sound=not problems,
        problems=problems,
        bytes=unpacked.bytes,
        age_seconds=wall - unpacked.sealed.body.wall,
        opens=opens,
        backup=unpacked.sealed,
    )


async def examined(unpacked: Unpacked, place: DataDirectory) -> list[str]:
    """What is wrong with its database, which lies at `place`, and is migrated there."""
    manifest = unpacked.sealed.body
    told = backup.Contents(manifest.schema, manifest.counts, manifest.ledger, manifest.access_log)
    problems = []
    try:
        if await in_thread(backup.contents, unpacked.store) != told:
            problems.append("its database holds something else than its manifest says")
        async with inspection.opened(place) as database:
            await migrate(database)
            problems += await inspection.damage(database)
            problems += await _broken_chains(database)
    except (DataDirectoryDamaged, SchemaTooNew) as error:
        problems.append(_without_place(error))
    return problems


async def opened_by(unpacked: Unpacked, place: DataDirectory, master: MasterKey) -> bool:
    """Whether it was made under this master key, and by nobody without it."""
    try:
        async with inspection.opened(place) as database:
            await key_check.check(database, master, unpacked.store)
    except (MasterKeyUnusable, DataDirectoryDamaged):
        return False
    return unpacked.sealed.made_with(master.derive(SEAL))


async def _broken_chains(database: Database) -> list[str]:
    chains = {"the ledger": LEDGER, "the access log": ACCESS_LOG}
    broken = {name: await chain.first_broken(database) for name, chain in chains.items()}
    return [f"{name} is broken at entry {seq}" for name, seq in broken.items() if seq is not None]


def _without_place(error: OnpremError) -> str:
    what = error.facts.get("what")
    return str(error) if what is None else str(what)
