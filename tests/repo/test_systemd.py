"""The unit that we ship fits the code that it starts."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

from onprem.config.settings import Settings, Storage
from onprem.engine.offline import SWITCHES
from onprem.watchdog import LONGEST_PAUSE
from onprem.wiring import master_key_file
from scripts.docs import commands

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "systemd" / "onprem.service"


def directives(name: str) -> list[str]:
    """Values of a directive, in order."""
    lines = UNIT.read_text().splitlines()
    return [line.partition("=")[2] for line in lines if line.startswith(f"{name}=")]


def test_telemetry_is_off_as_in_the_code() -> None:
    environment = dict(value.split("=", 1) for value in directives("Environment"))
    assert {name: environment.get(name) for name in SWITCHES} == dict(SWITCHES)


def test_it_starts_a_command_that_exists() -> None:
    (line,) = directives("ExecStart")
    program, *words = line.split()
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert Path(program).name in scripts
    command = dict(commands())[f"onprem {words[0]}"]
    assert words[1] in {option for parameter in command.params for option in parameter.opts}
    assert words[2] == "/etc/onprem/onprem.toml"


def test_it_waits_for_two_signs_of_life_and_hears_them() -> None:
    assert directives("Type") == ["notify"]
    assert directives("NotifyAccess") == ["main"]
    ((minutes, _, unit),) = [value.partition("min") for value in directives("WatchdogSec")]
    assert not unit
    assert int(minutes) * 60 >= 2 * LONGEST_PAUSE
    assert "AF_UNIX" in directives("RestrictAddressFamilies")[0].split()


def test_the_data_directory_is_the_default_one() -> None:
    assert [f"/var/lib/{name}" for name in directives("StateDirectory")] == [
        str(Storage().data_dir)
    ]


def test_the_credential_is_the_one_that_the_server_looks_for(tmp_path: Path) -> None:
    ((name, _, source),) = [value.partition(":") for value in directives("LoadCredential")]
    (tmp_path / name).touch()
    found = master_key_file(Settings(), {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert found == tmp_path / name
    assert source == "/etc/onprem/secrets/master.key"


def test_the_decoder_may_confine_itself() -> None:
    assert directives("NoNewPrivileges") == ["yes"]
    assert "seccomp" in directives("SystemCallFilter")[0].split()


def test_the_accelerator_stays_reachable() -> None:
    for hidden in ("PrivateDevices", "MemoryDenyWriteExecute"):
        assert not directives(hidden), hidden
    assert "char-nvidia rw" in directives("DeviceAllow")


def test_every_group_of_directives_says_why() -> None:
    service = UNIT.read_text().partition("[Service]\n")[2].partition("\n[Install]")[0]
    explained = False
    for line in service.splitlines():
        if line.startswith("#") or not line:
            explained = bool(line)
        else:
            assert explained, line


def test_systemd_accepts_it(tmp_path: Path, required_tool: Callable[[str], str]) -> None:
    verify = required_tool("systemd-analyze")
    here = Path(sys.executable).parent / "onprem"
    text = UNIT.read_text().replace("/opt/onprem/bin/onprem", str(here))
    unit = tmp_path / "onprem.service"
    unit.write_text(text)
    done = subprocess.run([verify, "verify", "--man=no", unit], capture_output=True, text=True)
    about_ours = [line for line in done.stderr.splitlines() if "onprem.service" in line]
    assert (done.returncode, about_ours) == (0, [])
