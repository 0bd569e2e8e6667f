"""Long and short runs on real threads, with cancels at random: nobody is stuck, one computes."""

import asyncio
import random
import secrets
import threading
import time

from onprem.core.cancel import Canceled, CancelReason
from onprem.runner.accelerator import Accelerator
from onprem.runner.lanes import Lane
from onprem.runner.turns import RunToken

STEP = 0.0005


class Witness:
    """Who computes now. A run that pauses at a cancel point does not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._at_work: set[Lane] = set()
        self.most = 0

    def begins(self, lane: Lane) -> None:
        with self._lock:
            self._at_work.add(lane)
            self.most = max(self.most, len(self._at_work))

    def rests(self, lane: Lane) -> None:
        with self._lock:
            self._at_work.discard(lane)


async def test_runs_of_two_lanes_share_one_accelerator() -> None:
    seed = secrets.randbits(32)
    print(f"seed {seed}")
    luck = random.Random(seed)
    accelerator, witness = Accelerator(), Witness()
    done: list[Lane] = []
    waiting: set[RunToken] = set()
    canceled = 0

    def compute(lane: Lane, token: RunToken, steps: int) -> None:
        for _ in range(steps):
            witness.begins(lane)
            time.sleep(STEP)
            witness.rests(lane)
            token.check()

    async def run(lane: Lane, token: RunToken, steps: int) -> None:
        nonlocal canceled
        waiting.add(token)
        try:
            async with accelerator.turn(lane):
                waiting.discard(token)
                await accelerator.run(lane, token, lambda: compute(lane, token, steps))
        except (Canceled, asyncio.CancelledError):
            canceled += 1
        else:
            done.append(lane)

    tasks = []
    for _ in range(60):
        lane = luck.choice([Lane.LONG, Lane.SHORT, Lane.SHORT])
        token = RunToken()
        steps = luck.randrange(20, 60) if lane is Lane.LONG else luck.randrange(1, 10)
        task = asyncio.create_task(run(lane, token, steps))
        tasks.append(task)
        await asyncio.sleep(luck.random() * 4 * STEP)
        if luck.random() < 0.3:
            token.cancel(CancelReason.USER)
            if token in waiting:
                task.cancel()
    async with asyncio.timeout(60):
        await asyncio.gather(*tasks)
    accelerator.close()

    assert len(done) + canceled == 60
    assert {Lane.LONG, Lane.SHORT} <= set(done)
    assert witness.most == 1
