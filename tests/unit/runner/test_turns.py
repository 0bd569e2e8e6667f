"""A long run gives way to short ones at its cancel points, and no more than it must."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from onprem.core.cancel import Canceled, CancelReason
from onprem.runner import turns as turns_module
from onprem.runner.turns import MOST_OWED_SECONDS, RunToken, Turns


class Seconds:
    """A monotonic clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def turns(seconds: Seconds) -> Turns:
    return Turns(seconds)


class LongRun:
    """A run on a thread of its own, which reaches its next cancel point when `step` says so."""

    def __init__(self, turns: Turns) -> None:
        self.token = RunToken()
        self.passed = 0
        self._turns = turns
        self._go = threading.Semaphore(0)
        self._at_rest = threading.Semaphore(0)
        self._ends = False
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        with self._turns.long(), self.token.giving_way(self._turns):
            self._at_rest.release()
            while self._go.acquire() and not self._ends:
                try:
                    self.token.check()
                except Canceled:
                    self._at_rest.release()
                    return
                self.passed += 1
                self._at_rest.release()

    async def start(self) -> None:
        self._thread.start()
        await asyncio.to_thread(self._at_rest.acquire)

    def step(self) -> None:
        """Reach a cancel point; `rested` tells when it was passed."""
        self._go.release()

    async def rested(self) -> None:
        await asyncio.to_thread(self._at_rest.acquire)

    async def end(self) -> None:
        self._ends = True
        self._go.release()
        await asyncio.to_thread(self._thread.join)


@asynccontextmanager
async def running_long(turns: Turns) -> AsyncIterator[LongRun]:
    run = LongRun(turns)
    await run.start()
    try:
        yield run
    finally:
        await run.end()


@asynccontextmanager
async def asking(turns: Turns) -> AsyncIterator[tuple[asyncio.Event, Callable[[], None]]]:
    """A short run that wants its turn: an event when it has it, and the way to end it."""
    began, finish = asyncio.Event(), asyncio.Event()

    async def short() -> None:
        async with turns.short():
            began.set()
            await finish.wait()

    task = asyncio.create_task(short())
    await asyncio.sleep(0)  # so that it has asked
    try:
        yield began, finish.set
    finally:
        finish.set()
        await task


async def test_alone_a_short_run_begins_at_once(turns: Turns) -> None:
    async with asking(turns) as (began, _):
        assert began.is_set()


async def test_a_short_run_begins_when_the_long_one_reaches_a_cancel_point(turns: Turns) -> None:
    async with running_long(turns) as long, asking(turns) as (began, finish):
        assert not began.is_set()
        long.step()
        await began.wait()
        assert long.passed == 0  # it waits at that point
        finish()
        await long.rested()
        assert long.passed == 1


async def test_nobody_asks_nobody_waits(turns: Turns) -> None:
    async with running_long(turns) as long:
        long.step()
        await long.rested()
        assert (long.passed, long.token.paused) == (1, 0.0)


async def test_what_a_short_run_took_the_long_one_has_before_it_pauses_again(
    turns: Turns, seconds: Seconds
) -> None:
    async with running_long(turns) as long:
        async with asking(turns) as (began, finish):
            long.step()
            await began.wait()
            seconds.now += 8
            finish()
            await long.rested()
        assert long.token.paused == 8
        async with asking(turns) as (began, finish):
            seconds.now += 7.9
            long.step()
            await long.rested()
            assert not began.is_set()
            seconds.now += 0.1
            long.step()
            await began.wait()
            finish()
            await long.rested()


async def test_no_more_than_a_bound_is_owed(turns: Turns, seconds: Seconds) -> None:
    async with running_long(turns) as long:
        async with asking(turns) as (began, finish):
            long.step()
            await began.wait()
            seconds.now += 500
            finish()
            await long.rested()
        seconds.now += MOST_OWED_SECONDS
        async with asking(turns) as (began, finish):
            long.step()
            await began.wait()
            finish()
            await long.rested()


async def test_a_cancel_reaches_a_run_that_pauses(turns: Turns) -> None:
    async with running_long(turns) as long, asking(turns) as (began, _):
        long.step()
        await began.wait()
        long.token.cancel(CancelReason.USER)
        await long.rested()
        assert long.passed == 0


async def test_a_short_run_that_is_canceled_while_it_waits_holds_up_nobody(turns: Turns) -> None:
    async with running_long(turns) as long:

        async def short() -> None:
            async with turns.short():
                raise AssertionError("it was canceled before its turn")

        task = asyncio.create_task(short())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        long.step()
        await long.rested()
        assert long.passed == 1


async def test_a_long_run_that_ends_leaves_the_turn(turns: Turns) -> None:
    async with asking(turns) as (first, finish):
        assert first.is_set()
        finish()
    async with running_long(turns) as long, asking(turns) as (began, _):
        await long.end()
        await began.wait()


async def test_patience_ends_where_no_cancel_point_is_reached(
    turns: Turns, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns_module, "PATIENCE_SECONDS", 0.01)
    monkeypatch.setattr(turns_module, "OWED_PATIENCE_SECONDS", 0.01)
    async with running_long(turns), asking(turns) as (began, _):
        await began.wait()
