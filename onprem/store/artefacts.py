"""Artefacts: keeping content as ciphertext under a key of its own, and deleting both for good.

To keep: mark a slot in the transaction, write the key to it, write the ciphertext, commit.
To delete, inside one `BEGIN IMMEDIATE`: overwrite the key and read back, unlink the blob, delete
the row, append the receipt, commit; then empty SQLite's log. Each step can be repeated after a
crash, and overwriting comes first, so that a full disk does not stop it.
"""

from collections.abc import Iterator
from functools import partial

import msgspec

from onprem.clock import Clock
from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason, Receipt
from onprem.errors import DeletionUnverified, PurgeIncomplete
from onprem.ids import new_record_id
from onprem.stamp import Stamp
from onprem.store import free_slots, ledger
from onprem.store.blobs import BlobFolder, BlobWriter
from onprem.store.database import Database, Row, Transaction
from onprem.store.delete_each import delete_each
from onprem.store.seal import new_key, open_segments, seal, unseal
from onprem.store.slots import SlotFile
from onprem.store.verification import VerificationFailures
from onprem.threads import in_thread

INLINE_BYTES = 64 * 1024
"""Larger ciphertext goes to a blob file: it would pass through SQLite's log twice."""

COLUMNS = "id, kind, project_id, job_id, slot, size, created_at, due_at"


class Artefact(msgspec.Struct, frozen=True):
    """A live artefact, without its content. `size` in bytes, times in seconds since the epoch."""

    id: bytes
    kind: ArtefactKind
    project_id: str
    job_id: str | None
    slot: int | None
    size: int
    created_at: float
    due_at: float


class SealedBlob(msgspec.Struct, frozen=True):
    """A finished blob file that waits for its row: what `ArtefactStore.adopt` takes."""

    record: bytes
    key: bytes
    size: int


class AtRest(msgspec.Struct, frozen=True):
    """What lies on the disk of an artefact, besides its row. `wrapped` is `key` in its slot."""

    ciphertext: bytes
    key: bytes
    wrapped: bytes


