"""Clients of the hosted service, unmodified, against this server with real models."""

import subprocess
import sys
from collections.abc import Iterator
from importlib import util
from pathlib import Path

import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.util import load_rttm
from pyannote.metrics.diarization import DiarizationErrorRate
from pyannoteai.sdk import Client

from tests.support.process import ServerProcess

pytestmark = [
    pytest.mark.models,
    # The SDK warns about the hosted service's storage and about polling.
    pytest.mark.filterwarnings("ignore::UserWarning:pyannoteai"),
]


def sample(name: str) -> Path:
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    return Path(package.origin).parent / "sample" / name


@pytest.fixture
def sdk(live: ServerProcess, monkeypatch: pytest.MonkeyPatch) -> Iterator[Client]:
    monkeypatch.setattr(Client, "API_URL", f"{live.address}/v1")
    yield Client(token=live.key)


def error_rate(turns: list[dict[str, object]]) -> float:
    """DER against pyannote's own reference: no collar, overlap scored."""
    (reference,) = load_rttm(sample("sample.rttm")).values()
    hypothesis = Annotation()
    for number, turn in enumerate(turns):
        hypothesis[Segment(turn["start"], turn["end"]), number] = turn["speaker"]
    uem = Timeline([Segment(0.0, 30.0)])
    return float(DiarizationErrorRate()(reference, hypothesis, uem=uem))


def test_upload_diarize_transcribe_retrieve(sdk: Client) -> None:
    media = sdk.upload(sample("sample.wav"))
    job_id = sdk.diarize(media, exclusive=True, transcription=True)
    job = sdk.retrieve(job_id, every_seconds=1)

    output = job["output"]
    assert error_rate(output["diarization"]) <= 0.08
    assert {turn["speaker"] for turn in output["diarization"]} == {"SPEAKER_00", "SPEAKER_01"}
    assert any("New Jersey" in turn["text"] for turn in output["turnLevelTranscription"])
    for earlier, later in zip(
        output["exclusiveDiarization"], output["exclusiveDiarization"][1:], strict=False
    ):
        assert earlier["end"] <= later["start"]
    assert set(job["engine"]) == {"diarization", "embedding", "transcription"}


def test_forced_speaker_count_and_confidence(sdk: Client) -> None:
    media = sdk.upload(sample("sample.wav"))
    job_id = sdk.diarize(media, num_speakers=1, confidence=True, turn_level_confidence=True)
    output = sdk.retrieve(job_id, every_seconds=1)["output"]

    assert {turn["speaker"] for turn in output["diarization"]} == {"SPEAKER_00"}
    assert all(0 <= turn["confidence"]["SPEAKER_00"] <= 100 for turn in output["diarization"])
    assert output["confidence"]["resolution"] == 0.02
    assert len(output["confidence"]["score"]) == pytest.approx(30 / 0.02, abs=5)


PIPELINE = """
import sys
import onprem.engine.libraries
from pyannoteai.sdk import Client
Client.API_URL = sys.argv[1] + "/v1"
from pyannote.audio import Pipeline
name = "pyannote.audio.pipelines.pyannoteai.sdk.SDK"
pipeline = Pipeline.from_pretrained(
    {"pipeline": {"name": name, "params": {"model": "community-1"}}}, token=sys.argv[2]
)
found = pipeline(sys.argv[3])
print(sorted(found.speaker_diarization.labels()), found.exclusive_speaker_diarization is not None)
"""


def test_pyannote_audio_runs_its_hosted_pipeline_on_this_server(live: ServerProcess) -> None:
    arguments = [live.address, live.key, str(sample("sample.wav"))]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PIPELINE, *arguments],
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.stdout.strip() == "['SPEAKER_00', 'SPEAKER_01'] True", done.stderr
