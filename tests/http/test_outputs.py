"""Outputs as files, and edits of them, through the real API and the real store."""

from typing import Any

import httpx
import pysrt
import pytest
import webvtt

from onprem.core.formats.kind import OutputFormat
from onprem.core.job import JobStatus
from onprem.errors import NoSpeech
from onprem.services.invariants import check_invariants
from onprem.services.keys import Scope
from onprem.store import jobs
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Transaction
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.rows import change, receipted, row
from tests.support.server import Running
from tests.support.store import bytes_below, reader_of

DAY = 24 * 3600.0


@pytest.fixture
async def job(server: Running) -> str:
    """One that succeeded, with words."""
    return await done(server, transcription=True, exclusive=True)


async def done(server: Running, **options: object) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0)), **options)
    await server.finished(job_id)
    return job_id


async def output(server: Running, job: str, **query: str) -> httpx.Response:
    return await server.client.get(f"/v1/jobs/{job}/output", params=query)


async def put(server: Running, job: str, body: object) -> httpx.Response:
    return await server.client.put(f"/v1/jobs/{job}/edits", json=body)


def assert_error(answer: httpx.Response, status: int, code: str) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"requestId", "message", "code"}
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("format", "content_type"),
    [
        ("json", "application/json"),
        ("rttm", "text/plain; charset=utf-8"),
        ("srt", "application/x-subrip; charset=utf-8"),
        ("vtt", "text/vtt; charset=utf-8"),
        ("txt", "text/plain; charset=utf-8"),
    ],
)
async def test_each_format_is_a_file(
    server: Running, job: str, format: str, content_type: str
) -> None:
    answer = await output(server, job, format=format)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == content_type
    assert answer.headers["content-disposition"] == f'attachment; filename="{job}.{format}"'
    assert answer.headers["cache-control"] == "no-store"


async def test_json_is_the_default_and_the_output_of_the_job(server: Running, job: str) -> None:
    assert (await output(server, job)).json() == (await server.job(job))["output"]


async def test_subtitles_and_text_of_a_job(server: Running, job: str) -> None:
    subtitles = pysrt.from_string((await output(server, job, format="srt")).text)
    assert [item.text for item in subtitles] == ["SPEAKER_00: Hello", "SPEAKER_01: world"]
    captions = webvtt.from_string((await output(server, job, format="vtt")).text, strict=True)
    assert [(caption.voice, caption.text) for caption in captions] == [
        ("SPEAKER_00", "Hello"),
        ("SPEAKER_01", "world"),
    ]
    text = (await output(server, job, format="txt")).text
    assert text == "[0:00:00] SPEAKER_00: Hello\n[0:00:01] SPEAKER_01: world\n"
    rttm = (await output(server, job, format="rttm")).text
    assert rttm.splitlines()[0] == f"SPEAKER {job} 1 0.000 1.000 <NA> <NA> SPEAKER_00 <NA> <NA>"


@pytest.mark.parametrize(
    ("query", "fields"),
    [
        ({"format": "docx"}, ["format"]),
        ({"format": ""}, ["format"]),
        ({"edits": "no"}, ["edits"]),
        ({"format": "SRT", "edits": "maybe"}, ["format", "edits"]),
    ],
)
async def test_an_unknown_format_is_a_400_that_names_it(
    server: Running, job: str, query: dict[str, str], fields: list[str]
) -> None:
    answer = await output(server, job, **query)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == fields


async def test_without_words_there_are_no_subtitles(server: Running) -> None:
    job = await done(server)
    for format in ("srt", "vtt"):
        answer = await output(server, job, format=format)
        assert_error(answer, 409, "format_not_available")
        assert "`transcription: true`" in answer.json()["message"]
    text = (await output(server, job, format="txt")).text
    assert text == "[0:00:00 - 0:00:01] SPEAKER_00\n[0:00:00 - 0:00:02] SPEAKER_01\n"
    assert (await output(server, job, format="rttm")).status_code == 200


def requests(job: str) -> list[tuple[str, str, Any]]:
    """Everything that can be asked of an output."""
    return [
        ("GET", f"/v1/jobs/{job}/output", None),
        ("GET", f"/v1/jobs/{job}/output?format=srt", None),
        ("GET", f"/v1/jobs/{job}/edits", None),
        ("PUT", f"/v1/jobs/{job}/edits", {}),
        ("DELETE", f"/v1/jobs/{job}/edits", None),
    ]


async def test_before_the_job_ended(server: Running, engine: FakeEngine) -> None:
    engine.gate.clear()
    job = await server.diarize(url=await server.upload(tone(1.0)))
    for method, path, body in requests(job):
        answer = await server.client.request(method, path, json=body)
        assert_error(answer, 409, "output_not_ready")
        assert answer.headers["retry-after"] == "5"
    engine.gate.set()


