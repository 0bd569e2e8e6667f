"""Putting a model folder in place in one step, so that nobody ever meets half a model."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from onprem.engine.manifest import MANIFEST
from onprem.errors import ModelFolderFull, ModelPresent

_PREFIX = ".staging-"


@contextmanager
def staging(library: Path) -> Iterator[Path]:
    """A temporary folder beside the models (so that renames are atomic), gone afterwards.

    One process at a time: a second waits here until the first has ended.
    """
    library.mkdir(parents=True, exist_ok=True)
    with _locked(library):
        _clear_leftovers(library)
        room = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=library))
        try:
            yield room
        finally:
            shutil.rmtree(room)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _clear_leftovers(library: Path) -> None:
    """Of processes that were killed; those that still run hold the lock."""
    for leftover in library.glob(f"{_PREFIX}*"):
        shutil.rmtree(leftover)


def require_room(library: Path, size: int) -> None:
    """Raise ModelFolderFull where the filesystem has less than `size` bytes to spare."""
    free = shutil.disk_usage(library).free
    if free < size:
        raise ModelFolderFull(folder=library, needed=size, free=free)


def put_in_place(staged: Path, target: Path, room: Path) -> None:
    """Make `staged` durable and rename it to `target`; a model there before goes with `room`.

    Raises ModelPresent where `target` is something that no fetch or import has made.
    """
    _sync_tree(staged)
    if target.exists():
        if not (target / MANIFEST).is_file():
            raise ModelPresent(model=target.name, folder=target.parent)
        target.rename(room / f"{target.name}.replaced")
    staged.rename(target)
    _sync(target.parent)


def _sync_tree(path: Path) -> None:
    if path.is_dir():
        for below in path.iterdir():
            _sync_tree(below)
    _sync(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
