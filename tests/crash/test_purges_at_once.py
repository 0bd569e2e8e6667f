"""Several purges and sweeps at the same moment, each a process: one receipt for each record."""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from contextlib import closing
from typing import Any

from onprem.core.purge import EVERYTHING
from onprem.store.data_directory import MARK
from tests.crash.conftest import MakeSite
from tests.support.audio import tone
from tests.support.crash import ROOT, CrashSite

JOBS = 8


def busy(site: CrashSite) -> list[str]:
    """Jobs that have ended, each with media of its own."""
    for number in range(JOBS):
        site.upload(tone(0.2), f"media://{number}.wav")
    jobs = [site.diarize(f"media://{number}.wav") for number in range(JOBS)]
    site.ended(jobs)
    return jobs


def make_due(site: CrashSite) -> None:
    """As if the deadlines of all outputs had passed, and nobody had swept."""
    with closing(sqlite3.connect(site.directory.root / MARK)) as connection, connection:
        connection.execute("UPDATE artefact SET due_at = created_at WHERE kind = 'output'")
        connection.execute("UPDATE job SET output_due_at = finished_at")
        connection.execute("UPDATE clock_mark SET swept_at = NULL")


def begin(site: CrashSite, *arguments: str) -> subprocess.Popen[bytes]:
    config = str(site.folder / "onprem.toml")
    return subprocess.Popen(
        [sys.executable, "-m", "onprem", "purge", *arguments, "--json", "--config", config],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "TMPDIR": str(site.temporary)},
        cwd=ROOT,
    )


def results(purges: list[subprocess.Popen[bytes]]) -> list[Any]:
    ended = [purge.communicate(timeout=120) for purge in purges]
    told = [err.decode() for _, err in ended]
    assert [purge.returncode for purge in purges] == [0] * len(purges), told
    return [json.loads(out) for out, _ in ended]


def receipts(site: CrashSite) -> Counter[str]:
    """How many receipts each record has."""
    with closing(sqlite3.connect(site.directory.root / MARK)) as connection:
        rows = connection.execute(
            "SELECT body ->> 'artefactId' FROM ledger WHERE kind = 'deletion'"
        ).fetchall()
    return Counter(row[0] for row in rows)


def live(site: CrashSite) -> int:
    with closing(sqlite3.connect(site.directory.root / MARK)) as connection:
        row = connection.execute("SELECT count(*) FROM artefact WHERE kind != 'canary'").fetchone()
    return int(row[0])


def test_purges_beside_a_server_that_sweeps(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    jobs = busy(site)
    make_due(site)
    everything = ["--all", "--yes", "--confirm", EVERYTHING]
    purges = [begin(site, *each) for each in (["--due", "--yes"], everything) * 2]
    purges += [begin(site, "--job", job, "--yes") for job in jobs[:2]]
    answer = site.client.post("/v1/admin/purge", json={"due": True, "dryRun": False})
    assert answer.status_code == 200, answer.text
    results(purges)
    assert live(site) == 0
    assert set(receipts(site).values()) == {1}
    assert site.stop() == 0
    assert site.violations() == []


def test_the_timer_alone_purges_while_the_server_is_stopped(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    jobs = busy(site)
    assert site.stop() == 0
    before = receipts(site)
    make_due(site)
    told = results([begin(site, "--due", "--yes") for _ in range(4)])
    outputs = receipts(site) - before
    assert len(outputs) == len(jobs) and set(outputs.values()) == {1}
    written = [
        each["artefactId"] for each in told if "receipts" in each for each in each["receipts"]
    ]
    assert set(written) == set(outputs)
    assert site.violations() == []


def test_two_erasures_of_one_project(make_site: MakeSite) -> None:
    site = make_site()
    assert site.start()
    busy(site)
    assert site.stop() == 0
    with closing(sqlite3.connect(site.directory.root / MARK)) as connection:
        ((project,),) = connection.execute("SELECT id FROM project").fetchall()
    told = results([begin(site, "--project", project, "--yes") for _ in range(2)])
    first, second = (each["certificate"]["body"] for each in told)
    assert first["act"] == second["act"] and first["artefacts"] == second["artefacts"]
    assert first["artefacts"]["output"]["count"] == JOBS
    assert first["verified"]["foundOnDisk"] == second["verified"]["foundOnDisk"] == 0
    assert live(site) == 0
    assert set(receipts(site).values()) == {1}
    assert site.violations() == []
