"""`onprem evidence`, and a verification that needs no installation."""

import asyncio
import json
import os
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import Onprem
from tests.cli.test_ledger import ANCHORS, key as key, one_job, serving
from tests.support.evidence import MEMBERS, archive, made_at, members_of

PACK = Path("pack.tar")
TODAY = "2026-01-01"


@pytest.fixture
def pack(onprem: Onprem, key: str) -> Path:
    """Of an installation that ran a job, and is not there any more."""

    async def run() -> None:
        async with serving(key) as server:
            await server.job(await one_job(server))

    asyncio.run(run())
    Path("onprem.pub").write_text(onprem("ledger", "key").out)
    done = onprem("evidence", "--from", TODAY, "--access-log", "--output", str(PACK), "--json")
    assert done.code == 0, done.err
    assert (done.json["file"], done.json["bytes"]) == ("pack.tar", PACK.stat().st_size)
    assert [part["name"] for part in done.json["manifest"]["parts"]] == list(MEMBERS[1:])
    shutil.rmtree("onprem-data")
    shutil.rmtree("secrets")
    Path("onprem.toml").unlink()
    return PACK


VERIFY = ("evidence", "verify", str(PACK), "--public-key", "onprem.pub")


def test_it_is_verified_by_the_public_key_alone(onprem: Onprem, pack: Path) -> None:
    done = onprem(*VERIFY)
    assert (done.code, done.err) == (0, "")
    assert "parts as they were signed: 10 of 10" in done.out
    assert "anchors: none given" in done.out
    assert done.out.endswith("the pack is intact\n")
    shown = onprem(*VERIFY, "--json").json
    assert shown["intact"] is True and shown["ledger"]["intact"] is True
    assert pack.stat().st_mode & 0o777 == 0o600


def test_its_ledger_is_one_that_ledger_verify_takes(onprem: Onprem, pack: Path) -> None:
    members = members_of(pack.read_bytes())
    Path("ledger.jsonl").write_bytes(members["ledger.jsonl"])
    done = onprem("ledger", "verify", "ledger.jsonl", "--public-key", "onprem.pub")
    assert done.code == 0, done.out
    assert {"deletion", "act"} <= json.loads(members["summary.json"])["entries"].keys()
    assert json.loads(members["summary.json"])["actors"] == {
        f"user:{os.geteuid()}": 2,
        "server": 1,
    }


def test_with_the_checkpoints_that_left_the_host(onprem: Onprem, pack: Path) -> None:
    done = onprem(*VERIFY, "--anchor", str(ANCHORS))
    assert done.code == 0, done.out
    assert "anchors: " in done.out and "on the chain" in done.out


def test_whatever_was_done_to_it_is_named(onprem: Onprem, pack: Path) -> None:
    raw = pack.read_bytes()
    members = members_of(raw)
    ledger = members["ledger.jsonl"].replace(b'"request"', b'"requesT"')
    pack.write_bytes(archive(members | {"ledger.jsonl": ledger}, made_at(raw)))
    done = onprem(*VERIFY)
    assert done.code == 1
    assert "BROKEN: ledger.jsonl was changed after it was signed" in done.out
    assert done.out.endswith("the pack is NOT INTACT\n")
    members.pop("doctor.json")
    pack.write_bytes(archive(members, made_at(raw)))
    done = onprem(*VERIFY, "--json")
    assert done.code == 1
    assert done.json["problems"] == [{"where": "doctor.json", "what": "is missing"}]


def test_another_key_and_files_that_are_not_there(onprem: Onprem, pack: Path) -> None:
    other = "A" * 43 + "="
    assert onprem(*VERIFY[:-1], other).code == 1
    assert onprem(*VERIFY[:3]).code == 2
    done = onprem("evidence", "verify", "nothing.tar", "--public-key", "onprem.pub")
    assert (done.code, "nothing.tar cannot be read" in done.err) == (6, True)
    done = onprem(*VERIFY, "--anchor", "nothing.jsonl")
    assert (done.code, "nothing.jsonl cannot be read" in done.err) == (6, True)


def test_what_is_asked_for_wrongly(onprem: Onprem, key: str) -> None:
    assert onprem("evidence").code == 2
    assert onprem("evidence", "--from", TODAY).code == 2
    done = onprem("evidence", "--from", "yesterday", "--output", str(PACK))
    assert (done.code, "--from: Expected a day" in done.err) == (6, True)
    PACK.write_text("mine")
    done = onprem("evidence", "--from", TODAY, "--output", str(PACK))
    assert (done.code, PACK.read_text()) == (1, "mine")
