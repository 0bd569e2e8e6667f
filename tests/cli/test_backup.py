"""`onprem backup`, as an operator uses it."""

import io
import shutil
import stat
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Onprem
from tests.support.entries import acts

DATA = Path("onprem-data")


@pytest.fixture
def installed(onprem: Onprem) -> Onprem:
    assert onprem("init").code == 0
    return onprem


def answering(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(line))


def test_a_backup_goes_round(installed: Onprem, tmp_path: Path) -> None:
    created = installed("backup", "create", "onprem.tar", "--json").json
    assert created["manifest"]["counts"]["api_key"] == 1
    assert stat.S_IMODE(Path("onprem.tar").stat().st_mode) == 0o600
    act = acts(DATA)[-1]
    assert act["act"] == "backup_created" and act["actor"].startswith("user:")
    assert act["details"]["sha256"] == created["sha256"]
    assert "onprem.tar" not in str(act)
    verdict = installed("backup", "verify", "onprem.tar", "--json").json
    assert verdict["sound"] and verdict["backup"]["body"] == created["manifest"]
    keys = installed("keys", "list", "--json").json
    shutil.rmtree(DATA)

    done = installed("backup", "restore", "onprem.tar", "--json")

    assert done.code == 0, done.err
    assert done.json["plan"]["replaces"] is None
    assert installed("keys", "list", "--json").json == keys
    assert installed("ledger", "verify").code == 0


def test_a_folder_takes_one_named_by_the_time(installed: Onprem) -> None:
    Path("backups").mkdir()
    file = Path(installed("backup", "create", "backups", "--json").json["file"])
    assert file.parent == Path("backups")
    assert file.name.startswith("onprem-20") and file.name.endswith("Z.tar")


def test_where_to_keep_the_master_key_is_said_aloud(installed: Onprem) -> None:
    said = installed("backup", "create", "onprem.tar").out
    assert "THE MASTER KEY IS NOT IN IT" in said
    assert str(Path("secrets/master.key").absolute()) in said
    assert Path("secrets/master.key").read_bytes().strip() not in Path("onprem.tar").read_bytes()


def test_nothing_is_overwritten_or_put_among_the_data(installed: Onprem) -> None:
    Path("onprem.tar").write_text("mine")
    for place, why in (
        ("onprem.tar", "it exists, and nothing is overwritten"),
        (str(DATA / "onprem.tar"), "among the data"),
        ("missing/onprem.tar", "No such file"),
    ):
        done = installed("backup", "create", place)
        assert (done.code, why in done.err) == (1, True), done.err
    assert Path("onprem.tar").read_text() == "mine"
    assert [act["act"] for act in acts(DATA)].count("backup_created") == 0


def test_without_its_master_key_none_is_made(installed: Onprem) -> None:
    Path("secrets/master.key").write_text("00" * 32)
    done = installed("backup", "create", "onprem.tar")
    assert done.code == 4 and "master key" in done.err
    assert not Path("onprem.tar").exists()


