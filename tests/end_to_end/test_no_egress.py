"""What the kernel saw: the server and a whole job open no connection, and one listener."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.audio import tone
from tests.support.process import ServerProcess

pytestmark = [pytest.mark.ci, pytest.mark.models]

NETWORK = "trace=connect,bind,sendto,sendmsg,sendmmsg"
INTERNET = re.compile(r"^(?:\[pid +\d+\] |\d+ +)?(\w+)\(.*sa_family=AF_INET6?,.*$", re.MULTILINE)


def test_serving_a_job_connects_to_nothing(
    tmp_path: Path, models_folder: Path, required_tool: Callable[[str], str]
) -> None:
    trace = tmp_path / "trace"
    # -D: strace is the one in the background, signals reach the server.
    strace = [required_tool("strace"), "-D", "-f", "-qq", "-o", str(trace), "-e", NETWORK]
    with ServerProcess(tmp_path, models_folder) as server:
        server.start(*strace)
        server.wait_until_ready()
        job = server.wait(server.submit(tone(3.0), transcription=True))
        assert server.stop() == 0, server.log

    assert job["status"] == "failed" and "No speech" in job["output"]["error"]
    calls = [match[1] for match in INTERNET.finditer(trace.read_text())]
    assert calls == ["bind"], trace.read_text()
