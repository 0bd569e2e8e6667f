"""kill -9 at any moment loses no promise: what was answered 2xx is done, once, and forgotten."""

import random
import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import httpx
import pytest

from tests.crash.conftest import MakeSite
from tests.support.audio import wav
from tests.support.crash import CrashSite
from tests.support.crash_client import ACTIONS, Client
from tests.support.crash_server import POISON_SAMPLES
from tests.support.sink import sink

SIDE_BY_SIDE = 2
"""Sites that share the kills of the longer tiers."""
PURGES = 0.1
"""Of the rounds."""


def killed(site: CrashSite, client: Client, luck: random.Random) -> None:
    """One round: a start, some requests, and the end of the process in between."""
    assert site.start() and site.process is not None
    killer = threading.Timer(luck.uniform(0.02, 0.6), site.process.kill)
    killer.start()
    with suppress(httpx.TransportError):
        client.use(actions=6)
    killer.join()
    site.kill()
    client.end_purge()
    if luck.random() < PURGES:
        client.begin_purge()
    assert site.finds(*client.markers) == []


def settled(site: CrashSite, client: Client) -> None:
    """Every job that was answered 2xx ends, and what is due goes."""
    assert site.start()
    client.end_purge()
    for job_id, status in site.ended(client.jobs).items():
        client.check(job_id, status)
    client.check_deleted(client.deleted)
    client.check_deliveries()
    kept = [site.diarize(url) for url in sorted(client.uploads)]
    assert set(site.ended(kept).values()) <= {"succeeded"}
    assert site.stop() == 0
    # A last start sweeps what is due, as the scheduler would within the minute.
    assert site.start()
    assert site.stop() == 0


def campaign(make_site: MakeSite, name: str, rounds: int, seed: int) -> set[str]:
    """Returns what was done at least once."""
    luck = random.Random(seed)
    with sink(random.Random(seed)) as receiver:
        site = make_site(name, output="3s", webhooks=receiver.rule)
        client = Client(site, luck, receiver)
        for _ in range(rounds):
            killed(site, client, luck)
        settled(site, client)
    assert site.violations() == []
    assert site.finds(*client.markers) == []
    return client.done


def test_no_promise_is_broken_by_kills_at_random_points(make_site: MakeSite) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    assert "submit" in campaign(make_site, "site", 12, seed)


@pytest.mark.parametrize(
    "rounds",
    [
        pytest.param(200, marks=[pytest.mark.ci, pytest.mark.timeout(1200)]),
        pytest.param(2000, marks=[pytest.mark.soak, pytest.mark.timeout(4 * 3600)]),
    ],
)
def test_no_promise_is_broken_by_many_kills(make_site: MakeSite, rounds: int) -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        campaigns = [
            pool.submit(campaign, make_site, f"site-{each}", rounds // SIDE_BY_SIDE, seed + each)
            for each in range(SIDE_BY_SIDE)
        ]
    done = set().union(*(each.result() for each in campaigns))
    assert done == {*ACTIONS, "purge"}


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
