"""Starting, killing and examining a crash server from outside, as an operator would."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx

from onprem.clock import system_clock
from onprem.services.invariants import check_invariants
from onprem.store.data_directory import DataDirectory
from tests.support.server import install, settings_in

ROOT = Path(__file__).parent.parent.parent
TERMINAL = ("succeeded", "failed", "canceled")
_CONFIG = """
[server]
port = 0
[storage]
data_dir = "data"
master_key_file = "master.key"
[runner]
attempts = {attempts}
[retention]
output = "{output}"
"""


class CrashSite:
    """An installation in a folder, its server process, and a client of it."""

    def __init__(
        self,
        folder: Path,
        *,
        attempts: int = 3,
        output: str = "24h",
        webhooks: str | None = None,
    ) -> None:
        """`webhooks`: a destination to allow."""
        self.folder = folder
        self.temporary = folder / "tmp"
        self.temporary.mkdir()
        self.log = folder / "server.log"
        settings = settings_in(folder)
        self.directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
        config = _CONFIG.format(attempts=attempts, output=output)
        if webhooks is not None:
            config += f'[webhooks]\nallow = ["{webhooks}"]\n'
        (folder / "onprem.toml").write_text(config)
        key = asyncio.run(install(settings, system_clock()))
        self._headers = {"authorization": f"Bearer {key}"}
        self._attempts = attempts
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *before: str) -> bool:
        """Start the server, behind the command `before`. False: it died before it was ready."""
        command = [*before, sys.executable, "-m", "tests.support.crash_server", str(self.folder)]
        environment = {"PATH": os.environ["PATH"], "TMPDIR": str(self.temporary)}
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
                cwd=ROOT,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        said = self.process.stdout.readline().decode().split()
        if not said:
            self.kill()
            return False
        self.client = httpx.Client(
            base_url=said[1], headers=self._headers, trust_env=False, timeout=20
        )
        return True

    def kill(self) -> None:
        """`kill -9`, also of what runs the server; nothing happens where none runs."""
        if self.process is None:
            return
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.wait()

    def wait(self) -> int:
        assert self.process is not None
        status = self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()
        if hasattr(self, "client"):
            self.client.close()
        return status

    def stop(self) -> int:
        """SIGTERM; returns the exit status."""
        assert self.process is not None
        self.process.terminate()
        return self.wait()

    def upload(self, audio: bytes, url: str) -> None:
        link = self.client.post("/v1/media/input", json={"url": url}).raise_for_status()
        put = self.client.put(link.json()["url"], content=audio, headers={"authorization": ""})
        put.raise_for_status()

    def diarize(self, url: str) -> str:
        body = {"url": url, "transcription": True}
        return str(self.client.post("/v1/diarize", json=body).raise_for_status().json()["jobId"])

    def status(self, job_id: str) -> str:
        return str(self.client.get(f"/v1/jobs/{job_id}").raise_for_status().json()["status"])

    def ended(self, job_ids: list[str], seconds: float = 60) -> dict[str, str]:
        """The status of each job, once all have ended."""
        end = time.monotonic() + seconds
        waiting, found = list(job_ids), {}
        while waiting:
            assert time.monotonic() < end, f"{len(waiting)} jobs did not end"
            status = self.status(waiting[0])
            if status in TERMINAL:
                found[waiting.pop(0)] = status
            else:
                time.sleep(0.05)
        return found

    def violations(self) -> list[str]:
        return asyncio.run(
            check_invariants(self.directory, time.time(), allowed_attempts=self._attempts)
        )

    def finds(self, *markers: bytes) -> list[Path]:
        """Files with a marker in them, of those that the server can write."""
        found = []
        for folder in (self.directory.root, self.temporary):
            found += [path for path in folder.rglob("*") if _holds(path, markers)]
        return found + [self.log] * _holds(self.log, markers)


def _holds(path: Path, markers: tuple[bytes, ...]) -> bool:
    try:
        content = path.read_bytes() if path.is_file() else b""
    except FileNotFoundError:
        return False
    return any(marker in content for marker in markers)
