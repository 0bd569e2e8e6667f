"""No byte of what was said is in a file: not while jobs run, and not after kill -9."""

import secrets
import threading
import time
from pathlib import Path

import pytest

from tests.crash.conftest import MakeSite
from tests.support.audio import wav
from tests.support.crash import CrashSite
from tests.support.crash_server import SLOW_SAMPLES, TRANSCRIPT


class Watcher:
    """Reads all files again and again, in a thread of its own."""

    def __init__(self, site: CrashSite, *markers: bytes) -> None:
        self._site = site
        self._markers = markers
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self.rounds = 0
        self.found: list[Path] = []

    def _watch(self) -> None:
        while not self._ended.wait(0.005):
            self.found += self._site.finds(*self._markers)
            self.rounds += 1

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()


def test_no_file_ever_holds_audio_or_transcript(make_site: MakeSite) -> None:
    marker = secrets.token_bytes(32)
    markers = (marker, TRANSCRIPT.encode())
    site = make_site()
    assert site.start()
    with Watcher(site, *markers) as watcher:
        site.upload(wav(marker * 100_000), "media://large.wav")
        site.upload(wav(marker * 1_000), "media://small.wav")
        urls = ["media://large.wav", "media://small.wav", "media://small.wav"]
        ended = site.ended([site.diarize(url) for url in urls])
        assert set(ended.values()) == {"succeeded"}
        for job_id in ended:
            assert TRANSCRIPT in site.client.get(f"/v1/jobs/{job_id}").text
        site.upload(wav((marker * SLOW_SAMPLES)[: 2 * SLOW_SAMPLES]), "media://slow.wav")
        computing = site.diarize("media://slow.wav")
        deadline = time.monotonic() + 20
        while "segmentation" not in site.client.get(f"/v1/jobs/{computing}").text:
            assert time.monotonic() < deadline
            time.sleep(0.02)
        site.kill()
    assert watcher.rounds > 10
    assert watcher.found == []
    assert site.finds(*markers) == []
    assert list(site.temporary.iterdir()) == []


@pytest.mark.parametrize("place", ["data/blobs/left-over", "tmp/spooled", "server.log"])
def test_the_watcher_would_find_it(make_site: MakeSite, place: str) -> None:
    site = make_site()
    planted = site.folder / place
    with Watcher(site, b"what was said") as watcher:
        planted.write_bytes(b"before " + b"what was said" + b" after")
        deadline = time.monotonic() + 20
        while not watcher.found and time.monotonic() < deadline:
            time.sleep(0.005)
    assert set(watcher.found) == {planted}
