"""A client of a server that is killed again and again: it remembers what it was told."""

import os
import random
import secrets
import subprocess
import sys

from tests.support.audio import wav
from tests.support.crash import ROOT, TERMINAL, CrashSite
from tests.support.crash_server import TRANSCRIPT
from tests.support.sink import Sink

URL_MARKER = "url-marker-77aa01"
LABEL_MARKER = "label-marker-b04e55"
WEBHOOK_MARKER = "webhook-marker-51c9d0"
DELIVER_MARKER = "deliver-marker-c2f7aa"
REFUSED_URL = f"http://127.0.0.1:9/{URL_MARKER}.wav"
"""A job with it ends as failed: the server connects to no address of its own."""

ACTIONS = (
    *("upload", "upload_large", "submit", "submit", "submit", "submit_url", "submit_delivered"),
    *("read", "read", "edit", "acknowledge", "cancel", "delete", "delete_media"),
)
FORMATS = ("json", "rttm", "srt", "vtt", "txt")
CHECKED = 5
"""Jobs of old that are looked at in each round."""


class Client:
    """What was answered 2xx: `jobs` exist, `deleted` ones do not; of `doubtful` ones the answer
    never came."""

    def __init__(self, site: CrashSite, luck: random.Random, sink: Sink) -> None:
        self._site = site
        self._luck = luck
        self._sink = sink
        self._marker = secrets.token_bytes(32)
        self.jobs: list[str] = []
        self.deleted: list[str] = []
        self.doubtful: list[str] = []
        self.uploads: set[str] = set()
        self.terminal: dict[str, str] = {}
        self.done: set[str] = set()
        self._purge: subprocess.Popen[bytes] | None = None
        self._purged: str | None = None

    @property
    def markers(self) -> tuple[bytes, ...]:
        texts = TRANSCRIPT, URL_MARKER, LABEL_MARKER, WEBHOOK_MARKER, DELIVER_MARKER
        return self._marker, *(text.encode() for text in texts)

    def use(self, actions: int) -> None:
        """Raises httpx.TransportError: the server died."""
        for job_id in self._luck.sample(self.jobs, min(CHECKED, len(self.jobs))):
            self.check(job_id, self._site.status(job_id))
        self.check_deleted(self._luck.sample(self.deleted, min(CHECKED, len(self.deleted))))
        for _ in range(actions):
            action = self._luck.choice(ACTIONS) if self.uploads else "upload"
            if self.jobs or action.startswith(("upload", "submit")):
                getattr(self, action)()
                self.done.add(action)

    def check(self, job_id: str, status: str) -> None:
        """A terminal state never changes."""
        assert self.terminal.get(job_id, status) == status
        if status in TERMINAL:
            self.terminal[job_id] = status

    def check_deleted(self, job_ids: list[str]) -> None:
        for job_id in job_ids:
            assert self._site.client.get(f"/v1/jobs/{job_id}").status_code == 404

    def check_deliveries(self) -> None:
        """What is called delivered has arrived."""
        for job_id in self.jobs:
            answer = self._site.client.get(f"/v1/jobs/{job_id}/deliveries").raise_for_status()
            for each in answer.json()["deliveries"]:
                if each["state"] == "delivered":
                    at = each["id"] if each["kind"] == "webhook" else f"/{DELIVER_MARKER}"
                    assert at in self._sink.arrived

    def upload(self, seconds: float = 0.75) -> None:
        url = f"media://{self._luck.randrange(4)}.wav"
        self._site.upload(wav(self._marker * int(seconds * 1000)), url)
        self.uploads.add(url)

    def upload_large(self) -> None:
        self.upload(80)

    def submit(self, **more: object) -> None:
        body = {"url": self._luck.choice(sorted(self.uploads)), "transcription": True} | more
        answer = self._site.client.post("/v1/diarize", json=body).raise_for_status()
        self.jobs.append(str(answer.json()["jobId"]))

    def submit_url(self) -> None:
        self.submit(url=REFUSED_URL)

    def submit_delivered(self) -> None:
        address = f"http://{self._sink.rule}"
        kind = self._luck.choice(FORMATS)
        self.submit(
            webhook=f"{address}/{WEBHOOK_MARKER}",
            deliver={"url": f"{address}/{DELIVER_MARKER}", "format": kind},
        )

    def read(self) -> None:
        job_id, form = self._luck.choice(self.jobs[-8:]), self._luck.choice(FORMATS)
        answer = self._site.client.get(f"/v1/jobs/{job_id}/output", params={"format": form})
        assert answer.status_code in (200, 400, 404, 409, 410), answer.text

    def edit(self) -> None:
        body = {"speakers": {"SPEAKER_00": LABEL_MARKER}}
        answer = self._site.client.put(f"/v1/jobs/{self._recent()}/edits", json=body)
        assert answer.status_code in (200, 404, 409, 410), answer.text

    def acknowledge(self) -> None:
        answer = self._site.client.post(f"/v1/jobs/{self._recent()}/ack")
        assert answer.status_code in (200, 409), answer.text

    def cancel(self) -> None:
        answer = self._site.client.post(f"/v1/jobs/{self._recent()}/cancel")
        assert answer.status_code in (200, 202, 409), answer.text

    def delete(self) -> None:
        job_id = self._doubt(self._recent())
        answer = self._site.client.delete(f"/v1/jobs/{job_id}")
        assert answer.status_code in (202, 204), answer.text
        self._sure(job_id)

    def delete_media(self) -> None:
        url = self._luck.choice(sorted(self.uploads))
        self.uploads.remove(url)
        answer = self._site.client.delete("/v1/media", params={"url": url})
        assert answer.status_code in (200, 202, 404), answer.text

    def begin_purge(self) -> None:
        """The command, beside this server or the next."""
        chosen = self._luck.choice(["timer", "due", "job"] if self.jobs else ["timer", "due"])
        self._purged = self._doubt(self._recent()) if chosen == "job" else None
        selection = ["--job", self._purged] if self._purged else ["--due"]
        answer = ["--yes"] if chosen != "due" else []
        config = str(self._site.folder / "onprem.toml")
        self._purge = subprocess.Popen(
            [sys.executable, "-m", "onprem", "purge", *selection, *answer, "--config", config],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "TMPDIR": str(self._site.temporary)},
            cwd=ROOT,
        )

    def end_purge(self) -> None:
        """Once it has ended, or killed at once."""
        if self._purge is None:
            return
        if self._luck.random() < 0.5:
            self._purge.kill()
        _, told = self._purge.communicate(b"y\n", timeout=120)
        assert self._purge.returncode in (0, -9), told.decode()
        if self._purge.returncode == 0:
            self.done.add("purge")
            if self._purged is not None:
                self._sure(self._purged)
        self._purge = None

    def _recent(self) -> str:
        return self._luck.choice(self.jobs[-8:])

    def _doubt(self, job_id: str) -> str:
        self.jobs.remove(job_id)
        self.doubtful.append(job_id)
        return job_id

    def _sure(self, job_id: str) -> None:
        self.doubtful.remove(job_id)
        self.deleted.append(job_id)
