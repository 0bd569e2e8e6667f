"""Looking for bytes in every place on this machine where ours could lie.

In a child process: when a process closes a file, POSIX drops all locks that it holds on it, and
SQLite's locks on the database are such. What is looked for goes through a pipe, never an argument.
"""

import asyncio
import os
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

CHUNK = 1 << 20

JOURNALS = (Path("/var/log/journal"), Path("/run/log/journal"))


class Hit(msgspec.Struct, frozen=True):
    """A pattern, by its name, that was found in a file of a place."""

    pattern: str
    place: str
    file: str


class Scan(msgspec.Struct, frozen=True):
    hits: list[Hit]
    files: int
    bytes: int


class Place(msgspec.Struct, frozen=True):
    """Folders with all below them. `foreign`: others keep files there too, of which only our
    user's are read."""

    name: str
    paths: list[Path]
    foreign: bool = False


class Order(msgspec.Struct, frozen=True):
    """What the child is asked: patterns by name, of which none may be empty."""

    places: list[Place]
    patterns: dict[str, list[bytes]]
    changed_since: float | None


def open_files(pid: int) -> Path:
    """The folder of what a process holds open: deleted files and memory files too."""
    return Path(f"/proc/{pid}/fd")


def places(data: Path, keys: Path) -> list[Place]:
    """Where bytes can live: data, record keys, temporary files, shared memory, what this process
    holds open, logs."""
    temporary = {Path(tempfile.gettempdir()), Path("/var/tmp")}  # noqa: S108
    return [
        Place("data directory", [data]),
        Place("record keys", [keys]),
        Place("temporary files", sorted(temporary), foreign=True),
        Place("shared memory", [Path("/dev/shm")], foreign=True),  # noqa: S108
        Place("files that the server holds open", [open_files(os.getpid())]),
        Place("journal", list(JOURNALS)),
    ]


async def scan(
    where: Sequence[Place], patterns: Mapping[str, list[bytes]], *, changed_since: float | None
) -> Scan:
    """Read every file that may have been written since a time of the wall clock; None: every one.

    A file that goes away meanwhile, or that our user may not read, is passed over. A cancellation
    kills the child.

    Raises:
        OSError: the child did not come to its end.
    """
    order = Order(list(where), dict(patterns), changed_since)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "onprem.store.byte_scan"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    try:
        answer, _ = await child.communicate(msgspec.json.encode(order, enc_hook=str))
    except BaseException:
        child.kill()
        await child.wait()
        raise
    if child.returncode != 0:
        raise OSError(f"the scan of bytes ended early, with status {child.returncode}")
    return msgspec.json.decode(answer, type=Scan)


def carried_out(order: Order) -> Scan:
    """What the child does."""
    hits, files, size = [], 0, 0
    for place in order.places:
        for path in _files(place, order.changed_since):
            with suppress(OSError):
                found, read = _search(path, order.patterns)
                hits += [Hit(name, place.name, _shown(path, place)) for name in found]
                files, size = files + 1, size + read
    return Scan(hits, files, size)


def _files(place: Place, changed_since: float | None) -> Iterator[Path]:
    for root in place.paths:
        for path in _below(root):
            try:
                status = path.stat()  # of what an open descriptor leads to
            except OSError:
                continue
            ours = not place.foreign or status.st_uid == os.geteuid()
            fresh = changed_since is None or status.st_mtime >= changed_since
            if stat.S_ISREG(status.st_mode) and ours and fresh:
                yield path


def _below(root: Path) -> Iterator[Path]:
    if _is_of_a_process(root):
        with suppress(OSError):
            yield from list(root.iterdir())
        return
    for folder, _, names in os.walk(root):
        yield from (Path(folder) / name for name in names)


def _search(path: Path, patterns: Mapping[str, list[bytes]]) -> tuple[set[str], int]:
    """Names of the patterns that are in the file, and how many bytes it has."""
    overlap = max(len(each) for several in patterns.values() for each in several) - 1
    found: set[str] = set()
    size, tail = 0, b""
    with path.open("rb", buffering=0) as file:
        while chunk := file.read(CHUNK):
            size += len(chunk)
            text = tail + chunk
            for name, several in patterns.items():
                if name not in found and any(each in text for each in several):
                    found.add(name)
            tail = text[-overlap:] if overlap else b""
    return found, size


def _shown(path: Path, place: Place) -> str:
    """Its name within the place; of an open file what it leads to, which may be a memory file."""
    if _is_of_a_process(path.parent):
        with suppress(OSError):
            return str(path.readlink())
        return path.name
    root = next(root for root in place.paths if path.is_relative_to(root))
    return str(path.relative_to(root))


def _is_of_a_process(folder: Path) -> bool:
    return folder.parts[1:2] == ("proc",)


def _path(kind: type, value: str) -> Path:
    return Path(value)


def main() -> None:
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order, dec_hook=_path)
    sys.stdout.buffer.write(msgspec.json.encode(carried_out(order)))


if __name__ == "__main__":
    main()
