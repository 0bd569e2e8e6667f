"""kill -9 at the N-th write to the disk: strace stops the server there, and a start mends it."""

import os
import shutil
import subprocess

import httpx
import pytest

from tests.crash.conftest import MakeSite
from tests.support.audio import tone
from tests.support.crash_server import TRANSCRIPT

pytestmark = pytest.mark.ci

INJECTIONS = [
    *(("fdatasync", number) for number in (1, 2, 3, 4, 6, 8, 10)),
    *(("pwrite64", number) for number in (1, 2, 4, 8, 16, 32, 64)),
    *(("fsync", number) for number in (1, 2, 3)),
    ("unlink", 1),
]
"""The call and its count in one thread; some of them one job does not reach."""


@pytest.fixture(scope="session")
def strace() -> str:
    """The tool, where the kernel lets it trace."""
    missing = None
    found = shutil.which("strace")
    if found is None:
        missing = "strace is not installed"
    elif subprocess.run([found, "-qq", "-o", "/dev/null", "true"], capture_output=True).returncode:
        missing = "this kernel does not let strace trace"
    if missing and os.environ.get("CI_TIER") == "1":
        pytest.fail(missing)
    if missing or found is None:
        pytest.skip(missing or "")
    return found


def test_a_kill_at_the_nth_write_breaks_no_promise(make_site: MakeSite, strace: str) -> None:
    site = make_site(output="1s")
    audio = tone(0.75)
    jobs, killed = [], 0
    for call, number in INJECTIONS:
        inject = f"inject={call}:signal=KILL:when={number}"
        # Not --seccomp-bpf: with it, strace 6.1 does not inject signals.
        tracer = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
        started = site.start(*tracer, "-e", inject)
        try:
            if started:
                site.upload(audio, "media://a.wav")
                jobs.append(site.diarize("media://a.wav"))
                site.ended(jobs[-1:])
        except httpx.TransportError:
            started = False
        killed += not started
        site.kill()
        assert site.finds(audio[44:300], TRANSCRIPT.encode()) == []
    assert killed >= len(INJECTIONS) // 2

    assert site.start()
    assert set(site.ended(jobs).values()) <= {"succeeded", "failed"}
    assert site.stop() == 0
    assert site.start()
    assert site.stop() == 0
    assert site.violations() == []
    assert site.finds(audio[44:300], TRANSCRIPT.encode()) == []
