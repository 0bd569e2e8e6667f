import asyncio
import os
from pathlib import Path

import pytest

from onprem.errors import WorkerMemoryExceeded
from onprem.media.worker_copy import WorkerCopy, WorkerMemory


def test_a_sealed_copy_cannot_be_changed_by_anybody_who_holds_the_descriptor() -> None:
    with WorkerCopy.create("test") as copy:
        copy.write(b"abc")
        copy.write(memoryview(b"def"))
        copy.seal()
        copy.seal()
        assert copy.sealed
        assert copy.size == 6
        with pytest.raises(PermissionError):
            copy.write(b"x")
        with pytest.raises(PermissionError):
            os.ftruncate(copy.fd, 0)


def test_a_copy_has_no_name_on_any_disk() -> None:
    with WorkerCopy.create("test") as copy:
        assert Path(f"/proc/self/fd/{copy.fd}").readlink() == Path("/memfd:test (deleted)")
        assert os.fstat(copy.fd).st_nlink == 0


def test_a_view_is_the_content_and_ends_with_its_block() -> None:
    with WorkerCopy.create("test") as copy:
        copy.write(b"abc")
        copy.seal()
        with copy.view() as view:
            assert view == b"abc"
            assert view.readonly
        with pytest.raises(ValueError):
            view[0]


def test_an_empty_copy_has_an_empty_view() -> None:
    with WorkerCopy.create("test") as copy, copy.view() as view:
        assert len(view) == 0


def test_a_closed_copy_says_so() -> None:
    copy = WorkerCopy.create("test")
    copy.close()
    copy.close()
    with pytest.raises(ValueError, match="closed"):
        copy.write(b"x")


async def test_reservations_are_served_in_the_order_they_came() -> None:
    memory = WorkerMemory(100)
    order: list[str] = []

    async def job(name: str, size: int) -> None:
        async with memory.reserve(size):
            order.append(name)
            await asyncio.sleep(0)

    async with memory.reserve(60) as lease:
        tasks = [asyncio.create_task(job(*what)) for what in (("large", 80), ("small", 10))]
        await asyncio.sleep(0.01)
        assert order == []  # the small one would fit, and waits behind the large one
        assert memory.in_use == 60
        lease.shrink(20)
        await asyncio.sleep(0.01)
        assert order[0] == "large"
    await asyncio.gather(*tasks)
    assert order == ["large", "small"]
    assert memory.in_use == 0


async def test_a_reservation_larger_than_the_budget_runs_alone() -> None:
    memory = WorkerMemory(100)
    async with memory.reserve(1000) as lease:
        assert (lease.size, memory.in_use, memory.limit) == (100, 100, 100)
        lease.check(100)
        with pytest.raises(WorkerMemoryExceeded, match="100 bytes"):
            lease.check(101)


async def test_a_lease_never_grows() -> None:
    memory = WorkerMemory(100)
    async with memory.reserve(10) as lease:
        lease.shrink(50)
        assert lease.size == memory.in_use == 10


async def test_a_canceled_wait_lets_the_next_one_in() -> None:
    memory = WorkerMemory(100)
    entered = asyncio.Event()

    async def wait(size: int) -> None:
        async with memory.reserve(size):
            entered.set()

    async with memory.reserve(50):
        blocked = asyncio.create_task(wait(80))
        behind = asyncio.create_task(wait(10))
        await asyncio.sleep(0.01)
        blocked.cancel()
        await asyncio.wait_for(entered.wait(), 1)
        await asyncio.gather(blocked, behind, return_exceptions=True)
        assert memory.in_use == 50
    assert memory.in_use == 0


async def test_a_cancel_in_the_moment_of_the_grant_gives_it_back() -> None:
    memory = WorkerMemory(100)

    async def wait() -> None:
        async with memory.reserve(80):
            raise AssertionError("canceled before it ran")

    async with memory.reserve(50):
        waiting = asyncio.create_task(wait())
        await asyncio.sleep(0.01)
    waiting.cancel()  # granted just now, but it has not run yet
    await asyncio.gather(waiting, return_exceptions=True)
    assert waiting.cancelled()
    assert memory.in_use == 0


async def test_a_copy_never_outgrows_its_lease() -> None:
    async with WorkerMemory(100).reserve(1000) as lease:
        with WorkerCopy.create("test", lease) as copy:
            copy.write(bytes(60))
            with pytest.raises(WorkerMemoryExceeded, match="100 bytes"):
                copy.write(memoryview(bytes(48)).cast("H"))
            assert copy.size == 60
            copy.write(bytes(40))
            assert copy.size == 100


async def test_a_copy_that_does_not_fit_names_the_whole_budget() -> None:
    async with WorkerMemory(100).reserve(30) as lease:
        with WorkerCopy.create("test", lease) as copy:
            with pytest.raises(WorkerMemoryExceeded, match="100 bytes"):
                copy.write(bytes(31))
