"""On which filesystem a folder lies, from /proc/self/mountinfo."""

import re
from pathlib import Path

import msgspec

COPY_ON_WRITE = frozenset({"btrfs", "zfs", "overlay", "bcachefs", "nilfs2", "aufs"})
NETWORK = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "ceph", "glusterfs", "lustre", "9p", "virtiofs"}
)

_OCTAL = re.compile(r"\\([0-7]{3})")


class Mount(msgspec.Struct, frozen=True):
    """`device` as `major:minor`; `options` also those of the superblock."""

    point: Path
    device: str
    filesystem: str
    source: str
    options: frozenset[str]

    @property
    def copies_on_write(self) -> bool:
        return self.filesystem in COPY_ON_WRITE

    @property
    def remote(self) -> bool:
        """Whether another machine, or a program, stands behind it."""
        return self.filesystem in NETWORK or self.filesystem.startswith("fuse")


def mount_of(folder: Path, root: Path = Path("/")) -> Mount | None:
    """None: the kernel does not tell."""
    try:
        lines = (root / "proc/self/mountinfo").read_text().splitlines()
    except OSError:
        return None
    resolved = folder.resolve()
    found = None
    for mount in map(_mount, lines):
        # Of two at the same place the later one covers the earlier one.
        if resolved.is_relative_to(mount.point) and (
            found is None or len(mount.point.parts) >= len(found.point.parts)
        ):
            found = mount
    return found


def _mount(line: str) -> Mount:
    """As proc(5) has it: ID parent device root point options … - type source super-options."""
    first, _, second = line.partition(" - ")
    _, _, device, _, point, options, *_ = first.split()
    filesystem, source, *super_options = second.split()
    every = [*options.split(","), *(super_options[0].split(",") if super_options else [])]
    return Mount(Path(_unescaped(point)), device, filesystem, source, frozenset(every))


def _unescaped(text: str) -> str:
    return _OCTAL.sub(lambda found: chr(int(found[1], 8)), text)
