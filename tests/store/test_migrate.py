"""Migrations lead to `schema.sql`, and a failing one leaves nothing."""

import sqlite3
from importlib import resources
from pathlib import Path

import pytest

from onprem.errors import SchemaTooNew
from onprem.store import migrate as module
from onprem.store.database import Database
from onprem.store.migrate import migrate, migrations, schema_version


def normal(schema: list[tuple[str, str, str | None]]) -> list[tuple[str, str, str]]:
    """Without comments and with single spaces."""

    def plain(sql: str | None) -> str:
        lines = (line.partition("--")[0] for line in (sql or "").splitlines())
        return " ".join(" ".join(lines).split())

    return sorted((kind, name, plain(sql)) for kind, name, sql in schema)


MASTER_TABLE = "SELECT type, name, sql FROM sqlite_master"


async def test_the_migrations_give_exactly_the_schema(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    assert await migrate(database) == len(migrations())
    migrated = await database.fetchall(MASTER_TABLE)
    await database.close()

    wanted = sqlite3.connect(":memory:")
    wanted.executescript((resources.files("onprem.store") / "schema.sql").read_text())
    schema = wanted.execute(MASTER_TABLE).fetchall()
    wanted.close()

    assert normal([tuple(row) for row in migrated]) == normal(schema)
    assert len(schema) > 10


async def test_a_second_migration_has_nothing_to_do(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    await migrate(database)
    assert await migrate(database) == 0
    await database.close()


async def test_a_database_of_a_newer_onprem_is_refused(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    newest = len(migrations())
    await database.script(f"PRAGMA user_version = {newest + 1};")
    with pytest.raises(SchemaTooNew, match=f"version {newest + 1}; this onprem knows up to"):
        await migrate(database)
    assert await database.fetchall(MASTER_TABLE) == []
    await database.close()


async def test_a_failing_migration_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = "CREATE TABLE one (x TEXT);"
    bad = "CREATE TABLE two (x TEXT); INSERT INTO missing VALUES (1);"
    database = Database(tmp_path / "db.sqlite3")
    await database.open()
    monkeypatch.setattr(module, "migrations", lambda: [good, bad])
    with pytest.raises(sqlite3.OperationalError, match="missing"):
        await migrate(database)
    assert [row[1] for row in await database.fetchall(MASTER_TABLE)] == ["one"]
    assert await schema_version(database) == 1

    monkeypatch.setattr(module, "migrations", lambda: [good, "CREATE TABLE two (x TEXT);"])
    assert await migrate(database) == 1
    assert [row[1] for row in await database.fetchall(MASTER_TABLE)] == ["one", "two"]
    await database.close()
