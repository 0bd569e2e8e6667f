"""One look at everything: the machine, the installation, and the promises."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import msgspec

from onprem.config.settings import Settings
from onprem.core.receipt import ArtefactKind
from onprem.errors import MasterKeyUnusable, OnpremError
from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding, Report
from onprem.services.doctor.installation import configuration, modes
from onprem.services.doctor.machine import machine, volumes
from onprem.services.doctor.models import models
from onprem.services.doctor.promises import clocks, promises, sweeps
from onprem.services.doctor.records import records
from onprem.services.invariants import violations
from onprem.stamp import Stamp
from onprem.store import clock_mark, inspection, key_check
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import missing
from onprem.threads import in_thread


class Patient(msgspec.Struct, frozen=True):
    """What is examined. `key_file` holds the master key, `root` is where the machine's /proc,
    /sys and /etc are, `deep` opens every record and hashes every model."""

    settings: Settings
    key_file: Path
    root: Path = Path("/")
    deep: bool = False

    @property
    def directory(self) -> DataDirectory:
        return DataDirectory(self.settings.storage.data_dir, self.settings.keys_dir)


async def examine(patient: Patient, told: Callable[[Database], Awaitable[Stamp]]) -> Report:
    """`told`: what time it is. Changes nothing.

    Raises:
        DataDirectoryMissing, DataDirectoryForeign: there is nothing to look at.
    """
    patient.directory.check()
    report = await _examined(patient, told)
    if patient.directory.serving() != report.server_runs:  # a server started or stopped meanwhile
        report = await _examined(patient, told)
    return report


async def _examined(patient: Patient, told: Callable[[Database], Awaitable[Stamp]]) -> Report:
    directory, settings = patient.directory, patient.settings
    serving = directory.serving()
    found = [
        *configuration(settings),
        *machine(patient.root),
        *volumes(directory.root, directory.slots.parent, patient.root),
        *modes(directory, patient.key_file),
        *await in_thread(lambda: list(models(settings, deep=patient.deep))),
    ]
    try:
        async with inspection.opened(directory) as database:
            if await missing(database):
                found.append(catalogue.MIGRATION_PENDING.found())
            else:
                async for finding in _store(
                    patient, database, await told(database), serving=serving
                ):
                    found.append(finding)
    except OnpremError as error:
        found.append(catalogue.STORE_UNREADABLE.found(what=error, remedy=error.advice))
    return Report.of(found, server_runs=serving)


async def _store(
    patient: Patient, database: Database, stamp: Stamp, *, serving: bool
) -> AsyncIterator[Finding]:
    settings, directory = patient.settings, patient.directory
    found = await violations(
        database,
        directory,
        stamp.at,
        serving=serving,
        eu_regions=settings.node.eu_regions,
        metadata=settings.retention.metadata,
    )
    for finding in (*promises(found, serving=serving), *clocks(stamp)):
        yield finding
    live = (await inspection.take_picture(database, directory)).live
    content = any(each.artefact.kind is not ArtefactKind.WORKER_COPY for each in live)
    last_sweep = await clock_mark.last_sweep(database)
    for finding in sweeps(last_sweep, stamp, serving=serving, content=content):
        yield finding
    master = await _master_key(patient.key_file, database)
    if isinstance(master, Finding):
        yield master
    elif patient.deep:
        async for finding in records(database, directory, master, live):
            yield finding


async def _master_key(path: Path, database: Database) -> MasterKey | Finding:
    if _of_another(path):
        return catalogue.MASTER_KEY_UNREADABLE.found(path=path)
    try:
        master = MasterKey.read(path)
        await key_check.check(database, master, path)
    except MasterKeyUnusable as error:
        return catalogue.MASTER_KEY_UNUSABLE.found(what=error, remedy=error.advice)
    return master


def _of_another(path: Path) -> bool:
    """Whether only another user, such as root, can read it."""
    try:
        return path.stat().st_uid != os.geteuid() and not os.access(path, os.R_OK)
    except PermissionError:
        return True
    except OSError:
        return False
