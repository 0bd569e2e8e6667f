"""`onprem purge`: refusals, consent, receipts and certificates, without a server and beside one."""

import asyncio
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from onprem.core.certificate import ErasureCertificate
from onprem.core.purge import EVERYTHING
from onprem.core.signed import SignedDocument, open_signed
from tests.cli.conftest import Onprem
from tests.cli.test_jobs_and_media import beside, one_job, serving
from tests.support.engine import FakeEngine

NOBODYS = "1a20dbb3-2c96-482d-b5ae-d7770645c786"
MEDIA = "default/confidential/board-meeting.wav"


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def key(onprem: Onprem) -> str:
    return str(onprem("init", "--json").json["key"])


@pytest.fixture
def job_id(onprem: Onprem, engine: FakeEngine, key: str) -> str:
    """A job that has ended, and its media, of a server that has stopped."""

    async def made() -> str:
        async with serving(engine, key) as server:
            job_id = await one_job(server)
            await server.finished(job_id)
            return job_id

    return asyncio.run(made())


def say(monkeypatch: pytest.MonkeyPatch, line: str) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(line))


def left(onprem: Onprem) -> list[str]:
    """Kinds of what is stored."""
    plan = onprem("purge", "--all", "--dry-run", "--json").json["plan"]
    return sorted(item["kind"] for item in plan["items"])


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--due", "--all"],
        ["--job", NOBODYS, "--project", "default"],
        ["--media", "no-key"],
        ["--due", "--certificate", "file"],
        ["--all", "--no-certificate"],
        ["--project", "default", "--certificate", "file", "--no-certificate"],
        ["--all", "--yes", "--confirm", "everything"],
        ["--due", "--confirm", EVERYTHING],
    ],
)
def test_a_wrong_command_line_purges_nothing(
    onprem: Onprem, key: str, arguments: list[str]
) -> None:
    done = onprem("purge", *arguments)
    assert done.code == 2
    assert "Nothing was purged" in done.err


@pytest.mark.parametrize(
    "arguments", [["--job", NOBODYS], ["--media", "default/x"], ["--project", "x"]]
)
def test_what_does_not_exist_is_an_error(onprem: Onprem, key: str, arguments: list[str]) -> None:
    assert onprem("purge", *arguments, "--yes").code == 6


def test_nothing_due_is_no_error(onprem: Onprem, key: str) -> None:
    done = onprem("purge", "--due")
    assert (done.code, done.out) == (0, "nothing is due\n")


def test_the_timer_is_quiet_where_somebody_has_swept(onprem: Onprem, key: str) -> None:
    assert onprem("purge", "--due", "--yes").out == "nothing is due\n"
    done = onprem("purge", "--due", "--yes")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_it_asks_and_takes_only_yes_for_yes(
    onprem: Onprem, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(monkeypatch, "\n")
    declined = onprem("purge", "--job", job_id)
    assert (declined.code, declined.out) == (1, "")
    assert "its job is purged" in declined.err and "Go on? [y/N]" in declined.err
    assert left(onprem) == ["media", "output"]
    say(monkeypatch, "y\n")
    done = onprem("purge", "--job", job_id)
    assert done.code == 0 and "purged" in done.out and "1 deleted" in done.out
    assert left(onprem) == ["media"]


def test_nobody_at_the_prompt_is_a_refusal(
    onprem: Onprem, job_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for arguments in (["--job", job_id], ["--all"], ["--all", "--yes"]):
        say(monkeypatch, "")
        assert onprem("purge", *arguments).code == 2
    assert left(onprem) == ["media", "output"]


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["--all"], EVERYTHING, 0),
        (["--all", "--yes"], EVERYTHING, 0),
        (["--all", "--yes"], "y", 2),
        (["--all", "--yes", "--confirm", EVERYTHING], "", 0),
        (["--all", "--confirm", EVERYTHING], "y", 0),
        (["--all", "--confirm", EVERYTHING], "n", 1),
    ],
)
def test_everything_needs_its_words(
    onprem: Onprem,
    job_id: str,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    said: str,
    code: int,
) -> None:
    say(monkeypatch, f"{said}\n")
    assert onprem("purge", *arguments).code == code
    assert left(onprem) == ([] if code == 0 else ["media", "output"])


