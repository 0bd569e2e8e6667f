"""kill -9 at any step leaves a whole backup or none, and what was there or what shall be."""

import asyncio
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from onprem.services.backup.verify import verify
from tests.crash.conftest import MakeSite
from tests.support.audio import tone
from tests.support.crash import ROOT, CrashSite

NEVER = 10**9


def onprem(site: CrashSite, *arguments: str | Path, kill_at: int = NEVER) -> int | None:
    """How many steps it took; None: it was killed."""
    command = [sys.executable, "-m", "tests.support.killed", str(kill_at), *arguments]
    done = subprocess.run(
        [*command, "--config", site.folder / "onprem.toml"],
        capture_output=True,
        text=True,
        cwd=ROOT,
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def sound(file: Path) -> bool:
    return asyncio.run(verify(file, wall=0.0)).sound


@pytest.mark.parametrize("every", [60, pytest.param(5, marks=pytest.mark.ci)])
def test_of_a_backup(make_site: MakeSite, tmp_path: Path, every: int) -> None:
    site, file = make_site(), tmp_path / "backups" / "onprem.tar"
    file.parent.mkdir()
    create = ("backup", "create", file)
    onprem(site, *create)  # the first one makes keys too
    file.unlink()
    steps = onprem(site, *create)
    assert steps is not None and sound(file)
    file.unlink()
    for step in (*range(1, steps, every), steps):
        assert onprem(site, *create, kill_at=step) is None
        assert not file.exists() or sound(file), step
        # What is left of it bears another name, and keeps none from being made.
        file.unlink(missing_ok=True)
    onprem(site, *create)
    assert sound(file)
    assert site.violations() == []


def is_new(site: CrashSite) -> bool:
    with closing(sqlite3.connect(site.directory.database)) as database:
        found = database.execute("SELECT count(*) FROM ledger WHERE kind = 'restored'").fetchone()
    return bool(found[0])


@pytest.mark.parametrize(
    "every",
    [
        200,
        pytest.param(20, marks=pytest.mark.ci),
        pytest.param(1, marks=[pytest.mark.soak, pytest.mark.timeout(3600)]),
    ],
)
def test_of_a_restore(make_site: MakeSite, tmp_path: Path, every: int) -> None:
    site = make_site()
    file = tmp_path / "onprem.tar"
    assert site.start()
    site.upload(tone(1.0), "media://a.wav")
    kept = site.diarize("media://a.wav")
    site.ended([kept])
    onprem(site, "backup", "create", file)
    later = site.diarize("media://a.wav")
    site.ended([later])
    assert site.stop() == 0
    old = tmp_path / "old"
    shutil.copytree(site.directory.root, old)
    restore = ("backup", "restore", file, "--yes")
    steps = onprem(site, *restore)
    assert steps is not None and is_new(site)

    seen = set()
    for step in (*range(1, steps, every), steps - 25, steps - 10):
        shutil.rmtree(site.directory.root)
        shutil.copytree(old, site.directory.root)
        assert onprem(site, *restore, kill_at=step) is None
        seen.add(new := is_new(site))
        # A start completes what is left to do, and what it shows is one state or the other.
        assert site.start()
        for job in (kept, later):
            shown = site.client.get(f"/v1/jobs/{job}").raise_for_status().json()
            assert ("output" in shown) is not new, (step, shown)
        assert site.stop() == 0
        assert site.violations() == [], step
        assert not site.directory.staging.exists()
        if step % 2:
            onprem(site, *restore)
            assert site.violations() == []
    assert seen == {False, True}
