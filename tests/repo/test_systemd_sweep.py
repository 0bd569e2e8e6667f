"""The timer that sweeps without a server: it runs as the server's user, often enough, confined."""

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem.config.settings import Storage
from onprem.core.retention import GRACE_SECONDS
from onprem.services.sweep import LEFT_LYING
from onprem.store.data_directory import MARK
from scripts.docs import commands

FOLDER = Path(__file__).parents[2] / "systemd"
SERVER = FOLDER / "onprem.service"
SWEEP = FOLDER / "onprem-sweep.service"
TIMER = FOLDER / "onprem-sweep.timer"

NOT_FOR_THE_SERVER = {"PrivateDevices", "PrivateNetwork"}
"""The server needs an accelerator and a network."""
NOT_FOR_THE_SWEEP = {"ProcSubset", "DevicePolicy", "DeviceAllow", "CacheDirectory", "Environment"}
"""About libraries and devices that it does not use."""
HARDENING = re.compile(
    "(Protect|Restrict|Private|Capability|Ambient|NoNew|Lock|Remove|Memory|Limit).*"
)


def directives(unit: Path) -> dict[str, list[str]]:
    """Values of each directive, in order."""
    found: dict[str, list[str]] = {}
    for line in unit.read_text().splitlines():
        name, equals, value = line.partition("=")
        if equals and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


def test_it_runs_a_command_that_exists_and_asks_nothing() -> None:
    (line,) = directives(SWEEP)["ExecStart"]
    program, word, *options = line.split()
    assert Path(program).name == "onprem"
    known = {name for each in dict(commands())[f"onprem {word}"].params for name in each.opts}
    assert {"--due", "--yes", "--config"} == {each for each in options if each.startswith("--")}
    assert {"--due", "--yes", "--config"} <= known


def test_it_is_the_servers_user_in_the_servers_folder() -> None:
    server, sweep = directives(SERVER), directives(SWEEP)
    for name in ("User", "Group", "StateDirectory", "StateDirectoryMode", "UMask"):
        assert sweep[name] == server[name]
    assert sweep["ConditionPathExists"] == [str(Storage().data_dir / MARK)]


def test_it_is_confined_as_the_server_and_needs_no_key() -> None:
    server, sweep = directives(SERVER), directives(SWEEP)
    confining = {name for name in server if HARDENING.fullmatch(name)} - NOT_FOR_THE_SWEEP
    confining -= {"RestrictAddressFamilies"}
    assert {name: sweep.get(name) for name in confining} == {
        name: server[name] for name in confining
    }
    assert set(sweep) >= NOT_FOR_THE_SERVER
    assert "LoadCredential" not in sweep


def test_what_is_due_goes_within_the_grace_though_the_server_hangs() -> None:
    timer = directives(TIMER)
    (every,), (accuracy,) = timer["OnUnitActiveSec"], timer["AccuracySec"]
    assert (every, accuracy) == ("30s", "1s")
    assert LEFT_LYING + 30 + 1 < GRACE_SECONDS


@pytest.mark.parametrize("unit", [SERVER, SWEEP], ids=lambda unit: unit.name)
def test_the_kernel_may_be_asked_whether_the_clock_is_synchronised(unit: Path) -> None:
    """`ProtectClock` and the usual filter refuse adjtimex(2), which glibc makes clock_adjtime."""
    assert "ProtectClock" not in directives(unit)
    assert directives(unit)["SystemCallFilter"][-1].split() == ["adjtimex", "clock_adjtime"]
    assert directives(unit)["CapabilityBoundingSet"] == [""]


def test_systemd_accepts_both(tmp_path: Path, required_tool: Callable[[str], str]) -> None:
    verify = required_tool("systemd-analyze")
    here = Path(sys.executable).parent / "onprem"
    for unit in (SWEEP, TIMER):
        text = unit.read_text().replace("/opt/onprem/bin/onprem", str(here))
        (tmp_path / unit.name).write_text(text)
    units = [tmp_path / TIMER.name, tmp_path / SWEEP.name]
    done = subprocess.run([verify, "verify", "--man=no", *units], capture_output=True, text=True)
    about_ours = [line for line in done.stderr.splitlines() if "onprem-sweep" in line]
    assert (done.returncode, about_ours) == (0, [])
