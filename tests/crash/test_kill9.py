"""kill -9 at any moment loses no promise: what was answered 2xx is done, once, and forgotten."""

import random
import secrets
import threading

import httpx
import pytest

from tests.crash.conftest import MakeSite
from tests.support.audio import wav
from tests.support.crash import TERMINAL, CrashSite
from tests.support.crash_server import POISON_SAMPLES, TRANSCRIPT

URL_MARKER = "url-marker-77aa01"
REFUSED_URL = f"http://127.0.0.1:9/{URL_MARKER}.wav"
"""A job with it ends as failed: the server connects to no address of its own."""


class Client:
    """Uploads and submits until the server dies; remembers what was answered 2xx."""

    def __init__(self, site: CrashSite, luck: random.Random) -> None:
        self._site = site
        self._luck = luck
        self._marker = secrets.token_bytes(32)
        self.jobs: list[str] = []
        self.uploads: set[str] = set()
        self.terminal: dict[str, str] = {}

    @property
    def markers(self) -> tuple[bytes, ...]:
        return (self._marker, TRANSCRIPT.encode(), URL_MARKER.encode())

    def use(self, actions: int) -> None:
        for job_id in self.jobs:
            self.check(job_id, self._site.status(job_id))
        for _ in range(actions):
            action = self._luck.choice(["upload", "upload large", "diarize", "diarize", "url"])
            if action.startswith("upload") or not self.uploads:
                url = f"media://{self._luck.randrange(4)}.wav"
                seconds = 80 if action.endswith("large") else 0.75
                self._site.upload(wav(self._marker * int(seconds * 1000)), url)
                self.uploads.add(url)
            else:
                media = self._luck.choice(sorted(self.uploads))
                self.jobs.append(self._site.diarize(REFUSED_URL if action == "url" else media))

    def check(self, job_id: str, status: str) -> None:
        """A terminal state never changes."""
        assert self.terminal.get(job_id, status) == status
        if status in TERMINAL:
            self.terminal[job_id] = status


@pytest.mark.parametrize(
    "rounds", [12, pytest.param(400, marks=[pytest.mark.soak, pytest.mark.timeout(3600)])]
)
def test_no_promise_is_broken_by_kills_at_random_points(make_site: MakeSite, rounds: int) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    luck = random.Random(seed)
    site = make_site(output="1s")
    client = Client(site, luck)
    kills = 0
    for _ in range(rounds):
        assert site.start() and site.process is not None
        killer = threading.Timer(luck.uniform(0.02, 0.6), site.process.kill)
        killer.start()
        try:
            client.use(actions=4)
        except httpx.TransportError:
            kills += 1
        killer.join()
        site.kill()
        assert site.finds(*client.markers) == []
    assert kills > 0 and client.jobs

    assert site.start()
    for job_id, status in site.ended(client.jobs).items():
        client.check(job_id, status)
    kept = [site.diarize(url) for url in sorted(client.uploads)]
    assert set(site.ended(kept).values()) == {"succeeded"}
    assert site.stop() == 0
    # A last start sweeps what is due, as the scheduler would within the minute.
    assert site.start()
    assert site.stop() == 0

    assert site.violations() == []
    assert site.finds(*client.markers) == []


def test_a_job_that_takes_the_server_down_is_given_up_and_the_others_are_done(
    make_site: MakeSite,
) -> None:
    site = make_site(attempts=2)
    assert site.start()
    site.upload(wav(bytes(2 * POISON_SAMPLES)), "media://poison.wav")
    site.upload(wav(bytes(2 * 16_000)), "media://good.wav")
    # The poison goes last, for it takes the server down as soon as it may.
    jobs = [site.diarize("media://good.wav") for _ in range(2)]
    poison = site.diarize("media://poison.wav")
    deaths = 0
    for _ in range(5):
        try:
            jobs += [site.diarize("media://good.wav")] if len(jobs) < 4 else []
            ended = site.ended([poison, *jobs])
            break
        except httpx.TransportError:
            site.kill()
            deaths += 1
            assert site.start()

    assert deaths == 2
    assert ended == {poison: "failed"} | dict.fromkeys(jobs, "succeeded")
    output = site.client.get(f"/v1/jobs/{poison}").json()["output"]
    assert "The server stopped 2 times while it worked on this job." in output["error"]
    assert site.stop() == 0
    assert site.violations() == []
