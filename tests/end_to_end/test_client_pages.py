"""The pages for clients hold programs; each runs as it stands, against a real server."""

import os
import re
import shutil
import subprocess
import sys
import wave
from collections.abc import Callable
from importlib import util
from pathlib import Path

import pytest

from tests.support.process import ServerProcess

PAGES = Path(__file__).parents[2] / "docs" / "api" / "clients"

ANNA_SPEAKS = [(21.8, 27.7)]
"""Where one of the sample's two speakers speaks alone, in seconds, by its RTTM."""

pytestmark = [pytest.mark.models, pytest.mark.ci]


def programs(page: str, language: str) -> list[str]:
    found = re.findall(rf"```{language}\n(.*?)```", (PAGES / page).read_text(), re.DOTALL)
    assert found, page
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a reader of the page stands: with the recordings that it names."""
    package = util.find_spec("pyannote.audio")
    assert package is not None and package.origin is not None
    sample = Path(package.origin).parent / "sample" / "sample.wav"
    shutil.copy(sample, tmp_path / "call.wav")
    cut(sample, ANNA_SPEAKS, tmp_path / "anna.wav")
    return tmp_path


def cut(recording: Path, parts: list[tuple[float, float]], into: Path) -> None:
    with wave.open(str(recording)) as source, wave.open(str(into), "wb") as target:
        target.setparams(source.getparams())
        for start, end in parts:
            source.setpos(round(start * source.getframerate()))
            target.writeframes(source.readframes(round((end - start) * source.getframerate())))


def run(command: list[str], folder: Path, live: ServerProcess) -> str:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "ONPREM_URL": live.address,
        "ONPREM_KEY": live.key,
        "HF_HUB_OFFLINE": "1",
    }
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pyannoteai_sdk(folder: Path, live: ServerProcess) -> None:
    (program,) = programs("pyannoteai-sdk.md", "python")
    shown = run([sys.executable, "-c", program], folder, live)
    assert "New Jersey" in shown
    named = [line for line in shown.splitlines() if line.startswith("Anna ")]
    assert any(21 < float(line.split()[1]) < 28 for line in named)
    assert re.search(r"^SPEAKER_\d\d \d", shown, re.MULTILINE), "the other one stays unknown"


def test_openai_sdk(folder: Path, live: ServerProcess) -> None:
    (program,) = programs("openai-sdk.md", "python")
    shown = run([sys.executable, "-c", program], folder, live)
    assert shown.count("New Jersey") >= 3  # plain, diarized, streamed


def test_pyannote_audio(folder: Path, live: ServerProcess) -> None:
    (program,) = programs("pyannote-audio.md", "python")
    # torchaudio of this environment needs a word before pyannote is imported.
    program = "import onprem.engine.libraries\n" + program
    shown = run([sys.executable, "-c", program], folder, live)
    assert {line.split()[0] for line in shown.splitlines()} == {"SPEAKER_00", "SPEAKER_01"}


def test_curl(folder: Path, live: ServerProcess, required_tool: Callable[[str], str]) -> None:
    required_tool("curl")
    first, second = programs("curl.md", "sh")
    shown = run(["bash", "-euo", "pipefail", "-c", first], folder, live)
    assert "New Jersey" in shown
    assert "SPEAKER call" in shown or "SPEAKER " in shown
    assert '"kind":"output"' in shown
    assert "-->" in run(["bash", "-euo", "pipefail", "-c", second], folder, live)
