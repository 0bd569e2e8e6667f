"""A kill or an error at the N-th write of the whole server: strace injects, and a start mends it.

Every N of every call, for what is under the server: tests/crash/test_fault_injection.py.
"""

import shutil
import subprocess

import httpx
import pytest

from tests.crash.conftest import MakeSite
from tests.support.audio import tone
from tests.support.crash import CrashSite
from tests.support.crash_server import TRANSCRIPT
from tests.support.tier import needed

pytestmark = pytest.mark.ci

INJECTIONS = [
    *(("fdatasync", number) for number in (1, 2, 3, 4, 6, 8, 10)),
    *(("pwrite64", number) for number in (1, 2, 4, 8, 16, 32, 64)),
    *(("fsync", number) for number in (1, 2, 3)),
    ("unlink", 1),
]
"""The call and its count in one thread; some of them one job does not reach."""


AUDIO = tone(0.75)


@pytest.fixture(scope="session")
def strace() -> str:
    """The tool, where the kernel lets it trace."""
    found = shutil.which("strace")
    needed(found is not None, "strace is not installed")
    assert found is not None
    traces = subprocess.run([found, "-qq", "-o", "/dev/null", "true"], capture_output=True)
    needed(traces.returncode == 0, "this kernel does not let strace trace")
    return found


def injected(site: CrashSite, strace: str, call: str, inject: str) -> tuple[str | None, bool]:
    """A start and one job under that fault: the job, if it was taken, and whether all went well."""
    # Not --seccomp-bpf: with it, strace 6.1 does not inject signals.
    tracer = [strace, "-f", "-qq", "-o", "/dev/null", "-e", f"trace={call}"]
    job = None
    try:
        if not site.start(*tracer, "-e", f"inject={call}:{inject}"):
            return None, False
        site.upload(AUDIO, "media://a.wav")
        job = site.diarize("media://a.wav")
        return job, site.ended([job])[job] == "succeeded"
    except httpx.TransportError:
        return job, False
    except httpx.HTTPStatusError as refusal:
        assert refusal.response.status_code in (500, 503, 507), refusal
        return job, False
    finally:
        site.kill()
        assert site.finds(AUDIO[44:300], TRANSCRIPT.encode()) == []


@pytest.mark.parametrize("fault", ["signal=KILL", "error=ENOSPC", "error=EIO"])
def test_a_fault_at_the_nth_write_breaks_no_promise(
    make_site: MakeSite, strace: str, fault: str
) -> None:
    site = make_site(output="1s")
    jobs, harmed = [], 0
    for call, number in INJECTIONS:
        job, well = injected(site, strace, call, f"{fault}:when={number}")
        jobs += [job] if job is not None else []
        harmed += not well
    assert harmed >= (len(INJECTIONS) // 2 if "KILL" in fault else 1)

    assert site.start()
    assert set(site.ended(jobs).values()) <= {"succeeded", "failed"}
    assert site.stop() == 0
    assert site.start()
    assert site.stop() == 0
    assert site.violations() == []
    assert site.finds(AUDIO[44:300], TRANSCRIPT.encode()) == []
