"""The nightly backup: it runs as the server's user, has its master key, and is confined."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from onprem.config.settings import Storage
from onprem.store.data_directory import MARK
from scripts.docs import commands
from tests.repo.test_systemd_sweep import FOLDER, SERVER, SWEEP, directives

BACKUP = FOLDER / "onprem-backup.service"
TIMER = FOLDER / "onprem-backup.timer"
OF_ITS_OWN = {"ExecStart", "Description", "TimeoutStartSec", "Nice", "IOSchedulingClass"}
NEEDED = {"LoadCredential", "ReadWritePaths"}


def test_it_runs_a_command_that_exists() -> None:
    (line,) = directives(BACKUP)["ExecStart"]
    program, group, word, folder, option, _ = line.split()
    assert Path(program).name == "onprem"
    known = {
        name for each in dict(commands())[f"onprem {group} {word}"].params for name in each.opts
    }
    assert option in known
    assert directives(BACKUP)["ReadWritePaths"] == [folder]


def test_it_is_the_sweep_with_the_master_key_and_a_folder() -> None:
    server, sweep, backup = directives(SERVER), directives(SWEEP), directives(BACKUP)
    assert backup["LoadCredential"] == server["LoadCredential"]
    assert backup["ConditionPathExists"] == [str(Storage().data_dir / MARK)]
    alike = {name: values for name, values in backup.items() if name not in OF_ITS_OWN | NEEDED}
    assert alike == {name: values for name, values in sweep.items() if name not in OF_ITS_OWN}


def test_one_that_was_missed_is_made_up_for() -> None:
    assert directives(TIMER)["Persistent"] == ["yes"]


@pytest.mark.parametrize("unit", [BACKUP, TIMER], ids=lambda unit: unit.name)
def test_systemd_accepts_it(
    tmp_path: Path, unit: Path, required_tool: Callable[[str], str]
) -> None:
    verify = required_tool("systemd-analyze")
    here = Path(sys.executable).parent / "onprem"
    for each in (BACKUP, TIMER):
        text = each.read_text().replace("/opt/onprem/bin/onprem", str(here))
        (tmp_path / each.name).write_text(text)
    command = [verify, "verify", "--man=no", tmp_path / unit.name]
    done = subprocess.run(command, capture_output=True, text=True)
    about_ours = [line for line in done.stderr.splitlines() if "onprem-backup" in line]
    assert (done.returncode, about_ours) == (0, [])