def test_a_dry_run_lists_what_then_is_deleted(onprem: Onprem, job_id: str) -> None:
    dry = onprem("purge", "--job", job_id, "--dry-run", "--json").json
    done = onprem("purge", "--job", job_id, "--yes", "--json").json
    assert dry["dryRun"] is True and done["dryRun"] is False
    assert dry["plan"]["items"] == done["plan"]["items"]
    assert [item["artefactId"] for item in dry["plan"]["items"]] == [
        receipt["artefactId"] for receipt in done["receipts"]
    ]
    assert done["left"] == done["failures"] == done["stopping"] == []


def test_it_can_be_repeated(onprem: Onprem, job_id: str) -> None:
    assert onprem("purge", "--job", job_id, "--yes").code == 0
    again = onprem("purge", "--job", job_id, "--yes")
    assert (again.code, again.out) == (0, "nothing is left of it\n")


def test_media_is_purged_and_never_named(onprem: Onprem, job_id: str) -> None:
    done = onprem("purge", "--media", MEDIA, "--yes")
    assert done.code == 0 and "confidential" not in done.out
    assert left(onprem) == ["output"]


def test_a_project_is_erased_with_a_certificate(onprem: Onprem, job_id: str) -> None:
    done = onprem("purge", "--project", "default", "--yes", "--certificate", "erased")
    assert done.code == 0, done.err
    document = msgspec.json.decode(Path("erased.json").read_bytes(), type=SignedDocument)
    said = open_signed(document, ErasureCertificate, document.public_key)
    text = Path("erased.txt").read_text()
    assert said.project_id in text and "CERTIFICATE OF ERASURE" in text
    assert said.erased_by.startswith("user:") and said.receipts.count == 2
    assert onprem("projects", "list", "--json").json == []
    again = onprem("purge", "--project", said.project_id, "--yes", "--json").json
    assert again["receipts"] == [] and again["certificate"]["publicKey"]


def test_a_certificate_is_never_written_over_a_file(onprem: Onprem, job_id: str) -> None:
    Path("erased.txt").write_text("mine")
    done = onprem("purge", "--project", "default", "--yes", "--certificate", "erased")
    assert done.code == 2 and "erased.txt" in done.err
    assert Path("erased.txt").read_text() == "mine" and not Path("erased.json").exists()
    assert left(onprem) == ["media", "output"]


def test_without_the_master_key_no_project_is_erased(onprem: Onprem, job_id: str) -> None:
    Path("secrets/master.key").unlink()
    refused = onprem("purge", "--project", "default", "--yes")
    assert refused.code == 4 and "master key" in refused.err
    assert left(onprem) == ["media", "output"]
    assert onprem("purge", "--project", "default", "--yes", "--no-certificate").code == 0
    assert left(onprem) == []


async def test_a_run_of_a_server_is_stopped_and_waited_for(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    engine.gate.clear()
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await asyncio.to_thread(engine.started.wait)
        planned = (await beside(onprem, "purge", "--job", job_id, "--dry-run")).out
        assert f"canceled, for they have not ended: {job_id}" in planned
        assert "its run holds it in memory" in planned
        done = await beside(onprem, "purge", "--job", job_id, "--yes", "--json")
        assert done.code == 0, done.err
        reasons = {each["kind"]: each["reason"] for each in done.json["receipts"]}
        assert reasons == {"request": "purged", "worker_copy": "job_ended"}


async def test_a_run_that_does_not_stop_is_not_counted_as_done(
    onprem: Onprem, engine: FakeEngine, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("onprem.cli.purge.RUNS_SECONDS", 0.3)
    engine.gate.clear()
    engine.deaf = True
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        await asyncio.to_thread(engine.started.wait)
        done = await beside(onprem, "purge", "--project", "default", "--yes")
        assert done.code == 1 and f"the recording of job {job_id}" in done.out
        assert "CERTIFICATE" not in done.out
        engine.gate.set()


_IMPORTS = """
import json, sys
from onprem.cli.main import run
code = run(["purge", "--due", "--yes", "--config", sys.argv[1]], sys.stdout, sys.stderr)
heavy = {"torch", "numpy", "pyannote", "faster_whisper", "ctranslate2", "av", "scipy"}
print(json.dumps([code, sorted(heavy & set(sys.modules))]))
"""


def test_what_the_timer_runs_imports_no_model_runtime(onprem: Onprem, key: str) -> None:
    command = [sys.executable, "-c", _IMPORTS, str(Path("onprem.toml").absolute())]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    result: Any = json.loads(done.stdout.splitlines()[-1])
    assert result == [0, []]
