"""Deadlines under an injected clock: never early, at most a minute of powered time late."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onprem.services.sweep import SWEEP_SECONDS
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

HOUR, DAY, YEAR = 3600.0, 86400.0, 365 * 86400.0


class Kept:
    """A server with one finished job on one upload, and what of them can be read and found."""

    def __init__(self, server: Running, clock: FakeClock, job_id: str) -> None:
        self.server = server
        self.clock = clock
        self.job_id = job_id

    async def output(self) -> int:
        return (await self.server.client.get(f"/v1/jobs/{self.job_id}/output")).status_code

    async def media(self) -> int:
        answer = await self.server.client.post("/v1/media/output", json={"url": "media://a.wav"})
        return answer.status_code

    async def stored(self) -> set[str]:
        """Kinds of which bytes are on the disk."""
        rows = await self.server.server.use.compliance.report()
        return {kind.value for kind, state in rows.kinds.items() if state.live}

    async def until_gone(self, kind: str) -> float:
        """Seconds of powered time until no byte of `kind` is left, with the sweep at its pace."""
        passed = 0.0
        while kind in await self.stored():
            self.clock.advance(SWEEP_SECONDS)
            passed += SWEEP_SECONDS
            await self.server.server.sweep.run()
            assert passed < 10 * SWEEP_SECONDS
        return passed


@pytest.fixture
async def kept(tmp_path: Path) -> AsyncIterator[Kept]:
    clock = FakeClock()
    settings = settings_in(tmp_path)
    key = await install(settings, clock)
    async with running(settings, FakeEngine(), key, clock) as server:
        await server.upload(tone(2.0))
        job_id = await server.diarize(url="media://a.wav")
        await server.finished(job_id)
        yield Kept(server, clock, job_id)


async def test_an_output_is_there_a_second_before_its_deadline_and_not_at_it(kept: Kept) -> None:
    kept.clock.advance(DAY - 1)
    assert await kept.output() == 200
    kept.clock.advance(1)
    assert await kept.output() == 410  # no sweep has run
    assert "output" in await kept.stored()
    assert await kept.until_gone("output") <= 60


async def test_an_upload_is_there_a_second_before_its_deadline_and_not_at_it(kept: Kept) -> None:
    kept.clock.advance(2 * DAY - 1)
    assert await kept.media() == 201
    kept.clock.advance(1)
    assert await kept.media() == 400
    assert await kept.until_gone("media") <= 60


@pytest.mark.parametrize("synchronised", [True, False])
@pytest.mark.parametrize("step", [-HOUR, -3 * DAY])
async def test_a_clock_that_is_set_back_prolongs_nothing(
    kept: Kept, step: float, synchronised: bool
) -> None:
    kept.clock.advance(HOUR)
    kept.clock.step_wall(step, synchronised=synchronised)
    kept.clock.advance(DAY - HOUR - 1)
    await kept.server.server.sweep.run()
    assert await kept.output() == 200
    kept.clock.advance(1)
    assert await kept.output() == 410
    assert await kept.until_gone("output") <= 60


@pytest.mark.parametrize("step", [HOUR, 10 * YEAR])
async def test_a_clock_that_is_set_ahead_deletes_nothing_early(kept: Kept, step: float) -> None:
    kept.clock.advance(HOUR)
    kept.clock.step_wall(step)
    for _ in range(5):
        kept.clock.advance(60)
        await kept.server.server.sweep.run()
    kept.clock.advance(DAY - HOUR - 301)
    await kept.server.server.sweep.run()
    assert await kept.output() == 200
    kept.clock.advance(1)
    assert await kept.output() == 410
    assert await kept.until_gone("output") <= 60


async def test_a_suspend_over_the_deadline_makes_late_by_the_next_sweep_only(kept: Kept) -> None:
    kept.clock.advance(3 * DAY)  # asleep: CLOCK_BOOTTIME goes on, nobody sweeps
    assert await kept.output() == 410
    assert await kept.until_gone("output") <= 60


async def test_what_was_set_ahead_does_not_shorten_what_is_kept_afterwards(kept: Kept) -> None:
    kept.clock.step_wall(10 * YEAR)
    job_id = await kept.server.diarize(url="media://a.wav")
    await kept.server.finished(job_id)
    kept.job_id = job_id
    kept.clock.step_wall(-10 * YEAR, synchronised=True)
    kept.clock.advance(DAY - 1)
    assert await kept.output() == 200
    kept.clock.advance(1)
    assert await kept.output() == 410


async def test_what_is_kept_while_retention_time_lags_lives_its_whole_time(kept: Kept) -> None:
    """As after a boot, until the clock is synchronised: 3 days off are then made up for."""
    kept.clock.advance(60)
    kept.clock.step_wall(3 * DAY)
    await kept.server.server.sweep.run()
    late = await kept.server.diarize(url="media://a.wav")
    await kept.server.finished(late)
    early, kept.job_id = kept.job_id, late
    kept.clock.sources.is_synchronised = True
    for _ in range(40):
        kept.clock.advance(SWEEP_SECONDS)
        await kept.server.server.sweep.run()
    passed = 40 * SWEEP_SECONDS
    assert kept.clock.now() == pytest.approx(kept.clock.wall())
    assert (await kept.server.client.get(f"/v1/jobs/{early}/output")).status_code == 410
    kept.clock.advance(DAY - passed - 1)
    await kept.server.server.sweep.run()
    assert await kept.output() == 200
    kept.clock.advance(1)
    assert await kept.output() == 410
