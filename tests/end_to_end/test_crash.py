"""kill -9 in the middle of a real job."""

from importlib import util
from pathlib import Path

import pytest

from tests.support.process import ServerProcess

pytestmark = pytest.mark.models


def test_a_killed_job_succeeds_after_the_restart(tmp_path: Path, models_folder: Path) -> None:
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    audio = (Path(package.origin).parent / "sample" / "sample.wav").read_bytes()
    tiny = {"ONPREM_MODELS__TRANSCRIPTION": "whisper-tiny.en"}
    with ServerProcess(tmp_path, models_folder, **tiny) as server:
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
    # Neither the sound nor a word of it is in any file: not in the store, not in TMPDIR.
    markers = [audio[100_000:100_064], b"New Jersey", b"Chicago"]
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(marker in content for marker in markers), path
    assert [path for path in (tmp_path / "tmp").rglob("*") if path.is_file()] == []
