"""The checker finds nothing in a sound data directory, and each way in which one can be broken."""

from collections.abc import Iterable
from typing import Any

import pytest

from onprem.core.job import JobStatus
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.services.invariants import Violation, check_invariants, violations
from onprem.store import jobs, ledger, queue
from onprem.store.chain import ACCESS_LOG
from onprem.store.database import Database, Row
from onprem.store.queue import Places
from onprem.store.slots import SLOT_BYTES, STEP
from tests.support.store import LATER, NOW, OpenStore, size_of

LARGE = b"0123456789" * 10_000
ROOM = Places(short=600, for_long=True, for_others=True)
SILENT = "DROP TRIGGER ledger_keeps_its_entries"


async def found(store: OpenStore, now: float = NOW, allowed_attempts: int = 3) -> list[str]:
    return await check_invariants(store.directory, now, allowed_attempts=allowed_attempts)


async def broken_by(store: OpenStore, *statements: str) -> list[str]:
    async with store.database.write() as tx:
        for statement in statements:
            await tx.execute(statement)
    return await found(store)


@pytest.fixture
async def lived_in(store: OpenStore) -> OpenStore:
    """A store with one job that waits, one that succeeded, and a few deletions."""
    media = await store.keep(LARGE, ArtefactKind.MEDIA)
    for job_id in ("succeeded", "waiting"):
        await store.submit(job_id, media)
    async with store.database.write() as tx:
        job = await queue.claim_next(tx, regions=["here"], places=ROOM, now=NOW)
        assert job is not None and job.id == "succeeded"
        await jobs.count_attempt(tx, job.id, 1.0)
        copy = await store.artefacts.note_worker_copy(
            tx, project_id=store.project_id, job_id=job.id, now=NOW
        )
    output = await store.keep(b"output", ArtefactKind.OUTPUT, job.id)
    async with store.database.write() as tx:
        await jobs.finish(
            tx, job, JobStatus.SUCCEEDED, now=NOW, output_id=output, output_due_at=LATER
        )
        await store.artefacts.delete_within(tx, copy, DeletionReason.JOB_ENDED, now=NOW)
    assert job.request_id is not None
    await store.artefacts.delete([job.request_id], DeletionReason.JOB_ENDED, now=NOW)
    return store


async def test_a_sound_directory_has_no_faults(lived_in: OpenStore) -> None:
    assert await found(lived_in) == []


async def test_an_empty_directory_has_no_faults(store: OpenStore) -> None:
    assert await found(store) == []


async def test_models_in_the_data_directory_are_no_unknown_files(lived_in: OpenStore) -> None:
    folder = lived_in.directory.root / "models" / "starter"
    folder.mkdir(parents=True)
    (folder / "weights.bin").write_bytes(b"weights")
    assert await found(lived_in) == []


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("UPDATE job SET status = 'running' WHERE id = 'waiting'", "I1: job waiting is running"),
        ("UPDATE job SET finished_at = NULL WHERE id = 'succeeded'", "end time contradicts"),
        ("UPDATE job SET finished_at = 1 WHERE id = 'waiting'", "end time contradicts"),
        ("UPDATE job SET output_id = NULL", "I1: job succeeded is succeeded, which its output"),
        ("UPDATE job SET status = 'canceled' WHERE id = 'succeeded'", "which its output"),
        ("UPDATE job SET error_code = 'x'", "which its error code contradicts"),
        ("UPDATE job SET attempts = 4, claims = 9", "I1: job waiting had 4 attempts in 9 runs"),
        ("UPDATE job SET attempts = -1", "I1: job waiting had -1 attempts"),
        ("UPDATE job SET attempts = 1 WHERE id = 'waiting'", "1 attempts in 0 runs"),
        ("DELETE FROM artefact WHERE kind = 'request'", "of job waiting is gone without a receipt"),
        (
            "DELETE FROM artefact WHERE kind = 'output'",
            "of job succeeded is gone without a receipt",
        ),
        ("UPDATE artefact SET slot = 99 WHERE kind = 'output'", "key slot 99 does not carry"),
        ("INSERT INTO free_slot VALUES (0)", "I7: key slot 0 is in use and free"),
        (f"INSERT INTO free_slot VALUES ({STEP})", "beyond the end of the key file"),
        ("UPDATE artefact SET size = size + 1 WHERE kind = 'output'", "I2: the ciphertext of"),
        ("UPDATE artefact SET size = size + 1 WHERE kind = 'media'", "I2: the blob"),
        ("UPDATE job SET region = 'elsewhere'", "I10: job succeeded was meant for elsewhere"),
        ("UPDATE artefact SET job_id = 'succeeded' WHERE kind = 'request'", "outlives it"),
        (
            "INSERT INTO artefact SELECT x'00', 'worker_copy', project_id, 'succeeded', NULL, 0,"
            " NULL, 1, 1 FROM artefact WHERE kind = 'media'",
            "I4: job succeeded is not running, and its worker copy has no receipt",
        ),
    ],
)
async def test_a_fault_in_the_rows_is_found(
    lived_in: OpenStore, statement: str, sentence: str
) -> None:
    faults = await broken_by(lived_in, statement)
    assert any(sentence in fault for fault in faults), faults