async def test_after_the_deadline(server: Running, clock: FakeClock, job: str) -> None:
    await put(server, job, {"speakers": {"SPEAKER_00": "Anna"}})
    clock.advance(DAY)
    for method, path, body in requests(job):
        answer = await server.client.request(method, path, json=body)
        assert_error(answer, 410, "output_expired")


async def test_after_the_output_was_deleted_early(server: Running, job: str) -> None:
    change(server, job, "output_id = x'00'")
    for method, path, body in requests(job):
        answer = await server.client.request(method, path, json=body)
        assert_error(answer, 410, "output_expired")


async def test_a_failed_job_says_why_in_json_only(server: Running, engine: FakeEngine) -> None:
    engine.raises = NoSpeech()
    job = await done(server)
    assert (await output(server, job)).json() == {"error": NoSpeech().sentence}
    for method, path, body in requests(job)[1:]:
        answer = await server.client.request(method, path, json=body)
        assert_error(answer, 409, "output_absent")


async def test_a_canceled_job_has_nothing_to_show(server: Running, job: str) -> None:
    change(server, job, f"status = '{JobStatus.CANCELED}', output_id = NULL")
    for method, path, body in requests(job):
        answer = await server.client.request(method, path, json=body)
        assert_error(answer, 409, "output_absent")


async def test_jobs_of_others_and_of_nobody_do_not_exist(server: Running, job: str) -> None:
    await server.create_project("other")
    headers = {"authorization": f"Bearer {await server.key('other')}"}
    for method, path, body in [*requests(job), *requests("no-such-job")]:
        own = {} if "no-such" in path else headers
        answer = await server.client.request(method, path, json=body, headers=own)
        assert_error(answer, 404, "not_found")


async def test_scopes(server: Running, job: str) -> None:
    for scope, allowed in ((Scope.JOBS_READ, {"GET"}), (Scope.JOBS_WRITE, {"PUT", "DELETE"})):
        headers = {"authorization": f"Bearer {await server.key(scopes=[scope])}"}
        for method, path, body in requests(job):
            answer = await server.client.request(method, path, json=body, headers=headers)
            assert answer.is_success == (method in allowed), (scope, method)
            if not answer.is_success:
                assert_error(answer, 403, "scope_missing")


EDITS = {
    "speakers": {"SPEAKER_00": "Änna", "SPEAKER_01": "Ben"},
    "diarization": [{"index": 0, "start": 0.0, "speaker": "SPEAKER_01"}],
    "turnLevelTranscription": [{"index": 1, "start": 1.0, "text": "World!"}],
}


async def test_edits_are_in_every_format_and_the_original_stays(server: Running, job: str) -> None:
    original = (await output(server, job)).json()

    answer = await put(server, job, EDITS)

    assert answer.status_code == 200
    expires = (await server.job(job))["expiresAt"]
    assert answer.json() == {**EDITS, "expiresAt": expires}
    kept = await server.client.get(f"/v1/jobs/{job}/edits")
    assert kept.json() == {**EDITS, "expiresAt": expires}
    edited = (await output(server, job)).json()
    assert [turn["speaker"] for turn in edited["diarization"]] == ["Ben", "Ben"]
    assert [word["text"] for word in edited["wordLevelTranscription"]] == ["Hello", "World!"]
    text = await output(server, job, format="txt")
    assert text.content.decode() == "[0:00:00] Änna: Hello\n[0:00:01] Ben: World!\n"
    assert " Ben " in (await output(server, job, format="rttm")).text
    assert (await output(server, job, edits="false")).json() == original
    assert (await server.job(job))["output"] == original


async def test_an_output_without_edits_has_empty_ones(server: Running, job: str) -> None:
    empty = (await server.client.get(f"/v1/jobs/{job}/edits")).json()
    assert empty == {
        "speakers": {},
        "diarization": [],
        "turnLevelTranscription": [],
        "expiresAt": (await server.job(job))["expiresAt"],
    }


async def test_new_edits_replace_the_old_ones_which_get_a_receipt(
    server: Running, job: str
) -> None:
    await put(server, job, {"speakers": {"SPEAKER_00": "Anna"}})
    (old,) = row(server, job, "lower(hex(edits_id))")

    await put(server, job, {"speakers": {"SPEAKER_01": "Ben"}})

    edited = (await output(server, job)).json()
    assert [turn["speaker"] for turn in edited["diarization"]] == ["SPEAKER_00", "Ben"]
    receipts = (await server.client.get(f"/v1/jobs/{job}/receipts")).json()["receipts"]
    (receipt,) = [each for each in receipts if each["kind"] == "edits"]
    assert (receipt["artefactId"], receipt["reason"], receipt["verified"]) == (
        old,
        "replaced",
        True,
    )
    assert receipt["dueAt"] == (await server.job(job))["expiresAt"]


