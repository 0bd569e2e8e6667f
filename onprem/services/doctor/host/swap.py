"""Whether the kernel may write the server's memory to a disk."""

import re
from pathlib import Path

from onprem.services.doctor.host.encryption import encrypted

_UNIT = "system.slice/onprem.service"
_UNIT_FILES = ("etc/systemd/system/onprem.service", "usr/lib/systemd/system/onprem.service")


def plain_swap(root: Path = Path("/")) -> list[str]:
    """Active swap that is neither compressed memory nor a dm-crypt device."""
    try:
        rows = (root / "proc/swaps").read_text().splitlines()[1:]
    except OSError:
        return []
    names = [row.split()[0] for row in rows if row.strip()]
    return [name for name in names if not _harmless(name, root)]


def swap_forbidden(root: Path = Path("/")) -> bool:
    """Whether a control group keeps the service, or this very process, out of swap."""
    return _limited(root, _UNIT) or _unit_says_so(root) or _limited(root, _own_group(root))


def _harmless(name: str, root: Path) -> bool:
    if Path(name).name.startswith("zram"):
        return True
    resolved = (root / name.lstrip("/")).resolve()
    try:
        device = (root / "sys/class/block" / resolved.name / "dev").read_text().strip()
    except OSError:
        return False
    return encrypted(device, root) is True


def _own_group(root: Path) -> str:
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return ""
    return next((line[3:].strip("/") for line in lines if line.startswith("0::")), "")


def _limited(root: Path, group: str) -> bool:
    """The limit of a group holds for all below it."""
    path = Path(group)
    for each in (path, *path.parents):
        try:
            limit = (root / "sys/fs/cgroup" / each / "memory.swap.max").read_text()
        except OSError:
            continue
        if limit.strip() == "0":
            return True
    return False


def _unit_says_so(root: Path) -> bool:
    """For the time when the service is stopped, and has no group."""
    for name in _UNIT_FILES:
        try:
            text = (root / name).read_text()
        except OSError:
            continue
        if found := re.findall(r"^MemorySwapMax=(.*)$", text, re.MULTILINE):
            return bool(found[-1].strip() == "0")
    return False
