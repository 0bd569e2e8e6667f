"""The doctor beside a server that is killed and started again: no false alarm on the way."""

import asyncio
import threading
import time

from onprem.cli.context import continued_clock
from onprem.config.load import load_settings
from onprem.services.doctor.examination import Patient, examine
from onprem.stamp import Stamp
from onprem.store.database import Database
from tests.crash.conftest import MakeSite
from tests.support.audio import tone, wav
from tests.support.crash import CrashSite
from tests.support.crash_server import SLOW_SAMPLES

LOOKS = 15


async def _told(database: Database) -> Stamp:
    return (await continued_clock(database)).stamp()


def codes(site: CrashSite) -> set[str]:
    """What is broken, and what a kill left; there are no models."""
    patient = Patient(load_settings(site.folder / "onprem.toml", {}), site.folder / "master.key")
    report = asyncio.run(examine(patient, _told))
    looked_for = {finding.code for finding in report.findings if finding.severity == "broken"}
    left = {finding.code for finding in report.findings if finding.code == "unclean_stop"}
    return (looked_for | left) - {"model_unusable"}


def test_a_busy_server_is_never_called_broken(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            site.upload(tone(4.0), "media://a.wav")
            job = site.diarize("media://a.wav")
            site.client.delete(f"/v1/jobs/{job}").raise_for_status()
            site.diarize("media://a.wav")

    clients = [threading.Thread(target=work) for _ in range(3)]
    for client in clients:
        client.start()
    try:
        assert [codes(site) for _ in range(LOOKS)] == [set()] * LOOKS
    finally:
        over.set()
        for client in clients:
            client.join()
    assert site.stop() == 0
    assert codes(site) == set()


def test_what_a_kill_leaves_is_at_risk_until_the_next_start(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    site.upload(wav(bytes(2 * SLOW_SAMPLES)), "media://slow.wav")
    job = site.diarize("media://slow.wav")
    end = time.monotonic() + 20
    while site.status(job) != "running":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert codes(site) == set()
    site.kill()
    assert codes(site) == {"unclean_stop"}
    assert site.start()
    assert codes(site) == set()
