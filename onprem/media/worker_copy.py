"""Worker copies: fetched and decoded audio, in memory that no disk ever sees.

A worker copy is an anonymous sealed memfd. It has no name, so that `kill -9` leaves nothing to
reap, and no blocks, so that a raw device holds none of it (an `O_TMPFILE` on ext4 leaves every
byte there). Its memory is counted by `WorkerMemory`, since a memfd can neither be paged in again
nor refused: a job waits until its copies fit.
"""

import asyncio
import fcntl
import mmap
import os
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import Self

from onprem.errors import WorkerMemoryExceeded

_SEALS = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL


class WorkerCopy:
    """One copy. Written once, sealed, read by descriptor or mapping, gone with `close`."""

    def __init__(self, descriptor: int, lease: "Lease | None" = None) -> None:
        self._descriptor = descriptor
        self._lease = lease

    @classmethod
    def create(cls, name: str, lease: "Lease | None" = None) -> Self:
        """An empty copy, which `write` never lets grow beyond `lease`, if there is one.

        `name` shows in /proc only: never put content or a URL in it.
        """
        return cls(os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING), lease)

    @property
    def fd(self) -> int:
        """The descriptor.

        Raises:
            ValueError: the copy is closed.
        """
        if self._descriptor < 0:
            raise ValueError("the worker copy is closed")
        return self._descriptor

    @property
    def size(self) -> int:
        """Bytes written so far."""
        return os.fstat(self.fd).st_size

    @property
    def memory(self) -> int:
        """Bytes of memory that it takes, in whole pages; where nothing was written, none."""
        return os.fstat(self.fd).st_blocks * 512

    @property
    def sealed(self) -> bool:
        return bool(fcntl.fcntl(self.fd, fcntl.F_GET_SEALS) & fcntl.F_SEAL_WRITE)

    def write(self, chunk: bytes | memoryview) -> None:
        """Append all of `chunk`.

        Raises:
            WorkerMemoryExceeded: the lease has no room for it; nothing of it was written.
            PermissionError: the copy is sealed.
        """
        rest = memoryview(chunk)
        self.require_room(self.size + rest.nbytes)
        while rest:
            rest = rest[os.write(self.fd, rest) :]

    def require_room(self, size: int) -> None:
        """Raises WorkerMemoryExceeded where the lease is smaller than `size` bytes in all."""
        if self._lease is not None:
            self._lease.check(size)

    def seal(self) -> None:
        """Make the bytes final for everybody who holds the descriptor. Sealing twice is fine."""
        if not self.sealed:
            fcntl.fcntl(self.fd, fcntl.F_ADD_SEALS, _SEALS)

    @contextmanager
    def view(self, start: int = 0, length: int | None = None) -> Iterator[memoryview]:
        """Map the sealed bytes, or a part of them, for reading, without copying them.

        `start` must be a multiple of the page size. MAP_PRIVATE, because kernels before 6.7
        refuse a shared mapping of a write-sealed memfd.
        """
        size = self.size - start if length is None else length
        if size == 0:
            yield memoryview(b"")
            return
        mapping = mmap.mmap(
            self.fd, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ, offset=start
        )
        content = memoryview(mapping)
        try:
            yield content
        finally:
            # A traceback may still hold an array over it; the mapping then goes with that one.
            with suppress(BufferError):
                content.release()
                mapping.close()

    def close(self) -> None:
        """Give the memory back, once no mapping is left. Closing twice is fine."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Lease:
    """Bytes of worker memory that one job holds."""

    def __init__(self, memory: "WorkerMemory", size: int) -> None:
        self._memory = memory
        self._size = size

    @property
    def size(self) -> int:
        """Bytes held."""
        return self._size

    def shrink(self, to_bytes: int) -> None:
        """Give back early what is above `to_bytes`; a larger figure changes nothing."""
        given_back = self._size - to_bytes
        if given_back > 0:
            self._size = to_bytes
            self._memory._give_back(given_back)

    def check(self, needed: int) -> None:
        """Hold a copy against the lease.

        Raises:
            WorkerMemoryExceeded: `needed` bytes are more than the lease holds. It names the
                whole budget, which is what an operator can raise.
        """
        if needed > self._size:
            raise WorkerMemoryExceeded(limit=self._memory.limit)


class WorkerMemory:
    """The budget of bytes for all worker copies of the server: first come, first served.

    A large job at the head holds back the small ones behind it, so that it cannot starve.
    """

    def __init__(self, limit_bytes: int) -> None:
        self._limit = limit_bytes
        self._in_use = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @property
    def limit(self) -> int:
        """Bytes that may be in use at once."""
        return self._limit

    @property
    def in_use(self) -> int:
        """Bytes that are leased now."""
        return self._in_use

    @asynccontextmanager
    async def reserve(self, size: int) -> AsyncIterator[Lease]:
        """Wait until `size` bytes are free and hold them; all of the budget at most.

        A job larger than the budget gets the whole of it, and so runs alone; should its copies
        then really not fit, it ends with `WorkerMemoryExceeded`.
        """
        lease = await self.lease(size)
        try:
            yield lease
        finally:
            lease.shrink(0)

    async def lease(self, size: int) -> Lease:
        """As `reserve`; whoever has it in the end gives it back with `shrink(0)`."""
        size = min(size, self._limit)
        await self._take(size)
        return Lease(self, size)

    async def _take(self, size: int) -> None:
        if not self._waiting and self._in_use + size <= self._limit:
            self._in_use += size
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.cancelled():
                self._waiting.remove((size, turn))
                self._grant()  # the one who left may have held back smaller ones
            else:
                self._give_back(size)  # granted in the same moment
            raise

    def _give_back(self, size: int) -> None:
        self._in_use -= size
        self._grant()

    def _grant(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if turn.cancelled() or self._in_use + size > self._limit:
                return  # a cancelled one leaves by itself, and grants again
            self._waiting.popleft()
            self._in_use += size
            turn.set_result(None)
