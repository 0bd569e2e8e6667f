"""What the machine says, read from made-up trees of /proc and /sys, and once from the real one."""

from pathlib import Path

import pytest

from onprem.services.doctor.finding import Finding
from onprem.services.doctor.host.core_dumps import dump_handler
from onprem.services.doctor.host.encryption import encrypted
from onprem.services.doctor.host.mounts import mount_of
from onprem.services.doctor.host.swap import plain_swap, swap_forbidden
from onprem.services.doctor.host.sweep_timer import sweep_timer_enabled
from onprem.services.doctor.machine import machine, volumes

SWAPS = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
MOUNTS = """\
22 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
23 22 0:31 / /srv rw,relatime shared:7 - btrfs /dev/vdb rw,space_cache=v2
24 23 253:1 / /srv/my\\040data rw,relatime shared:8 master:1 - ext4 /dev/mapper/data rw,data=journal
25 22 0:44 / /mnt/share rw - nfs4 nas:/export rw,vers=4.2
26 22 0:45 / /mnt/bucket rw - fuse.s3fs s3fs rw
27 22 0:46 / /mnt/share rw - tmpfs none rw
"""


def write(root: Path, name: str, text: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def codes(findings: list[Finding]) -> list[str]:
    return [finding.code for finding in findings]


def device(root: Path, number: str, *, uuid: str = "", below: tuple[str, ...] = ()) -> None:
    folder = root / "sys/dev/block" / number
    (folder / "slaves").mkdir(parents=True)
    if uuid:
        write(folder, "dm/uuid", f"{uuid}\n")
    for slave in below:
        (folder / "slaves" / slave.replace(":", "-")).symlink_to(root / "sys/dev/block" / slave)


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        ("", []),
        ("/dev/vdb partition 100 0 -2\n/swap.img file 5 0 -3\n", ["/dev/vdb", "/swap.img"]),
        ("/dev/zram0 partition 100 0 100\n", []),
        ("/dev/dm-1 partition 100 0 -2\n", []),
        ("/dev/dm-2 partition 100 0 -2\n", ["/dev/dm-2"]),
    ],
)
def test_swap_that_is_neither_in_memory_nor_encrypted(
    tmp_path: Path, rows: str, found: list[str]
) -> None:
    write(tmp_path, "proc/swaps", SWAPS + rows)
    write(tmp_path, "sys/class/block/dm-1/dev", "253:1\n")
    write(tmp_path, "sys/class/block/dm-2/dev", "253:2\n")
    device(tmp_path, "253:1", uuid="CRYPT-PLAIN-swap")
    device(tmp_path, "253:2", uuid="LVM-swap")
    assert plain_swap(tmp_path) == found


@pytest.mark.parametrize(
    ("files", "forbidden"),
    [
        ({}, False),
        ({"sys/fs/cgroup/system.slice/onprem.service/memory.swap.max": "0\n"}, True),
        ({"sys/fs/cgroup/system.slice/onprem.service/memory.swap.max": "max\n"}, False),
        ({"sys/fs/cgroup/system.slice/memory.swap.max": "0\n"}, True),
        ({"sys/fs/cgroup/system.slice/other.service/memory.swap.max": "0\n"}, False),
        (
            {
                "proc/self/cgroup": "1:name=x:/\n0::/kube/pod\n",
                "sys/fs/cgroup/kube/pod/memory.swap.max": "0",
            },
            True,
        ),
        ({"etc/systemd/system/onprem.service": "[Service]\nMemorySwapMax=0\n"}, True),
        ({"etc/systemd/system/onprem.service": "MemorySwapMax=0\nMemorySwapMax=1G\n"}, False),
    ],
)
def test_who_may_not_be_swapped(tmp_path: Path, files: dict[str, str], forbidden: bool) -> None:
    for name, text in files.items():
        write(tmp_path, name, text)
    assert swap_forbidden(tmp_path) is forbidden


def test_swap_is_a_finding_unless_it_is_forbidden(tmp_path: Path) -> None:
    write(tmp_path, "proc/swaps", f"{SWAPS}/dev/vdb partition 100 0 -2\n")
    assert "swap_active" in codes(list(machine(tmp_path)))
    write(tmp_path, "sys/fs/cgroup/system.slice/onprem.service/memory.swap.max", "0\n")
    assert "swap_active" not in codes(list(machine(tmp_path)))


