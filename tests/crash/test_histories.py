"""Histories at random: readable until its deadline, gone after it, and no promise is broken.

One server over a real store, driven through HTTP by hypothesis: submissions, reads, sweeps,
deletions, clock steps, crashes, restarts, backups and restores.
"""

import asyncio
import shutil
import tempfile
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings as profile, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from onprem.services.backup.create import BackupMaker
from onprem.services.backup.prepare import prepared
from onprem.services.invariants import check_invariants
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

HOUR, DAY = 3600.0, 86400.0
SOUND = tone(2.0)
KEYS = st.sampled_from(["media://a.wav", "media://b.wav"])
USER = "user:0"


class Histories(RuleBasedStateMachine):
    """`outputs` and `media` are the model: when each is due, by the time that truly passed."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.Runner()
        self.clock = FakeClock()
        self.true_time = self.clock.now()
        self.homes = Path(tempfile.mkdtemp())
        self.home = self.homes / "0"
        self.home.mkdir()
        self.key = self.loop.run(install(settings_in(self.home), self.clock))
        self.outputs: dict[str, float] = {}
        self.media: dict[str, float] = {}
        self.deleted: set[str] = set()
        self.backups = 0
        self.crashes = 0
        self.context: AbstractAsyncContextManager[Running] | None = None

    @initialize()
    def start(self) -> None:
        self.engine = FakeEngine()
        self.context = running(settings_in(self.home), self.engine, self.key, self.clock)
        self.server = self.loop.run(self.context.__aenter__())

    def stop(self) -> None:
        if self.context is not None:
            self.loop.run(self.context.__aexit__(None, None, None))
            self.context = None

    def check(self) -> None:
        """Of a directory that no server runs on."""
        storage = settings_in(self.home)
        directory = DataDirectory(storage.storage.data_dir, storage.keys_dir)
        assert self.loop.run(check_invariants(directory, self.clock.now())) == []

    # -- what clients do

    @rule(url=KEYS)
    def upload(self, url: str) -> None:
        self.loop.run(self.server.upload(SOUND, url))
        self.media[url] = self.true_time + 2 * DAY

    @rule(url=KEYS, life=st.sampled_from([None, 600, 3600]))
    def submit(self, url: str, life: int | None) -> None:
        body: dict[str, object] = {"url": url} | ({"outputRetention": life} if life else {})
        answer = self.loop.run(self.server.client.post("/v1/diarize", json=body))
        if self.media.get(url, 0.0) <= self.true_time:
            assert answer.status_code == 400
            return
        job_id = answer.json()["jobId"]
        assert self.loop.run(self.server.finished(job_id))["status"] == "succeeded"
        self.outputs[job_id] = self.true_time + (life or DAY)

    @precondition(lambda self: self.outputs)
    @rule(data=st.data())
    def delete_a_job(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.outputs)))
        self.loop.run(self.server.client.delete(f"/v1/jobs/{job_id}"))
        del self.outputs[job_id]
        self.deleted.add(job_id)

    @precondition(lambda self: self.outputs)
    @rule(data=st.data())
    def correct(self, data: st.DataObject) -> None:
        job_id = data.draw(st.sampled_from(sorted(self.outputs)))
        body = {"speakers": {"SPEAKER_00": "Ada"}}
        answer = self.loop.run(self.server.client.put(f"/v1/jobs/{job_id}/edits", json=body))
        assert (answer.status_code == 200) == (self.outputs[job_id] > self.true_time)

    # -- what happens to the machine

    @rule(seconds=st.sampled_from([30.0, 599.0, 601.0, HOUR, DAY - 1, DAY, 2 * DAY]))
    def time_passes(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.true_time += seconds

    @rule(step=st.sampled_from([-3 * DAY, -HOUR, HOUR, 3650 * DAY]))
    def the_clock_is_set(self, step: float) -> None:
        self.clock.step_wall(step)

    @rule()
    def sweep(self) -> None:
        self.loop.run(self.server.server.sweep.run())

    @rule()
    def restart(self) -> None:
        self.stop()
        self.start()

    @rule()
    def crash(self) -> None:
        """What is on the disk at this moment is all that the next start finds."""
        self.crashes += 1
        after = self.homes / str(self.crashes)
        shutil.copytree(self.home, after)
        self.stop()
        self.home = after
        self.start()

    # -- what operators do

    @rule()
    def back_up(self) -> None:
        self.backups += 1
        self.loop.run(self._back_up(self.homes / f"backup-{self.backups}"))

    async def _back_up(self, to: Path) -> None:
        settings = settings_in(self.home)
        database = Database(settings.storage.data_dir / "onprem.sqlite3")
        await database.open()
        try:
            master = MasterKey.read(self.home / "master.key")
            await BackupMaker(database, self.clock, master, settings).create(to, actor=USER)
        finally:
            await database.close()

    @precondition(lambda self: self.backups)
    @rule(data=st.data())
    def restore(self, data: st.DataObject) -> None:
        number = data.draw(st.integers(1, self.backups))
        self.stop()
        self.loop.run(self._restore(self.homes / f"backup-{number}"))
        # No backup holds content.
        self.outputs.clear()
        self.media.clear()
        self.check()
        self.start()

    async def _restore(self, backup: Path) -> None:
        settings, key = settings_in(self.home), self.home / "master.key"
        async with prepared(backup, settings, key, self.clock) as ready:
            await ready.carry_out(actor=USER)

    # -- what must hold at any moment

    @invariant()
    def outputs_are_readable_until_their_deadline(self) -> None:
        if self.context is None:
            return
        for job_id, due in self.outputs.items():
            answer = self.loop.run(self.server.client.get(f"/v1/jobs/{job_id}/output"))
            assert answer.status_code == (200 if self.true_time < due else 410)

    @invariant()
    def what_was_deleted_stays_unknown(self) -> None:
        if self.context is None:
            return
        for job_id in self.deleted:
            answer = self.loop.run(self.server.client.get(f"/v1/jobs/{job_id}/output"))
            assert answer.status_code == 404

    def teardown(self) -> None:
        self.stop()
        self.start()  # what a start sweeps and recovers
        self.stop()
        self.check()
        self.loop.close()
        shutil.rmtree(self.homes)


@pytest.mark.ci
def test_no_history_breaks_a_promise() -> None:
    run_state_machine_as_test(
        Histories,
        settings=profile(
            max_examples=25,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