async def test_what_outlived_its_deadline_is_found_after_the_grace(lived_in: OpenStore) -> None:
    assert await found(lived_in, LATER + 60) == []
    faults = await found(lived_in, LATER + 61)
    assert len([fault for fault in faults if "is 61 s past its deadline" in fault]) == 3


async def test_what_died_too_early_is_found(lived_in: OpenStore) -> None:
    record = await lived_in.keep(b"more")
    await lived_in.artefacts.delete([record], DeletionReason.DEADLINE, now=LATER - 1)
    assert await found(lived_in) == [
        f"I3: the output {record.hex()} was deleted before its deadline"
    ]


async def test_a_record_with_a_receipt_that_lives_is_found(lived_in: OpenStore) -> None:
    faults = await broken_by(
        lived_in,
        "UPDATE artefact SET id = (SELECT request_id FROM job WHERE id = 'succeeded')"
        " WHERE kind = 'output'",
    )
    assert any("is live and has a receipt" in fault for fault in faults), faults


async def test_a_second_receipt_is_found(lived_in: OpenStore) -> None:
    (receipt, *_) = await ledger.receipts_of_job(lived_in.database, "succeeded")
    async with lived_in.database.write() as tx:
        await ledger.append_receipt(tx, lived_in.clock.stamp(), receipt)
    assert await found(lived_in) == [f"I4: artefact {receipt.artefact_id} has 2 receipts"]


async def test_a_broken_ledger_is_found(lived_in: OpenStore) -> None:
    faults = await broken_by(lived_in, SILENT, "DELETE FROM ledger WHERE seq = 1")
    assert "I4: the ledger is broken at entry 1" in faults


async def test_a_missing_blob_is_found(lived_in: OpenStore) -> None:
    (record,) = lived_in.blobs.records()
    lived_in.blobs.remove(record)
    assert await found(lived_in) == [f"I7: the blob {record.hex()} is missing"]


async def test_an_unknown_file_is_found_wherever_it_lies(lived_in: OpenStore) -> None:
    places = [lived_in.directory.root, lived_in.directory.blobs, lived_in.directory.slots.parent]
    for number, folder in enumerate(places):
        (folder / f"left-over-{number}").write_bytes(b"audio")
    assert sorted(await found(lived_in)) == [
        f"I2: left-over-{number} is no file of ours" for number in range(3)
    ]


async def test_a_key_without_a_record_is_found(lived_in: OpenStore) -> None:
    lived_in.slots.write(77, b"s" * 16, bytes(32))
    assert await found(lived_in) == ["I7: key slot 77 does not carry what its row says"]


async def test_a_damaged_database_is_found(lived_in: OpenStore) -> None:
    await lived_in.database.truncate_log()
    path = lived_in.directory.database
    row = await lived_in.database.fetchone(
        "SELECT rootpage FROM sqlite_master WHERE name = 'artefact_due'"
    )
    assert row is not None
    with path.open("r+b") as file:
        file.seek((row[0] - 1) * 4096 + 4096 - 16)
        file.write(b"\xff" * 16)
    assert size_of(path) > 4096
    assert any(fault.startswith("I7: ") for fault in await found(lived_in))
    assert any(each.number == "I7" for each in await while_serving(lived_in))


