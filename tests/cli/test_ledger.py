"""`onprem ledger` and `onprem audit`, and a verification that needs no installation."""

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path

import pytest
from msgspec.structs import replace

from onprem.clock import system_clock
from onprem.config.load import load_settings
from onprem.config.settings import Retention, Server
from onprem.store.data_directory import MARK
from tests.cli.conftest import Onprem
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running, running

SECRET = "media://confidential/board-meeting.wav"
ANCHORS = Path("elsewhere.jsonl")
DATABASE = Path("onprem-data") / MARK


@pytest.fixture
def key(onprem: Onprem) -> str:
    return str(onprem("init", "--json").json["key"])


@asynccontextmanager
async def serving(key: str) -> AsyncIterator[Running]:
    settings = replace(
        load_settings(None),
        server=Server(port=0),
        retention=Retention(checkpoint_file=ANCHORS.absolute()),
    )
    async with running(settings, FakeEngine(), key, system_clock()) as server:
        yield server


async def one_job(server: Running) -> str:
    job_id = await server.diarize(url=await server.upload(tone(1.0), SECRET))
    await server.finished(job_id)
    return job_id


@pytest.fixture
def job(onprem: Onprem, key: str) -> str:
    """That ran on a server which was stopped since; its output was read once."""

    async def run() -> str:
        async with serving(key) as server:
            job_id = await one_job(server)
            await server.job(job_id)
            return job_id

    return asyncio.run(run())


@pytest.fixture
def export(onprem: Onprem, job: str) -> Path:
    done = onprem("ledger", "export", "--to", "export.jsonl", "--json")
    assert done.code == 0, done.err
    path = Path("export.jsonl")
    assert done.json == {"to": str(path), "bytes": path.stat().st_size}
    Path("onprem.pub").write_text(onprem("ledger", "key").out)
    return path


def forge(statement: str, *, chain: str = "ledger") -> None:
    with closing(sqlite3.connect(DATABASE)) as forger:
        forger.executescript(
            f"DROP TRIGGER {chain}_keeps_its_entries; DROP TRIGGER {chain}_entries_never_change;"
            f"{statement}"
        )


def test_entries_are_shown_without_content(onprem: Onprem, job: str) -> None:
    shown = onprem("ledger", "show", "--job", job)
    assert shown.code == 0 and "deletion" in shown.out and "request job_ended" in shown.out
    assert "confidential" not in shown.out
    (newest,) = onprem("ledger", "show", "--limit", "1", "--json").json
    whole = onprem("ledger", "show", "--limit", "1000", "--json").json
    assert whole[0] == newest and [each["seq"] for each in whole] == [*range(len(whole), 0, -1)]
    acts = onprem("ledger", "show", "--kind", "act", "--json").json
    assert {each["body"]["act"] for each in acts} >= {"key_created", "started"}


def test_an_export_verifies_where_there_is_no_installation(onprem: Onprem, export: Path) -> None:
    shutil.rmtree("onprem-data")
    Path("onprem.toml").unlink()
    done = onprem(
        *("ledger", "verify", str(export), "--public-key", "onprem.pub"),
        *("--anchor", str(ANCHORS), "--json"),
    )
    assert (done.code, done.err) == (0, "")
    assert done.json["intact"]
    assert done.json["anchors"]["onChain"] == done.json["checkpoints"] == 2
    assert done.json["ledger"]["anchoredUpTo"] == done.json["ledger"]["last"]
    key = Path("onprem.pub").read_text().strip()
    plain = onprem("ledger", "verify", str(export), "--public-key", key)
    assert plain.code == 0 and plain.out.endswith("intact\n")
    assert "the installation itself could have changed" in plain.out


def test_no_content_is_exported(export: Path) -> None:
    text = export.read_text() + ANCHORS.read_text()
    assert "deletion" in text and "confidential" not in text


@pytest.mark.parametrize(
    ("tamper", "told"),
    [
        (lambda text: text.replace(b'"job_ended"', b'"job_endee"', 1), "was changed"),
        (lambda text: b"".join(text.splitlines(True)[:-1]), "is cut off"),
        (lambda text: text[:-30], "cannot be read"),
    ],
)
def test_a_tampered_export_is_told(
    onprem: Onprem, export: Path, tamper: Callable[[bytes], bytes], told: str
) -> None:
    export.write_bytes(tamper(export.read_bytes()))
    done = onprem("ledger", "verify", str(export), "--public-key", "onprem.pub")
    assert done.code == 1
    assert told in done.out and done.out.endswith("NOT INTACT\n")


