"""Making a backup: rows are copied, packed with the configuration, and sealed."""

from pathlib import Path

import msgspec

from onprem import __version__
from onprem.clock import RetentionClock
from onprem.config.settings import Settings
from onprem.core.act import Act, ActKind
from onprem.core.backup import CONFIGURATION, STORE, Manifest, Part, sealed
from onprem.errors import BackupUnwritten
from onprem.services.signing import installation_signer
from onprem.services.voiceprints import installation_key
from onprem.stamp import Stamp
from onprem.store import backup, backup_file, ledger
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore
from onprem.threads import in_thread

SEAL = "backups"
"""What the key is derived from the master key for, by which a backup is sealed."""


class Created(msgspec.Struct, frozen=True):
    """A backup that was written; `sha256` is that of the file."""

    file: str
    bytes: int
    sha256: str
    manifest: Manifest


class BackupMaker:
    """`master` is the key of this installation: whoever called has looked."""

    def __init__(
        self, database: Database, clock: RetentionClock, master: MasterKey, settings: Settings
    ) -> None:
        self._database = database
        self._clock = clock
        self._master = master
        self._settings = settings

    async def create(self, to: Path, *, actor: str) -> Created:
        """Write a backup to the file `to`.

        Its entry in the ledger comes before its name: there may be an entry of a backup that was
        then not written, but never a backup without an entry.

        Raises:
            BackupUnwritten: there is none of that name, whole or in part.
            StorageFull, StoreBusy: the same; it could not be read, or not be noted.
        """
        self._check_place(to)
        # Whatever they sign must be verifiable after a restore, so they are made by now.
        secrets = SecretStore(self._database, self._master.derive("secrets"))
        signer = await installation_signer(self._database, secrets, self._clock)
        await installation_key(self._database, secrets, self._clock)
        with backup_file.workshop(to) as folder:
            try:
                files = await in_thread(self._copied, folder)
                # After the copy: nothing in it is younger.
                stamp, mark = self._clock.stamp(), self._clock.mark()
                await in_thread(backup.set_mark, folder / STORE, mark)
                manifest = await in_thread(self._manifest, files, signer.installation, stamp)
                seal = sealed(manifest, self._master.derive(SEAL))
                partial = folder / to.name
                whole = await in_thread(backup_file.write, partial, seal, files, int(manifest.wall))
                await self._note(manifest, whole, actor)
                await in_thread(backup_file.publish, partial, to)
            except OSError as error:
                raise BackupUnwritten(path=to, why=error.strerror) from error
        return Created(str(to), whole.bytes, whole.sha256, manifest)

    def _check_place(self, to: Path) -> None:
        """Among the data, it would be deleted with it, and taken for a file that nobody knows."""
        storage = self._settings.storage
        for folder in (storage.data_dir, self._settings.keys_dir):
            if to.absolute().parent.resolve().is_relative_to(folder.resolve()):
                raise BackupUnwritten(path=to, why=f"it would lie in {folder}, among the data")

    def _copied(self, folder: Path) -> list[Path]:
        """The files of the parts, in their order."""
        files = []
        if self._settings.source is not None:
            configuration = folder / CONFIGURATION
            configuration.write_bytes(self._settings.source.read_bytes())
            files.append(configuration)
        store = folder / STORE
        backup.copy_rows(self._database.path, store)
        return [*files, store]

    def _manifest(self, files: list[Path], installation: str, stamp: Stamp) -> Manifest:
        held = backup.contents(files[-1])
        return Manifest(
            onprem=__version__,
            installation=installation,
            region=self._settings.node.region,
            schema=held.schema,
            created_at=stamp.at,
            wall=stamp.wall,
            ledger=held.ledger,
            access_log=held.access_log,
            counts=held.counts,
            parts=[backup_file.part_of(path, path.name) for path in files],
        )

    async def _note(self, manifest: Manifest, whole: Part, actor: str) -> None:
        details = {
            "sha256": whole.sha256,
            "bytes": whole.bytes,
            "ledger": manifest.ledger.size,
            "accessLog": manifest.access_log.size,
        }
        async with self._database.write() as tx:
            act = Act(ActKind.BACKUP_CREATED, actor, details=details)
            await ledger.append_act(tx, self._clock.stamp(), act)
