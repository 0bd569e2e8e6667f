"""The road of a job through the real HTTP API, a real database and a real decoder."""

from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running


async def test_upload_diarize_retrieve(server: Running, engine: FakeEngine) -> None:
    url = await server.upload(tone(2.0, rate=8000, channels=2))
    job_id = await server.diarize(url=url, exclusive=True, transcription=True)

    job = await server.finished(job_id)

    assert job["status"] == "succeeded"
    assert job["output"] == {
        "diarization": [
            {"speaker": "SPEAKER_00", "start": 0.0, "end": 1.0},
            {"speaker": "SPEAKER_01", "start": 0.9, "end": 2.0},
        ],
        "exclusiveDiarization": [
            {"speaker": "SPEAKER_00", "start": 0.0, "end": 0.9},
            {"speaker": "SPEAKER_01", "start": 0.9, "end": 2.0},
        ],
        "wordLevelTranscription": [
            {"start": 0.1, "end": 0.5, "text": "Hello", "speaker": "SPEAKER_00"},
            {"start": 1.0, "end": 1.5, "text": "world", "speaker": "SPEAKER_01"},
        ],
        "turnLevelTranscription": [
            {"start": 0.1, "end": 0.5, "text": "Hello", "speaker": "SPEAKER_00"},
            {"start": 1.0, "end": 1.5, "text": "world", "speaker": "SPEAKER_01"},
        ],
    }
    ((task, samples),) = engine.heard
    assert samples == 32_000
    assert task.diarization_model == "starter"
    assert job["engine"] == {"diarization": {"id": "fake", "digest": "0" * 64}}


async def test_a_finished_job_leaves_receipts_and_no_copy(server: Running) -> None:
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    await server.finished(job_id)

    answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")

    receipts = answer.json()["receipts"]
    assert [(each["kind"], each["reason"], each["verified"]) for each in receipts] == [
        ("worker_copy", "job_ended", True),
        ("request", "job_ended", True),
    ]


async def test_output_is_gone_at_its_deadline_without_any_sweep(
    server: Running, clock: FakeClock
) -> None:
    job_id = await server.diarize(url=await server.upload(tone(1.0)))
    deadline = (await server.finished(job_id))["expiresAt"]

    clock.advance(24 * 3600 - 1)
    assert "output" in await server.job(job_id)
    clock.advance(1)
    job = await server.job(job_id)

    assert "output" not in job and "expiresAt" not in job
    assert job["outputExpiredAt"] == deadline
