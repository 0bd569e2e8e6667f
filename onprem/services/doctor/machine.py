"""What of the machine puts the promises at risk."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding
from onprem.services.doctor.host.core_dumps import dump_handler
from onprem.services.doctor.host.encryption import encrypted
from onprem.services.doctor.host.mounts import Mount, mount_of
from onprem.services.doctor.host.swap import plain_swap, swap_forbidden
from onprem.services.doctor.host.sweep_timer import sweep_timer_enabled

LEAST_FREE = 0.1
"""Of the disk."""


def machine(root: Path = Path("/")) -> Iterator[Finding]:
    swap = plain_swap(root)
    if swap and not swap_forbidden(root):
        yield catalogue.SWAP_ACTIVE.found(devices=", ".join(swap))
    if handler := dump_handler(root):
        yield catalogue.CORE_DUMPS.found(handler=handler)
    enabled = sweep_timer_enabled(root)
    if enabled is None:
        yield catalogue.SWEEP_TIMER_UNKNOWN.found()
    elif not enabled:
        yield catalogue.SWEEP_TIMER_MISSING.found()


def volumes(data_dir: Path, keys_dir: Path, root: Path = Path("/")) -> Iterator[Finding]:
    """Of the data, and of the record keys where they have a volume of their own."""
    data, keys = mount_of(data_dir, root), mount_of(keys_dir, root)
    yield from _volume(data_dir, data, root)
    if keys is None or keys != data:
        yield from _volume(keys_dir, keys, root)
    else:
        yield catalogue.KEY_COPIES_UNKNOWN.found(path=keys_dir)
    usage = shutil.disk_usage(data_dir)
    if usage.free < LEAST_FREE * usage.total:
        yield catalogue.DISK_NEARLY_FULL.found(path=data_dir, free=f"{usage.free / 2**30:.1f} GiB")


def _volume(folder: Path, mount: Mount | None, root: Path) -> Iterator[Finding]:
    if mount is None:
        why = "/proc/self/mountinfo cannot be read"
        yield catalogue.ENCRYPTION_UNKNOWN.found(path=folder, why=why)
        return
    facts = {"path": folder, "filesystem": mount.filesystem}
    if mount.copies_on_write:
        yield catalogue.COPY_ON_WRITE.found(**facts)
    if mount.remote:
        yield catalogue.NETWORK_FILESYSTEM.found(**facts)
    if "data=journal" in mount.options:
        yield catalogue.DATA_JOURNAL.found(**facts)
    below = encrypted(mount.device, root)
    if below is None:
        why = f"{mount.filesystem} shows no block device"
        yield catalogue.ENCRYPTION_UNKNOWN.found(path=folder, why=why)
    elif not below:
        yield catalogue.NOT_ENCRYPTED.found(path=folder, device=mount.source)
