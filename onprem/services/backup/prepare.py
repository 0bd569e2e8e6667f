"""Preparing a restore: the backup is checked, and compared with what it would replace."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.core.anchors import read_anchors
from onprem.core.backup import Manifest
from onprem.core.checkpoint import Checkpoint
from onprem.errors import (
    AnchorsUnusable,
    BackupUnusable,
    DataDirectoryDamaged,
    LedgersDiffer,
    LedgerUnreadable,
    MasterKeyUnusable,
)
from onprem.services.backup.create import SEAL
from onprem.services.backup.restore import Plan, Replaced, Restore
from onprem.services.backup.verify import examined
from onprem.services.signing import installation_signer
from onprem.store import backup_file, inspection, key_check, restore, swap
from onprem.store.chain import ACCESS_LOG, LEDGER
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.migrate import migrate
from onprem.store.restore import Lead
from onprem.store.secrets import SecretStore
from onprem.threads import in_thread


@asynccontextmanager
async def prepared(
    path: Path,
    settings: Settings,
    key_file: Path,
    clock: RetentionClock,
    *,
    anchors: Path | None = None,
) -> AsyncIterator[Restore]:
    """Look at the backup in `path` and at what it would replace. `key_file`: the master key.

    `anchors`: a file of exported checkpoints, of which the last one says what is lost.

    Raises:
        BackupUnusable, MasterKeyUnusable, AnchorsUnusable
        DataDirectoryBusy: a server runs, or another restore.
        FolderUnusable: the data directory cannot be made, or is somebody else's.
        LedgersDiffer: what would be replaced has another history.
        LedgerUnreadable: its ledger could not be kept.
        SchemaTooNew: a newer onprem made the one or the other.
    """
    master = MasterKey.read(key_file)
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    directory.create()
    async with AsyncExitStack() as held:
        lock = directory.lock()
        held.callback(lock.release)
        swap.check_whole(directory.database)
        staged = held.enter_context(swap.staging(directory))
        manifest = await _unpacked(path, staged, master, key_file)
        async with inspection.opened(staged) as backup:
            known = await _anchored(anchors, backup, master, clock)
            replaces = await _replaced(backup, directory, manifest)
        plan = Plan(str(path), str(directory.root), manifest, replaces)
        yield Restore(plan, directory, staged, master, settings, clock, known)


def configuration_in(path: Path, key_file: Path) -> bytes | None:
    """The configuration in the backup, if whoever has the master key in `key_file` put it there.

    Raises BackupUnusable, MasterKeyUnusable. Blocks.
    """
    master = MasterKey.read(key_file)
    try:
        sealed, content = backup_file.head(path)
    except OSError as error:
        raise BackupUnusable(path=path, why=error.strerror) from error
    if not sealed.made_with(master.derive(SEAL)):
        why = f"it was not made with the master key in {key_file}, or was changed since"
        raise BackupUnusable(path=path, why=why)
    return content


async def _unpacked(
    path: Path, staged: DataDirectory, master: MasterKey, key_file: Path
) -> Manifest:
    try:
        unpacked = await in_thread(backup_file.unpack, path, staged.database)
    except OSError as error:
        raise BackupUnusable(path=path, why=error.strerror) from error
    if problems := await examined(unpacked, staged):
        raise BackupUnusable(path=path, why="; ".join(problems))
    try:
        async with inspection.opened(staged) as database:
            await key_check.check(database, master, key_file)
    except MasterKeyUnusable as error:
        why = "this backup was made with another one"
        raise MasterKeyUnusable(path=key_file, why=why) from error
    if not unpacked.sealed.made_with(master.derive(SEAL)):
        why = "somebody without the master key made or changed it"
        raise BackupUnusable(path=path, why=why)
    return unpacked.sealed.body


async def _anchored(
    path: Path | None, backup: Database, master: MasterKey, clock: RetentionClock
) -> Checkpoint | None:
    """The last checkpoint of the file."""
    if path is None:
        return None
    secrets = SecretStore(backup, master.derive("secrets"))
    signer = await installation_signer(backup, secrets, clock)
    try:
        lines = (await in_thread(path.read_bytes)).splitlines()
    except OSError as error:
        raise AnchorsUnusable(path=path, why=error.strerror) from error
    found = read_anchors(lines, signer.public_key)
    if found.faults:
        fault = found.faults[0]
        raise AnchorsUnusable(path=path, why=f"{fault.where} {fault.what}")
    if not found.anchors:
        raise AnchorsUnusable(path=path, why="there is none in it")
    return found.anchors[-1].checkpoint


async def _replaced(
    backup: Database, directory: DataDirectory, manifest: Manifest
) -> Replaced | None:
    """What is there, and whether its history goes on from the backup's, or the other way."""
    if not directory.database.exists():
        return None
    try:
        async with inspection.opened(directory) as target:
            await migrate(target)
            if damage := await inspection.damage(target):
                raise DataDirectoryDamaged(what=damage[0])
            for name, chain in (("ledger", LEDGER), ("access log", ACCESS_LOG)):
                if entry := await chain.first_broken(target):
                    raise DataDirectoryDamaged(what=f"the {name} is broken at entry {entry}")
            leads = {
                await restore.compared(LEDGER, backup, target),
                await restore.compared(ACCESS_LOG, backup, target),
            } - {Lead.NEITHER}
            if len(leads) > 1 or Lead.APART in leads:
                raise LedgersDiffer(path=directory.root, why="their ledgers are two histories")
            newer = (await LEDGER.tip(target)).seq - manifest.ledger.size
            return Replaced(
                await restore.holdings(target),
                await swap.ends(target),
                Lead.BACKUP not in leads,
                max(0, newer),
            )
    except DataDirectoryDamaged as error:
        what = error.facts["what"]
        raise LedgerUnreadable(path=directory.database, why=what) from error