@pytest.mark.parametrize(
    ("pattern", "handler"),
    [
        ("core", None),
        ("/var/crash/core.%p", None),
        ("|/usr/lib/systemd/systemd-coredump %P %u %g %s %t %c %h", None),
        ("|/usr/share/apport/apport -p%p -s%s", "/usr/share/apport/apport"),
    ],
)
def test_programs_that_get_core_dumps_whatever_the_limit(
    tmp_path: Path, pattern: str, handler: str | None
) -> None:
    write(tmp_path, "proc/sys/kernel/core_pattern", f"{pattern}\n")
    assert dump_handler(tmp_path) == handler
    assert ("core_dumps" in codes(list(machine(tmp_path)))) is (handler is not None)


@pytest.mark.parametrize(
    ("path", "filesystem", "copies", "remote"),
    [
        ("/var/lib", "ext4", False, False),
        ("/srv/other", "btrfs", True, False),
        ("/srv/my data/deep", "ext4", False, False),
        ("/srv/my database", "btrfs", True, False),
        ("/mnt/bucket", "fuse.s3fs", False, True),
        ("/mnt/share/x", "tmpfs", False, False),
    ],
)
def test_the_filesystem_of_a_folder(
    tmp_path: Path, path: str, filesystem: str, copies: bool, remote: bool
) -> None:
    write(tmp_path, "proc/self/mountinfo", MOUNTS)
    mount = mount_of(Path(path), tmp_path)
    assert mount is not None
    assert (mount.filesystem, mount.copies_on_write, mount.remote) == (filesystem, copies, remote)


def test_what_puts_a_volume_at_risk(tmp_path: Path) -> None:
    data, keys = tmp_path / "data", tmp_path / "keys"
    for folder in (data, keys):
        folder.mkdir()
    lines = [
        f"24 1 253:1 / {data} rw - ext4 /dev/mapper/data rw,data=journal",
        f"25 1 0:33 / {keys} rw - nfs4 nas:/export rw",
    ]
    write(tmp_path, "proc/self/mountinfo", "\n".join(lines))
    device(tmp_path, "253:1", uuid="CRYPT-LUKS2-data")
    found = codes(list(volumes(data, keys, tmp_path)))
    assert [code for code in found if code != "disk_nearly_full"] == [
        "data_journal",
        "network_filesystem",
        "encryption_unknown",
    ]
    write(tmp_path, "proc/self/mountinfo", f"24 1 0:31 / {tmp_path} rw - overlay overlay rw")
    found = codes(list(volumes(data, keys, tmp_path)))
    assert found[:3] == ["copy_on_write", "encryption_unknown", "key_copies_unknown"]


def test_a_disk_that_is_nearly_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for free, found in ((10, False), (9, True)):
        usage = type("Usage", (), {"free": free, "total": 100})
        monkeypatch.setattr("shutil.disk_usage", lambda _, usage=usage: usage)
        assert ("disk_nearly_full" in codes(list(volumes(tmp_path, tmp_path)))) is found


def test_encryption_below_a_device(tmp_path: Path) -> None:
    device(tmp_path, "253:0", uuid="CRYPT-LUKS2-abc", below=())
    device(tmp_path, "254:1")
    device(tmp_path, "253:1", uuid="LVM-abc", below=("253:0",))
    device(tmp_path, "253:2", uuid="LVM-abc", below=("253:0", "254:1"))
    expected = {"253:0": True, "254:1": False, "253:1": True, "253:2": False}
    assert {number: encrypted(number, tmp_path) for number in expected} == expected
    assert encrypted("0:31", tmp_path) is None
    assert encrypted("9:9", tmp_path) is None


def test_the_timer_that_sweeps_without_a_server(tmp_path: Path) -> None:
    assert sweep_timer_enabled(tmp_path) is None
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert sweep_timer_enabled(tmp_path) is False
    wants = tmp_path / "etc/systemd/system/timers.target.wants"
    wants.mkdir(parents=True)
    (wants / "onprem-sweep.timer").symlink_to("/nowhere/onprem-sweep.timer")
    assert sweep_timer_enabled(tmp_path) is True


def test_this_machine_can_be_looked_at(tmp_path: Path) -> None:
    found = [*machine(), *volumes(tmp_path, tmp_path)]
    assert all(finding.what and finding.remedy for finding in found)
    assert mount_of(tmp_path) is not None


def test_a_machine_that_tells_nothing(tmp_path: Path) -> None:
    assert codes(list(machine(tmp_path))) == ["sweep_timer_unknown"]
    found = codes(list(volumes(tmp_path, tmp_path, tmp_path)))
    assert found[0] == "encryption_unknown"