async def test_no_read_beside_a_server_lasts_as_long_as_the_whole_file(
    lived_in: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    fetchall = Database.fetchall

    async def noted(self: Database, sql: str, parameters: Iterable[Any] = ()) -> list[Row]:
        asked.append(sql)
        return await fetchall(self, sql, parameters)

    monkeypatch.setattr(Database, "fetchall", noted)
    await while_serving(lived_in)
    checks = [sql for sql in asked if "integrity_check" in sql]
    assert "PRAGMA integrity_check('artefact')" in checks
    assert "PRAGMA integrity_check" not in checks


async def while_serving(store: OpenStore, now: float = NOW) -> list[Violation]:
    return await violations(store.database, store.directory, now, serving=True)


async def change(store: OpenStore, *statements: str) -> None:
    async with store.database.write() as tx:
        for statement in statements:
            await tx.execute(statement)


WAITS = (
    "INSERT INTO delivery (id, job_id, kind, state, next_at) VALUES ('d', {}, 'webhook', {}, {})"
)
DONE = (
    "INSERT INTO delivery (id, job_id, kind, state, ended_at, sha256)"
    " VALUES ('d', 'succeeded', 'webhook', 'delivered', 1800000000, 'ab')"
)


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (WAITS.format("'waiting'", "'waiting'", "NULL"), None),
        (WAITS.format("'succeeded'", "'waiting'", "1"), None),
        (DONE, None),
        (WAITS.format("'succeeded'", "'waiting'", "NULL"), "waits, and its job has ended"),
        (WAITS.format("'waiting'", "'waiting'", "1"), "did not wait for the end of its job"),
        (WAITS.format("'succeeded'", "'failed'", "NULL"), "which its end time contradicts"),
        (
            "INSERT INTO delivery (id, job_id, kind, state, next_at, ended_at)"
            " VALUES ('d', 'succeeded', 'webhook', 'failed', 1, 1)",
            "is failed, and is to be tried again",
        ),
    ],
)
async def test_a_delivery_agrees_with_its_job(
    lived_in: OpenStore, statement: str, sentence: str | None
) -> None:
    faults = [fault for fault in await broken_by(lived_in, statement) if fault.startswith("I8")]
    assert bool(faults) is (sentence is not None)
    assert all(sentence in fault for fault in faults if sentence)


async def test_a_delivery_of_a_deleted_job_is_found(lived_in: OpenStore) -> None:
    waits = WAITS.format("'succeeded'", "'waiting'", "1")
    faults = await broken_by(
        lived_in, waits, "UPDATE job SET deleted_at = 1 WHERE id = 'succeeded'"
    )
    assert faults == ["I8: delivery d of job succeeded waits, and its job was deleted"]


async def test_a_delivery_that_cannot_end_is_found_while_a_server_runs(
    lived_in: OpenStore,
) -> None:
    await change(lived_in, WAITS.format("'succeeded'", "'waiting'", str(NOW)))
    stuck = "I8: delivery d of job succeeded waits, and its destination is gone"
    assert stuck not in map(str, await while_serving(lived_in, NOW + 600))
    assert stuck in map(str, await while_serving(lived_in, NOW + 601))
    assert stuck not in await found(lived_in, NOW + 601)


async def test_a_digest_goes_with_its_output(lived_in: OpenStore) -> None:
    await change(lived_in, DONE)
    row = await lived_in.database.fetchone("SELECT output_id FROM job WHERE id = 'succeeded'")
    assert row is not None
    await lived_in.artefacts.delete([row[0]], DeletionReason.REQUESTED, now=NOW)
    assert await found(lived_in, NOW + 60) == []
    assert await found(lived_in, NOW + 61) == [
        "I3: a delivery of job succeeded keeps the digest of an output that is gone"
    ]


async def test_a_destination_goes_when_deliveries_have_ended(lived_in: OpenStore) -> None:
    record = await lived_in.keep(b"https://", ArtefactKind.DESTINATION, "succeeded")
    async with lived_in.database.write() as tx:
        await tx.execute("UPDATE job SET destination_id = ? WHERE id = 'succeeded'", (record,))
        await tx.execute(WAITS.format("'succeeded'", "'waiting'", "1"))
    assert await found(lived_in, NOW + 61) == []
    await change(lived_in, "UPDATE delivery SET state = 'failed', next_at = NULL, ended_at = 5")
    assert await found(lived_in, NOW + 60) == []
    assert await found(lived_in, NOW + 61) == [
        "I3: the destination of job succeeded outlives its deliveries"
    ]


