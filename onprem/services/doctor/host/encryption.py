"""Whether a block device is encrypted by this machine: dm-crypt at it, or below all of it."""

from pathlib import Path


def encrypted(device: str, root: Path = Path("/")) -> bool | None:
    """`device` as `major:minor`. None: it is no block device, or sysfs does not tell."""
    if device.startswith("0:"):  # no device of its own: tmpfs, btrfs, zfs, network
        return None
    folder = root / "sys/dev/block" / device
    return _encrypted(folder) if folder.exists() else None


def _encrypted(folder: Path) -> bool:
    try:
        if (folder / "dm/uuid").read_text().startswith("CRYPT-"):
            return True
    except OSError:  # no device mapper's
        pass
    try:
        below = list((folder / "slaves").iterdir())
    except OSError:  # a partition has none
        below = []
    return bool(below) and all(map(_encrypted, below))
