"""kill -9 in the middle of real jobs."""

import asyncio
import random
import secrets
import time
from importlib import util
from pathlib import Path

import pytest

from onprem.services.invariants import check_invariants
from onprem.store.data_directory import DataDirectory
from tests.support.process import ServerProcess

pytestmark = pytest.mark.models

TINY = {"ONPREM_MODELS__TRANSCRIPTION": "whisper-tiny.en"}
KILLS = 5


@pytest.fixture(scope="module")
def audio() -> bytes:
    """Two people, for half a minute."""
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    return (Path(package.origin).parent / "sample" / "sample.wav").read_bytes()


def assert_forgotten(folder: Path, audio: bytes) -> None:
    """Neither the sound nor a word of it is in any file: not in the store, not in TMPDIR."""
    markers = [audio[100_000:100_064], b"New Jersey", b"Chicago"]
    for path in folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(marker in content for marker in markers), path
    assert [path for path in (folder / "tmp").rglob("*") if path.is_file()] == []


def test_a_killed_job_succeeds_after_the_restart(
    tmp_path: Path, models_folder: Path, audio: bytes
) -> None:
    with ServerProcess(tmp_path, models_folder, **TINY) as server:
        server.start()
        job_id = server.submit(audio, transcription=True)
        server.wait(job_id, stage="embedding")
        server.kill()

        server.start()
        job = server.wait(job_id)

        assert job["status"] == "succeeded", job
        with server.client() as client:
            receipts = client.get(f"/v1/jobs/{job_id}/receipts").json()["receipts"]
        assert server.stop() == 0
    assert [(each["kind"], each["reason"]) for each in receipts] == [
        ("worker_copy", "crash"),
        ("worker_copy", "job_ended"),
        ("request", "job_ended"),
    ]
    assert_forgotten(tmp_path, audio)


@pytest.mark.ci
def test_jobs_outlive_kills_at_random_points(
    tmp_path: Path, models_folder: Path, audio: bytes
) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    luck = random.Random(seed)
    jobs = []
    often = {"ONPREM_RUNNER__ATTEMPTS": str(KILLS + 1)}
    with ServerProcess(tmp_path, models_folder, **TINY, **often) as server:
        for kill in range(KILLS):
            server.start()
            if kill % 2 == 0:
                jobs.append(server.submit(audio, transcription=True))
            else:
                server.wait(jobs[-1], stage=luck.choice(["segmentation", "embedding"]))
            time.sleep(luck.uniform(0.0, 5.0))
            server.kill()
            assert_forgotten(tmp_path, audio)
        server.start()
        ended = [server.wait(job_id)["status"] for job_id in jobs]
        assert server.stop() == 0
        assert ended == ["succeeded"] * len(jobs)
        directory = DataDirectory(server.data, server.data / "keys")
    assert asyncio.run(check_invariants(directory, time.time())) == []
    assert_forgotten(tmp_path, audio)