class ArtefactStore:
    """Content at rest. Reads and writes go through the keys in the slot file."""

    def __init__(
        self,
        database: Database,
        slots: SlotFile,
        blobs: BlobFolder,
        *,
        region: str,
        clock: Clock,
    ) -> None:
        """`clock` stamps the receipts."""
        self._database = database
        self._slots = slots
        self._blobs = blobs
        self._region = region
        self._clock = clock
        self.verification = VerificationFailures()

    async def keep(
        self,
        tx: Transaction,
        kind: ArtefactKind,
        plaintext: bytes,
        *,
        project_id: str,
        job_id: str | None,
        now: float,
        due_at: float,
    ) -> bytes:
        """Encrypt and store; returns the record id. Raises StorageFull."""
        record, key = new_record_id(), new_key()
        sealed: bytes | None = seal(key, label(kind, record), plaintext)
        if sealed is not None and len(sealed) > INLINE_BYTES:
            tx.on_rollback(partial(self._blobs.remove, record))
            await in_thread(self._blobs.add, record, sealed)
            sealed = None
        slot = await free_slots.take(tx, self._slots, record, key)
        await tx.execute(
            f"INSERT INTO artefact ({COLUMNS}, sealed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (record, kind, project_id, job_id, slot, len(plaintext), now, due_at, sealed),
        )
        return record

    async def adopt(
        self,
        tx: Transaction,
        blob: SealedBlob,
        kind: ArtefactKind,
        *,
        project_id: str,
        now: float,
        due_at: float,
    ) -> None:
        """Give a finished blob its key slot and its row; a rollback unlinks it.

        Raises StorageFull.
        """
        tx.on_rollback(partial(self._blobs.remove, blob.record))
        slot = await free_slots.take(tx, self._slots, blob.record, blob.key)
        await tx.execute(
            f"INSERT INTO artefact ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (blob.record, kind, project_id, None, slot, blob.size, now, due_at),
        )

    async def note_worker_copy(
        self, tx: Transaction, *, project_id: str, job_id: str, now: float
    ) -> bytes:
        """A copy that lives in memory only: it has a row, so that it must end with a receipt.

        It is due when the job's run ends; no sweep takes it, for only that run can free it.
        """
        record = new_record_id()
        await tx.execute(
            f"INSERT INTO artefact ({COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            (record, ArtefactKind.WORKER_COPY, project_id, job_id, None, 0, now, now),
        )
        return record

    def new_blob(self, record: bytes) -> BlobWriter:
        return self._blobs.create(record)

    async def read(self, record: bytes, *, now: float) -> bytes | None:
        """The plaintext; None after its deadline, even if nobody has swept yet."""
        segments = await self.open(record, now=now)
        if segments is None:
            return None
        try:
            return await in_thread(b"".join, segments)
        except FileNotFoundError:  # deleted since it was opened
            return None

    async def open(self, record: bytes, *, now: float, first: int = 0) -> Iterator[bytes] | None:
        """The plaintext in segments of a MiB, from segment `first` on; None as `read`.

        Iterating blocks.

        Raises:
            DataDirectoryDamaged: on a ciphertext or key that does not open.
            FileNotFoundError: while iterating, when it was deleted in this very moment.
        """
        row = await self._database.fetchone(
            "SELECT kind, slot, sealed FROM artefact WHERE id = ? AND due_at > ?", (record, now)
        )
        if row is None:
            return None
        kind, slot, sealed = row
        key = await in_thread(self._slots.read, slot, record)
        if key is None:
            return None
        name = label(kind, record)
        if sealed is not None:
            return iter([unseal(key, name, sealed)])
        return open_segments(key, name, self._blobs.segments(record, first), first)

    async def at_rest(self, record: bytes) -> AtRest | None:
        """For who looks for it once it is deleted: of a blob, its first MiB. None: it is gone."""
        row = await self._database.fetchone(
            "SELECT slot, sealed FROM artefact WHERE id = ?", (record,)
        )
        if row is None:
            return None
        slot, sealed = row
        key = await in_thread(self._slots.read, slot, record)
        if key is None:
            return None
        ciphertext = sealed or await in_thread(next, self._blobs.segments(record))
        return AtRest(ciphertext, key, await in_thread(self._slots.wrapped, slot))

    async def size(self, record: bytes) -> int | None:
        """Bytes of its plaintext; None: it is gone."""
        row = await self._database.fetchone("SELECT size FROM artefact WHERE id = ?", (record,))
        return row[0] if row else None

    async def deadline(
        self, source: Database | Transaction, record: bytes, *, now: float
    ) -> float | None:
        """When it is due; None: it is gone, or past its deadline."""
        row = await source.fetchone(
            "SELECT due_at FROM artefact WHERE id = ? AND due_at > ?", (record, now)
        )
        return row[0] if row else None

    async def bring_forward(self, tx: Transaction, record: bytes, *, due_at: float) -> None:
        """Let it go at `due_at`, if that is sooner than it was due."""
        await tx.execute(
            "UPDATE artefact SET due_at = min(due_at, ?) WHERE id = ?", (due_at, record)
        )

    async def due(self, now: float) -> list[Artefact]:
        """What the sweep must delete, oldest deadline first."""
        rows = await self._database.fetchall(
            f"SELECT {COLUMNS} FROM artefact"
            " WHERE due_at <= ? AND kind != 'worker_copy' ORDER BY due_at",
            (now,),
        )
        return [artefact_of(row) for row in rows]

    async def worker_copies(self, job_id: str | None = None) -> list[bytes]:
        """Copies that a job, or any job, held when its row was last written."""
        of, values = ("", []) if job_id is None else (" AND job_id = ?", [job_id])
        rows = await self._database.fetchall(
            f"SELECT id FROM artefact WHERE kind = 'worker_copy'{of}", values
        )
        return [row[0] for row in rows]

    async def delete(
        self, records: list[bytes], reason: DeletionReason, *, now: float
    ) -> list[Receipt]:
        """Delete for good; a record that is gone already is skipped. Returns the receipts.

        Raises:
            OSError, StorageFull, DataDirectoryDamaged, DeletionUnverified: one or more records
                resisted; all others are deleted. Without room for receipts, the keys of all are
                overwritten nevertheless, and deleting again completes it.
            PurgeIncomplete: all are deleted, and SQLite's log still has bytes of them.
        """

        async def delete(tx: Transaction, record: bytes) -> Receipt | None:
            return await self.delete_within(tx, record, reason, now=now)

        return await delete_each(self._database, records, delete, self.empty_log)

    async def delete_within(
        self, tx: Transaction, record: bytes, reason: DeletionReason, *, now: float
    ) -> Receipt | None:
        """`delete` inside the caller's transaction; None: no such artefact.

        The transaction holds SQLite's write lock over all processes, so the slot cannot have
        been given to another record between looking and overwriting.

        Raises DeletionUnverified: reading back found it again, and it counts as live.
        """
        row = await tx.fetchone(f"SELECT {COLUMNS} FROM artefact WHERE id = ?", (record,))
        if row is None:
            return None
        artefact = artefact_of(row)
        if not await in_thread(self._erase, artefact):
            self.verification.record_resisted(record)
            raise DeletionUnverified(record=record.hex())
        await tx.execute("DELETE FROM artefact WHERE id = ?", (record,))
        if artefact.slot is not None:
            await free_slots.give_back(tx, artefact.slot)
        stamp = self._clock.stamp()
        receipt = receipt_of(artefact, reason, region=self._region, now=now, stamp=stamp)
        await ledger.append_receipt(tx, stamp, receipt)
        return receipt

    async def empty_log(self) -> None:
        """Empty SQLite's log; only then is what was deleted gone for good.

        Raises PurgeIncomplete: a reader holds it. That is counted, and each sweep tries again.
        """
        if not await self._database.truncate_log():
            self.verification.log_resisted()
            raise PurgeIncomplete()
        self.verification.log_emptied()

    async def traces(self, records: set[bytes]) -> set[bytes]:
        """Those of which a key or a file is on the disk, whatever the database says."""
        occupied = set((await in_thread(self._slots.occupants)).values())
        return records & (occupied | await in_thread(self._blobs.records))

    def _erase(self, artefact: Artefact) -> bool:
        if artefact.slot is None:
            return True
        erased = self._slots.erase(artefact.slot, artefact.id)
        return self._blobs.remove(artefact.id) and erased


def receipt_of(
    artefact: Artefact,
    reason: DeletionReason,
    *,
    region: str,
    now: float,
    stamp: Stamp,
    method: DeletionMethod = DeletionMethod.KEY_OVERWRITTEN,
) -> Receipt:
    """`method`: of what is stored; a worker copy's is always that its memory was freed."""
    in_memory = artefact.kind is ArtefactKind.WORKER_COPY
    return Receipt(
        artefact_id=artefact.id.hex(),
        kind=artefact.kind,
        created_at=artefact.created_at,
        due_at=artefact.due_at,
        deleted_at=now,
        reason=reason,
        method=DeletionMethod.MEMORY_FREED if in_memory else method,
        verified=True,
        region=region,
        project_id=artefact.project_id,
        wall_clock=stamp.wall,
        boot_id=stamp.boot_id,
        synchronised=stamp.synchronised,
        job_id=artefact.job_id,
    )


def label(kind: str, record: bytes) -> bytes:
    """What a ciphertext is sealed as: it opens as nothing else."""
    return kind.encode() + b"|" + record


def artefact_of(row: Row) -> Artefact:
    return msgspec.convert(dict(zip(Artefact.__struct_fields__, row, strict=True)), Artefact)
