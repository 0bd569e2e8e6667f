"""A backup of a server at work, restored on a new machine: it goes on, and shows no content."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from onprem.services.backup.create import Created
from tests.backup.conftest import MARKERS, Site
from tests.support.backups import (
    back_up,
    directory_of,
    elsewhere,
    restore,
    verification,
    violations,
)
from tests.support.clock import FakeClock
from tests.support.server import Running

MESSAGE = (
    "The server was restored from a backup, which holds no recordings and no requests."
    " Submit the job again."
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "onprem.tar"


async def used_and_backed_up(site: Site, file: Path) -> Created:
    """While a job runs; the server then stops, and goes on behind the backup."""
    async with site.running() as server:
        await site.use(server)
        created = await back_up(site.settings, site.clock, file)
        server.server.runner.stop()
    return created


async def receipts(server: Running, job_id: str) -> dict[str, tuple[str, str]]:
    """Reason and method of each deletion, by the kind of what was deleted."""
    answer = await server.client.get(f"/v1/jobs/{job_id}/receipts")
    return {each["kind"]: (each["reason"], each["method"]) for each in answer.json()["receipts"]}


async def test_no_byte_of_content_is_in_it(site: Site, file: Path) -> None:
    async with site.running() as server:
        await site.use(server)
        await back_up(site.settings, site.clock, file)
        ciphertexts = site.ciphertexts()
    raw = file.read_bytes()
    assert site.jobs["done"].encode() in raw
    assert len(ciphertexts) > 10
    for absent in (*map(str.encode, MARKERS), site.audio[:64], b"Hello world", *ciphertexts):
        assert absent not in raw, absent


async def test_it_goes_on_elsewhere_without_content(site: Site, file: Path, tmp_path: Path) -> None:
    await used_and_backed_up(site, file)
    new = elsewhere(site.settings, tmp_path / "new")

    outcome = await restore(new, site.clock, file)

    assert (outcome.failed_jobs, outcome.deliveries, outcome.deleted) == (2, 2, 0)
    assert await violations(new, site.clock) == []
    async with site.running(new) as server:
        await nothing_is_shown(site, server)
        # The installation is the same one, and works.
        job = await server.diarize(url=await server.upload(b"RIFF", "media://new.wav"))
        assert (await server.finished(job))["status"] == "failed"
    assert await violations(new, site.clock) == []


async def nothing_is_shown(site: Site, server: Running) -> None:
    done = await server.job(site.jobs["done"])
    assert done["status"] == "succeeded"
    assert "output" not in done and "outputExpiredAt" in done
    answer = await server.client.get(f"/v1/jobs/{site.jobs['done']}/output")
    assert (answer.status_code, answer.json()["code"]) == (410, "output_expired")
    found = await receipts(server, site.jobs["done"])
    assert found["output"] == found["edits"] == ("restored_from_backup", "key_absent")
    for name in ("running", "waiting"):
        job: Any = await server.job(site.jobs[name])
        assert job["status"] == "failed"
        assert job["output"]["error"] == MESSAGE
        found = await receipts(server, site.jobs[name])
        assert found["request"] == ("restored_from_backup", "key_absent")
    found = await receipts(server, site.jobs["running"])
    assert found["worker_copy"] == ("restored_from_backup", "memory_freed")
    for name in ("done", "running"):
        answer = await server.client.get(f"/v1/jobs/{site.jobs[name]}/deliveries")
        (delivery,) = answer.json()["deliveries"]
        assert delivery["state"] == "failed" and "endedAt" in delivery
    assert (await server.client.get("/v1/media")).json()["items"] == []


async def test_what_is_asked_for_again_is_made_again(
    site: Site, file: Path, tmp_path: Path
) -> None:
    """Its job failed: the key must not lead there for a day."""
    await used_and_backed_up(site, file)
    new = elsewhere(site.settings, tmp_path / "new")
    await restore(new, site.clock, file)
    async with site.running(new) as server:
        media = await server.upload(b"RIFF", "media://media-name-marker.wav")
        answer = await server.client.post(
            "/v1/diarize", json={"url": media}, headers={"idempotency-key": "idempotency-marker"}
        )
        assert answer.status_code == 200
        assert answer.json()["jobId"] not in site.jobs.values()


async def test_the_ledger_verifies_by_the_anchors_of_before_and_after(
    site: Site, file: Path, tmp_path: Path
) -> None:
    await used_and_backed_up(site, file)
    site.clock.advance(3600)
    async with site.running() as server:  # hours of which the backup knows nothing
        await server.diarize(url=await server.upload(b"RIFF"))
    before = site.anchors.read_text().splitlines()
    assert len(before) >= 2
    new = elsewhere(site.settings, tmp_path / "new")

    outcome = await restore(new, site.clock, file, anchors=site.anchors)

    assert outcome.last_known is not None
    async with site.running(new):
        pass
    assert len(site.anchors.read_text().splitlines()) > len(before)
    judged = await verification(new, site.clock, site.anchors)
    assert judged.intact, judged.problems
    assert judged.anchors is not None and judged.anchors.lost > 0
    assert judged.ledger is not None and judged.ledger.last == judged.ledger.anchored_up_to


async def test_a_lost_tail_is_not_explained_without_the_anchors(
    site: Site, file: Path, tmp_path: Path
) -> None:
    await used_and_backed_up(site, file)
    site.clock.advance(3600)
    async with site.running() as server:
        await server.diarize(url=await server.upload(b"RIFF"))
    new = elsewhere(site.settings, tmp_path / "new")
    await restore(new, site.clock, file)
    async with site.running(new):  # which brings out what has not left the host
        pass
    judged = await verification(new, site.clock, site.anchors)
    assert not judged.intact


async def test_its_first_entry_says_so_and_a_checkpoint_signs_it(
    site: Site, file: Path, tmp_path: Path
) -> None:
    created = await used_and_backed_up(site, file)
    new = elsewhere(site.settings, tmp_path / "new")
    outcome = await restore(new, site.clock, file)
    with closing(sqlite3.connect(directory_of(new).database)) as database:
        rows = database.execute(
            "SELECT seq, kind, body ->> 'backupTip', body ->> 'backupCreatedAt', body ->> 'by'"
            " FROM ledger WHERE seq > ? ORDER BY seq",
            (created.manifest.ledger.size,),
        ).fetchall()
        signed = database.execute("SELECT max(ledger_size) FROM checkpoint").fetchone()
    tip = created.manifest.ledger
    assert rows[0] == (
        tip.size + 1,
        "restored",
        f'{{"digest":"{tip.digest}","seq":{tip.size}}}',
        created.manifest.created_at,
        "user:1000",
    )
    assert {kind for _, kind, *_ in rows[1:]} == {"deletion"}
    assert signed == (outcome.ledger,) == (rows[-1][0],)


async def test_it_may_be_repeated(site: Site, file: Path, tmp_path: Path) -> None:
    await used_and_backed_up(site, file)
    new = elsewhere(site.settings, tmp_path / "new")
    await restore(new, site.clock, file)
    again = await restore(new, site.clock, file)
    assert (again.failed_jobs, again.absent) == (0, 0)
    assert again.deleted == 2  # what the first one told the failed jobs
    assert await violations(new, site.clock) == []
    async with site.running(new) as server:
        job = await server.job(site.jobs["running"])
        assert job["status"] == "failed" and "outputExpiredAt" in job
    assert (await verification(new, site.clock)).intact


async def test_retention_time_goes_on_from_the_backup(
    site: Site, file: Path, tmp_path: Path
) -> None:
    """A new machine's clock is not synchronised yet, and days behind."""
    async with site.running():
        pass
    site.clock.advance(3600)  # in which nothing is noted
    created = await back_up(site.settings, site.clock, file)
    new, clock = elsewhere(site.settings, tmp_path / "new"), FakeClock()
    clock.reboot(off=0, boot_id="of a new machine")
    clock.step_wall(-3 * 24 * 3600.0)

    await restore(new, clock, file)

    assert clock.now() == created.manifest.created_at == site.clock.now()
    assert await violations(new, clock) == []
