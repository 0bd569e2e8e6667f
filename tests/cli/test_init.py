"""`onprem init`."""

import stat
import tomllib
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


def test_record_keys_can_lie_elsewhere(onprem: Onprem, tmp_path: Path) -> None:
    done = onprem("init", "--data-dir", "d", "--keys-dir", "volume/keys")
    assert done.code == 0, done.err
    keys = tmp_path / "volume" / "keys"
    assert f"Keep {keys} out of backups" in done.out
    assert (keys / "record.slots").stat().st_mode & 0o777 == 0o600
    assert not (tmp_path / "d" / "keys").exists()
    written = tomllib.loads((tmp_path / "onprem.toml").read_text())
    assert written["storage"] == {"data_dir": str(tmp_path / "d"), "keys_dir": str(keys)}
    shown = onprem("config", "show", "--json").json
    assert shown["storage"]["keys_dir"] == str(keys)


def test_a_folder_open_to_others_is_refused_before_anything_is_made(
    onprem: Onprem, tmp_path: Path
) -> None:
    (tmp_path / "volume").mkdir(mode=0o755)
    (tmp_path / "volume").chmod(0o755)
    done = onprem("init", "--keys-dir", "volume")
    assert done.code == 4
    assert f"chmod 700 {tmp_path / 'volume'}" in done.err
    (tmp_path / "volume").chmod(0o700)
    assert onprem("init", "--keys-dir", "volume").code == 0


def test_the_keys_of_another_installation_are_not_taken(onprem: Onprem) -> None:
    assert onprem("init", "--data-dir", "a", "--keys-dir", "k", "--config", "a.toml").code == 0
    done = onprem("init", "--data-dir", "b", "--keys-dir", "k", "--config", "c/b.toml")
    assert done.code == 4
    assert "record.slots exists already" in done.err


def test_a_place_that_cannot_be_used_is_named(onprem: Onprem, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = onprem("init", "--config", "file/sub/onprem.toml")
    assert done.code == 4
    assert "cannot be used" in done.err