async def test_edits_go_with_their_output(lived_in: OpenStore) -> None:
    record = await lived_in.keep(b"{}", ArtefactKind.EDITS, "succeeded")
    async with lived_in.database.write() as tx:
        await jobs.set_edits(tx, "succeeded", record)
    row = await lived_in.database.fetchone("SELECT output_id FROM job WHERE id = 'succeeded'")
    assert row is not None
    await lived_in.artefacts.delete([row[0]], DeletionReason.REQUESTED, now=NOW)
    assert await found(lived_in, NOW + 60) == []
    assert await found(lived_in, NOW + 61) == ["I3: the edits of job succeeded outlive its output"]


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        (
            "UPDATE artefact SET due_at = created_at + 172801 WHERE kind = 'media'",
            "is to live longer than 48 h",
        ),
        (
            "UPDATE artefact SET due_at = created_at + 86401 WHERE kind = 'output'",
            "is to live longer than 24 h",
        ),
        (
            "UPDATE job SET output_due_at = output_due_at - 1 WHERE id = 'succeeded'",
            "the output of job succeeded outlives what the job shows",
        ),
        (
            f"INSERT INTO idempotency SELECT id, x'00', x'00', 'lost', {NOW + 3600} FROM project",
            "I1: job lost was accepted, and is gone",
        ),
        (
            f"INSERT INTO idempotency SELECT id, x'00', x'00', 'waiting', {NOW - 61} FROM project",
            "I3: the idempotency key of job waiting is 61 s past its deadline",
        ),
    ],
)
async def test_promises_that_rows_break(lived_in: OpenStore, statement: str, sentence: str) -> None:
    faults = await broken_by(lived_in, statement)
    assert [fault for fault in faults if sentence in fault], faults


async def test_a_key_slot_that_was_cut_short_or_kept_a_rest(lived_in: OpenStore) -> None:
    row = await lived_in.database.fetchone("SELECT slot FROM artefact WHERE kind = 'output'")
    assert row is not None
    with lived_in.directory.slots.open("r+b") as file:
        file.seek(row[0] * SLOT_BYTES + 20)
        file.write(b"\x00\x00")
        file.seek(900 * SLOT_BYTES + 16)
        file.write(b"rest")
    assert await found(lived_in) == [
        f"I7: key slot {row[0]} has a bad checksum",
        "I7: key slot 900 carries no record, and bytes of a key",
    ]


async def test_the_key_of_a_deleted_record_is_no_left_over(lived_in: OpenStore) -> None:
    job = await lived_in.database.fetchone("SELECT request_id FROM job WHERE id = 'succeeded'")
    assert job is not None
    lived_in.slots.write(500, job[0], bytes(32))
    lived_in.slots.write(501, b"n" * 16, bytes(32))
    faults = await violations(lived_in.database, lived_in.directory, NOW, serving=False)
    assert [(fault.sentence, fault.left_over) for fault in faults] == [
        ("key slot 500 still carries the key of a record that was deleted", False),
        ("key slot 501 does not carry what its row says", True),
    ]


async def test_a_broken_access_log_is_found(lived_in: OpenStore) -> None:
    stamp = lived_in.clock.stamp()
    async with lived_in.database.write() as tx:
        await ACCESS_LOG.append(tx, stamp, "read", {"who": "key:1"})
    assert await found(lived_in) == []
    faults = await broken_by(
        lived_in,
        "DROP TRIGGER access_log_entries_never_change",
        "UPDATE access_log SET body = '{}'",
    )
    assert faults == ["I4: the access log is broken at entry 1"]


async def test_what_a_server_has_in_work_is_no_violation(lived_in: OpenStore) -> None:
    """An upload, a run, a run that stops, and a request that is deleted in this moment."""
    async with lived_in.database.write() as tx:
        job = await queue.claim_next(tx, regions=["here"], places=ROOM, now=NOW)
        assert job is not None
        for job_id in (job.id, "succeeded"):
            await lived_in.artefacts.note_worker_copy(
                tx, project_id=lived_in.project_id, job_id=job_id, now=NOW
            )
    await lived_in.keep(b"request", ArtefactKind.REQUEST, "succeeded")
    with lived_in.artefacts.new_blob(bytes(16)) as upload:
        upload.write(b"ciphertext")
        assert await while_serving(lived_in, NOW + 60) == []
        assert sorted(map(str, await while_serving(lived_in, NOW + 901))) == [
            "I3: the request of job succeeded outlives it",
            "I4: job succeeded is not running, and its worker copy has no receipt",
        ]
        upload.keep()
    assert ["I2"] == [fault.number for fault in await while_serving(lived_in)]
    left = await violations(lived_in.database, lived_in.directory, NOW, serving=False)
    assert [fault.number for fault in left if fault.left_over] == ["I1", "I3", "I4", "I4", "I2"]
    assert all(fault.left_over for fault in left)


async def test_a_run_without_a_record_of_its_copy_is_found(lived_in: OpenStore) -> None:
    await change(lived_in, "UPDATE job SET status = 'running', claims = 1 WHERE id = 'waiting'")
    (fault,) = await while_serving(lived_in)
    assert str(fault) == "I4: job waiting is running without a record of its worker copy"
