"""`onprem init`."""

import stat
from pathlib import Path

from tests.cli.conftest import Onprem


def test_it_makes_everything_private_and_prints_the_contracts_fields(
    onprem: Onprem, tmp_path: Path
) -> None:
    done = onprem("init", "--data-dir", "d", "--config", "c/onprem.toml", "--json")

    assert done.code == 0, done.err
    assert set(done.json) == {"config", "dataDir", "project", "key"}
    assert done.json["config"] == str(tmp_path / "c" / "onprem.toml")
    assert done.json["dataDir"] == str(tmp_path / "d")
    assert done.json["key"].startswith("sk_")
    for path in (tmp_path / "c" / "secrets" / "master.key", tmp_path / "c" / "onprem.toml"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for path in (tmp_path / "d", tmp_path / "d" / "keys", tmp_path / "c" / "secrets"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700


def test_its_configuration_is_sound_and_its_key_is_listed(onprem: Onprem) -> None:
    key = onprem("init", "--json").json["key"]
    assert onprem("config", "check").code == 0
    (listed,) = onprem("keys", "list", "--json").json
    assert listed["id"] == key.split("_")[1]
    assert key not in onprem("keys", "list").out


def test_it_overwrites_nothing(onprem: Onprem, tmp_path: Path) -> None:
    first = onprem("init", "--json").json["key"]
    before = (tmp_path / "onprem.toml").read_text()

    done = onprem("init")

    assert done.code == 4
    assert "exists already" in done.err and "Nothing was changed" in done.err
    assert (tmp_path / "onprem.toml").read_text() == before
    assert [key["id"] for key in onprem("keys", "list", "--json").json] == [first.split("_")[1]]


def test_it_says_what_to_keep_out_of_backups(onprem: Onprem) -> None:
    assert "out of backups" in onprem("init").out