def test_an_export_goes_to_stdout_line_by_line(onprem: Onprem, job: str) -> None:
    done = onprem("ledger", "export")
    assert done.code == 0
    kinds = [json.loads(line)["line"] for line in done.out.splitlines()]
    assert (kinds[0], kinds[-1]) == ("header", "end")
    Path("piped").write_text(done.out)
    public = onprem("ledger", "key").out.strip()
    assert onprem("ledger", "verify", "piped", "--public-key", public).code == 0
    assert len(onprem("ledger", "export", "--from", "2900-01-01").out.splitlines()) == 2


def test_without_the_master_key_nothing_is_exported(onprem: Onprem, key: str) -> None:
    Path("secrets/master.key").unlink()
    done = onprem("ledger", "export", "--to", "export.jsonl")
    assert done.code == 4 and "master key" in done.err
    assert not Path("export.jsonl").exists()
    assert onprem("ledger", "show").code == 0


def test_a_file_that_is_there_is_not_written_over(onprem: Onprem, export: Path) -> None:
    before = export.read_bytes()
    done = onprem("ledger", "export", "--to", str(export))
    assert done.code == 1 and "File exists" in done.err
    assert export.read_bytes() == before


def test_what_is_stored_here_is_verified(onprem: Onprem, job: str) -> None:
    done = onprem("ledger", "verify", "--anchor", str(ANCHORS))
    assert done.code == 0, done.out
    forge("UPDATE ledger SET body = '{}' WHERE seq = 2")
    done = onprem("ledger", "verify")
    assert done.code == 1
    assert "BROKEN: ledger entry 2 was changed" in done.out


def test_what_was_cut_off_with_its_checkpoints_is_found_by_the_anchors(
    onprem: Onprem, job: str
) -> None:
    forge("DELETE FROM ledger WHERE seq > 3; DELETE FROM checkpoint")
    assert onprem("ledger", "verify").code == 0
    done = onprem("ledger", "verify", "--anchor", str(ANCHORS))
    assert done.code == 1
    assert "was anchored, and the chain ends before it" in done.out


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["export.jsonl"], 2, "an export proves nothing by the key that it brings"),
        (["export.jsonl", "--public-key", "AAAA"], 2, "it is no public key"),
        (["export.jsonl", "--public-key", "nothing.pub"], 2, "it is no public key"),
        (["nothing", "--public-key", "onprem.pub"], 6, "FILE: It cannot be read"),
        (
            ["export.jsonl", "--public-key", "onprem.pub", "--anchor", "nothing"],
            6,
            "--anchor: It cannot be read",
        ),
        (["--public-key", "A" * 43 + "="], 2, "it is not the key of this installation"),
    ],
)
def test_a_faulty_command_is_told(
    onprem: Onprem, export: Path, arguments: list[str], code: int, told: str
) -> None:
    done = onprem("ledger", "verify", *arguments)
    assert (done.code, told in done.err) == (code, True), done.err


def test_who_read_a_job_is_shown(onprem: Onprem, job: str) -> None:
    (read, *_) = onprem("audit", "show", "--job", job, "--json").json
    assert (read["what"], read["means"]) == ("output", "api")
    assert read["who"].startswith("key:")
    shown = onprem("audit", "show", "--job", job)
    assert shown.code == 0 and read["who"] in shown.out
    assert onprem("audit", "show", "--job", "nothing").code == 6


async def test_a_server_at_work_is_no_obstacle(onprem: Onprem, key: str) -> None:
    async with serving(key) as server:
        job_id = await one_job(server)
        for arguments in (["ledger", "verify"], ["audit", "show", "--job", job_id]):
            done = await asyncio.to_thread(onprem, *arguments)
            assert done.code == 0, done.err
        public = (await asyncio.to_thread(onprem, "ledger", "key", "--json")).json
        found = (await server.client.get("/v1/admin/ledger")).json()
        assert public == {name: found[name] for name in ("publicKey", "installation")}
