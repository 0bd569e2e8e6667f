"""The real server as its own process: `onprem init`, `onprem serve`, real models, real signals."""

import json
import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Self

import httpx

ONPREM = [sys.executable, "-m", "onprem"]


class ServerProcess:
    """One installation in `folder`; `start` and `stop` as often as a test likes.

    As a context manager it leaves no process behind, whatever a test did.
    """

    process: subprocess.Popen[bytes] | None = None

    def __init__(self, folder: Path, models: Path, **environment: str) -> None:
        self.folder = folder
        self.config = folder / "onprem.toml"
        self.data = folder / "data"
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(folder / "tmp"),
            "ONPREM_SERVER__PORT": "0",
            "ONPREM_MODELS__DIR": str(models),
            **environment,
        }
        (folder / "tmp").mkdir()
        self.key = self.onprem_json("init", "--data-dir", str(self.data))["key"]
        self.address = ""

    def onprem_json(self, *arguments: str) -> Any:
        """What an `onprem … --json` command prints."""
        command = [*ONPREM, *arguments, "--config", str(self.config), "--json"]
        done = subprocess.run(command, env=self._environment, capture_output=True, check=True)
        return json.loads(done.stdout)

    def start(self, *wrapper: str) -> None:
        """Returns when the ready line was printed. `wrapper` stands before the command."""
        self._log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(
            [*wrapper, *ONPREM, "serve", "--config", str(self.config)],
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        assert self.process.stdout is not None
        readable, _, _ = select.select([self.process.stdout], [], [], 60)
        assert readable, "no ready line within 60 s"
        line = self.process.stdout.readline().decode()
        assert line.startswith("ready http://127.0.0.1:"), (line, self.log)
        self.address = line.removeprefix("ready ").strip()

    def wait_until_ready(self, seconds: float = 120) -> None:
        """Until the models are loaded."""
        deadline = time.monotonic() + seconds
        with self.client() as client:
            while client.get("/healthz/ready").status_code != 200:
                assert time.monotonic() < deadline, client.get("/healthz/ready").text
                time.sleep(0.2)

    def client(self) -> httpx.Client:
        headers = {"authorization": f"Bearer {self.key}"}
        return httpx.Client(base_url=self.address, headers=headers, trust_env=False, timeout=30)

    def submit(self, audio: bytes, **body: object) -> str:
        """Upload and diarize; returns the job's id."""
        with self.client() as client:
            link = client.post("/v1/media/input", json={"url": "media://x"}).raise_for_status()
            httpx.put(link.json()["url"], content=audio).raise_for_status()
            answer = client.post("/v1/diarize", json={"url": "media://x", **body})
            return str(answer.raise_for_status().json()["jobId"])

    def wait(
        self, job_id: str, *, stage: str | None = None, seconds: float = 240
    ) -> dict[str, Any]:
        """The job once it is terminal, or once it is in `stage`."""
        deadline = time.monotonic() + seconds
        with self.client() as client:
            while True:
                job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}").raise_for_status().json()
                if job["status"] in ("succeeded", "failed", "canceled"):
                    return job
                if stage is not None and job.get("progress", {}).get("stage") == stage:
                    return job
                assert time.monotonic() < deadline, job
                time.sleep(0.05)

    def kill(self) -> None:
        """As a crash: SIGKILL."""
        self._end(signal.SIGKILL)

    def stop(self) -> int:
        """As systemd does; returns the exit status."""
        return self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> int:
        assert self.process is not None
        assert self.process.stdout is not None
        self.process.send_signal(how)
        status = self.process.wait(60)
        self.process.stdout.close()
        self._log.close()
        self.process = None
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.kill()

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text()
