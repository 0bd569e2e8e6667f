"""Filesystems of a test's own: in memory and small, or on a device that can be read raw."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def may_mount(folder: Path) -> bool:
    """Whether this user may mount here, also images as devices."""
    folder.mkdir()
    image = folder / "probe.img"
    image.write_bytes(b"")
    os.truncate(image, 1 << 20)
    place = folder / "probe"
    place.mkdir()
    try:
        _run("mkfs.ext4", "-q", "-F", str(image))
        _run("mount", "-o", "loop", str(image), str(place))
        _run("umount", str(place))
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


@contextmanager
def memory_disk(place: Path, megabytes: int) -> Iterator[None]:
    """A tmpfs at `place`, which is made (0700)."""
    place.mkdir(mode=0o700)
    _run("mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "tmpfs", str(place))
    try:
        yield
    finally:
        _run("umount", "--lazy", str(place))


class Device:
    """An ext4 filesystem in the file `device.img` of a folder, mounted at `place`."""

    def __init__(self, folder: Path, megabytes: int) -> None:
        self._image = folder / "device.img"
        self.place = folder / "device"
        self.place.mkdir()
        self._image.touch()
        os.truncate(self._image, megabytes << 20)
        _run("mkfs.ext4", "-q", "-F", str(self._image))
        self.mount()

    def mount(self) -> None:
        _run("mount", "-o", "loop", str(self._image), str(self.place))

    def unmount(self) -> None:
        _run("umount", str(self.place))

    def raw(self) -> bytes:
        """All its blocks. Nothing on it may be open; it is mounted again after that."""
        os.sync()
        self.unmount()
        try:
            return self._image.read_bytes()
        finally:
            self.mount()


@contextmanager
def device(folder: Path, megabytes: int) -> Iterator[Device]:
    made = Device(folder, megabytes)
    try:
        yield made
    finally:
        _run("umount", "--lazy", str(made.place))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