def test_a_damaged_one_is_told(installed: Onprem) -> None:
    installed("backup", "create", "onprem.tar")
    raw = bytearray(Path("onprem.tar").read_bytes())
    raw[len(raw) // 2] ^= 1
    Path("onprem.tar").write_bytes(raw)
    done = installed("backup", "verify", "onprem.tar")
    assert done.code == 1
    assert "PROBLEM" in done.out and "NOT sound" in done.out
    assert installed("backup", "verify", "none.tar").code == 1
    assert installed("backup", "restore", "onprem.tar", "--yes").code == 1


def test_the_key_in_the_safe_is_tried(installed: Onprem) -> None:
    installed("backup", "create", "onprem.tar")
    right = installed("backup", "verify", "onprem.tar", "--master-key", "secrets/master.key")
    assert (right.code, "opens it, and made it" in right.out) == (0, True)
    Path("other.key").write_text("00" * 32)
    Path("other.key").chmod(0o600)
    wrong = installed("backup", "verify", "onprem.tar", "--master-key", "other.key")
    assert (wrong.code, "does not open it" in wrong.out) == (1, True)


@pytest.mark.parametrize("answer", ["", "yes\n", "Restore\n"])
def test_what_would_be_replaced_is_told_and_confirmed(
    installed: Onprem, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    installed("backup", "create", "onprem.tar")
    before = acts(DATA)
    answering(monkeypatch, answer)
    done = installed("backup", "restore", "onprem.tar")
    assert done.code == 1
    assert "replaces       1 projects, 1 API keys, 0 jobs" in done.err
    assert 'Type "restore" to go on' in done.err
    assert "nobody confirmed it" in done.err
    assert acts(DATA) == before


def test_the_word_is_enough(installed: Onprem, monkeypatch: pytest.MonkeyPatch) -> None:
    installed("backup", "create", "onprem.tar")
    answering(monkeypatch, "restore\n")
    done = installed("backup", "restore", "onprem.tar")
    assert done.code == 0, done.err
    assert "signed by checkpoint 1" in done.out


def test_a_new_machine_gets_the_configuration(installed: Onprem, tmp_path: Path) -> None:
    text = Path("onprem.toml").read_text()
    installed("backup", "create", "onprem.tar")
    new = tmp_path / "new"
    shutil.copytree("secrets", new / "secrets")
    shutil.move("onprem-data", "lost")
    place = str(new / "onprem.toml")
    # It names no data directory of its own: that is the first one's.
    done = installed("backup", "restore", "onprem.tar", "--config", place)
    assert done.code == 0, done.err
    assert f"written to {place}" in done.out
    assert (new / "onprem.toml").read_text() == text
    assert stat.S_IMODE((new / "onprem.toml").stat().st_mode) == 0o600
    assert installed("keys", "list", "--config", place).code == 0


def test_the_key_of_a_forger_is_not_believed(installed: Onprem, tmp_path: Path) -> None:
    """He makes a backup of his own, whose configuration names a key that he brings."""
    new = tmp_path / "new"
    shutil.copytree("secrets", new / "secrets")
    his = tmp_path / "his"
    his.mkdir()
    theirs = str(his / "onprem.toml")
    assert installed("init", "--config", theirs, "--data-dir", str(his / "data")).code == 0
    key = his / "secrets" / "master.key"
    Path(theirs).write_text(f'[storage]\ndata_dir = "{his / "data"}"\nmaster_key_file = "{key}"\n')
    assert installed("backup", "create", "onprem.tar", "--config", theirs).code == 0
    shutil.rmtree(his / "data")
    place = str(new / "onprem.toml")

    done = installed("backup", "restore", "onprem.tar", "--config", place)

    assert (done.code, "it was not made with the master key in" in done.err) == (1, True), done.err
    assert [path.name for path in new.iterdir()] == ["secrets"]
    assert not (his / "data").exists()
    by_his = installed(
        "backup", "restore", "onprem.tar", "--config", place, "--master-key", str(key)
    )
    assert by_his.code == 0, by_his.err  # so nothing but the key was wrong


@pytest.mark.parametrize("ledger", ["lost", "kept"])
def test_that_what_was_revoked_is_back_is_told(installed: Onprem, ledger: str) -> None:
    installed("backup", "create", "onprem.tar")
    (key,) = installed("keys", "list", "--json").json
    assert installed("keys", "revoke", key["id"]).code == 0
    if ledger == "lost":
        shutil.rmtree(DATA)
    Path("again.tar").write_bytes(Path("onprem.tar").read_bytes())

    outcome = installed("backup", "restore", "onprem.tar", "--yes", "--json").json["outcome"]

    (key,) = installed("keys", "list", "--json").json
    assert (key["revokedAt"] is None) == (ledger == "lost")
    assert ("erase and revoke it again" in outcome.get("warning", "")) == (ledger == "lost")


def test_a_restore_that_fails_takes_its_configuration_away(
    installed: Onprem, tmp_path: Path
) -> None:
    installed("backup", "create", "onprem.tar")
    new = tmp_path / "new"
    new.mkdir()
    done = installed("backup", "restore", "onprem.tar", "--config", str(new / "onprem.toml"))
    assert done.code == 4 and "master key" in done.err
    assert list(new.iterdir()) == []


def test_another_configuration_is_kept_and_told(installed: Onprem) -> None:
    installed("backup", "create", "onprem.tar")
    text = Path("onprem.toml").read_text() + "\n# mine\n"
    Path("onprem.toml").write_text(text)
    done = installed("backup", "restore", "onprem.tar", "--yes")
    assert done.code == 0
    assert "is kept; the backup's differs" in done.err
    assert Path("onprem.toml").read_text() == text


def test_a_configuration_from_the_environment_is_in_none(
    installed: Onprem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONPREM_STORAGE__DATA_DIR", str(DATA.absolute()))
    key = Path("secrets/master.key").absolute()
    monkeypatch.setenv("ONPREM_STORAGE__MASTER_KEY_FILE", str(key))
    Path("onprem.toml").unlink()
    assert installed("backup", "create", "onprem.tar").code == 0
    with tarfile.open("onprem.tar") as archive:
        assert "onprem.toml" not in archive.getnames()
    assert installed("backup", "restore", "onprem.tar", "--yes").code == 0


def test_a_disk_that_refuses_leaves_no_backup(
    installed: Onprem, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("onprem.store.backup_file.publish", refuse)
    done = installed("backup", "create", "onprem.tar")
    assert done.code == 1 and "No space left on device" in done.err
    assert [path.name for path in Path().iterdir() if "onprem.tar" in path.name] == []