async def test_dropped_edits_leave_the_original_and_a_receipt(server: Running, job: str) -> None:
    original = (await output(server, job)).json()
    await put(server, job, EDITS)
    for _ in range(2):
        answer = await server.client.delete(f"/v1/jobs/{job}/edits")
        assert (answer.status_code, answer.content) == (204, b"")
    assert (await output(server, job)).json() == original
    receipts = (await server.client.get(f"/v1/jobs/{job}/receipts")).json()["receipts"]
    assert [each["reason"] for each in receipts if each["kind"] == "edits"] == ["requested"]


async def test_a_reader_of_the_log_keeps_old_edits_from_being_called_gone(
    server: Running, job: str
) -> None:
    database = server.server.use.outputs._database
    await database._writer.execute("PRAGMA busy_timeout = 50")
    await put(server, job, EDITS)
    with reader_of(database):
        again = await put(server, job, {"speakers": {"SPEAKER_01": "Ben"}})
        dropped = await server.client.delete(f"/v1/jobs/{job}/edits")
    assert_error(again, 503, "purge_incomplete")
    assert_error(dropped, 503, "purge_incomplete")
    assert (await server.client.delete(f"/v1/jobs/{job}/edits")).status_code == 204


async def test_edits_die_with_the_output(server: Running, clock: FakeClock, job: str) -> None:
    clock.advance(3600)
    await put(server, job, EDITS)
    edits, output_id = row(server, job, "lower(hex(edits_id)), lower(hex(output_id))")
    clock.advance(DAY - 3601)
    await server.server.sweep.run()
    assert not receipted(server, edits)
    clock.advance(1)
    await server.server.sweep.run()
    assert receipted(server, edits) and receipted(server, output_id)


async def test_edits_are_ciphertext_on_the_disk(server: Running, job: str) -> None:
    await put(server, job, {"speakers": {"SPEAKER_00": "Persephone-7431"}})
    assert b"Persephone" not in bytes_below(server.settings.storage.data_dir)


async def test_edits_that_do_not_fit_change_nothing(server: Running, job: str) -> None:
    await put(server, job, EDITS)
    answer = await put(
        server,
        job,
        {
            "speakers": {"SPEAKER_09": "Nobody"},
            "diarization": [{"index": 0, "start": 0.5, "speaker": "SPEAKER_01"}],
        },
    )
    assert answer.status_code == 400
    body = answer.json()
    assert body["message"] == "Invalid request"
    assert body["errors"] == [
        {"field": "speakers.SPEAKER_09", "message": "The output has no such speaker"},
        {"field": "diarization[0].start", "message": "The turn at this index starts at 0.0"},
    ]
    kept = (await server.client.get(f"/v1/jobs/{job}/edits")).json()
    assert kept["speakers"] == EDITS["speakers"]


async def test_unknown_fields_are_named_and_huge_bodies_refused(server: Running, job: str) -> None:
    answer = await put(server, job, {"speaker": {}, "diarization": []})
    assert answer.json()["warning"] == "Ignored fields: speaker."
    answer = await put(server, job, {"speakers": {"SPEAKER_00": "x" * (3 << 20)}})
    assert_error(answer, 413, "body_too_large")


async def test_an_output_that_is_deleted_while_it_is_corrected(
    server: Running, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked at again in the transaction: edits never outlive what they correct."""
    get = jobs.get

    async def gone(database: Any, job_id: str, project_id: str) -> Any:
        found = await get(database, job_id, project_id)
        if not isinstance(database, Transaction):
            change(server, job, "output_id = x'00'")
        return found

    monkeypatch.setattr(jobs, "get", gone)
    assert_error(await put(server, job, EDITS), 410, "output_expired")
    assert row(server, job, "edits_id") == (None,)


async def test_the_promises_hold_with_edits(server: Running, clock: FakeClock, job: str) -> None:
    await put(server, job, EDITS)
    await put(server, job, EDITS)
    directory = DataDirectory(server.settings.storage.data_dir, server.settings.keys_dir)
    faults = await check_invariants(directory, clock.now())
    assert not [fault for fault in faults if "edits" in fault or fault.startswith("I4")]
    change(server, job, "edits_id = NULL")
    faults = await check_invariants(directory, clock.now())
    assert [fault for fault in faults if "were replaced, and have no receipt" in fault]


def test_every_format_has_a_test_here() -> None:
    assert {format.value for format in OutputFormat} == {"json", "rttm", "srt", "vtt", "txt"}
