"""What all commands share: an opened database, and the exit status of each end."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from onprem.cli import context, main
from onprem.errors import SchemaTooNew, StorageFull
from onprem.store.data_directory import DataDirectory
from onprem.store.migrate import migrations
from tests.cli.conftest import Onprem


@pytest.fixture
def directory(onprem: Onprem, tmp_path: Path) -> DataDirectory:
    assert onprem("init", "--data-dir", "data").code == 0
    return DataDirectory(tmp_path / "data", tmp_path / "data" / "keys")


@pytest.fixture
def _served(directory: DataDirectory) -> Iterator[None]:
    """As a running server holds the lock."""
    lock = directory.lock()
    lock.share()
    yield
    lock.release()


def set_version(directory: DataDirectory, version: int) -> None:
    with closing(sqlite3.connect(directory.database)) as connection:
        connection.execute(f"PRAGMA user_version = {version}")


@pytest.mark.usefixtures("_served")
def test_a_newer_schema_is_said_though_a_server_runs(
    onprem: Onprem, directory: DataDirectory
) -> None:
    set_version(directory, len(migrations()) + 1)
    done = onprem("keys", "list")
    assert done.code == 4
    assert SchemaTooNew.remedy in done.err


@pytest.mark.usefixtures("_served")
def test_an_older_schema_under_a_server_is_busy(onprem: Onprem, directory: DataDirectory) -> None:
    set_version(directory, 0)
    done = onprem("keys", "list")
    assert done.code == 4
    assert "Another process holds" in done.err


def test_a_migration_that_fails_gives_the_lock_back(
    onprem: Onprem, directory: DataDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(_: object) -> int:
        raise StorageFull()

    set_version(directory, 0)
    monkeypatch.setattr(context, "migrate", full)
    assert onprem("keys", "list").code == 7
    directory.lock().release()


@pytest.mark.parametrize(
    ("end", "code", "told"),
    [(None, 0, ""), (0, 0, ""), (3, 3, ""), ("the reason", 1, "the reason\n")],
)
def test_the_exit_status_is_what_python_makes_of_it(
    monkeypatch: pytest.MonkeyPatch, end: int | str | None, code: int, told: str
) -> None:
    def command(*_: object, **__: object) -> None:
        raise SystemExit(end)

    monkeypatch.setattr(main.typer.main, "get_command", lambda _: command)
    err = io.StringIO()
    assert main.run([], io.StringIO(), err) == code
    assert err.getvalue() == told
