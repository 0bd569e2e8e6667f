"""The commands of the page for auditors do what it says, in the order in which they stand."""

import asyncio
import io
import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from onprem.cli import main
from onprem.clock import system_clock
from onprem.config.load import load_settings
from onprem.config.settings import Retention, Server, Settings
from onprem.core.evidence import Evidence
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.evidence import MEMBERS, archive, made_at, members_of
from tests.support.server import running

PAGE = (Path(__file__).parents[2] / "docs/evidence.md").read_text()
COMMANDS = [
    line
    for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines()
    if line.startswith("onprem ")
]
(WITHOUT_ONPREM,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLE = "1a20dbb3-2c96-482d-b5ae-d7770645c786"


def onprem(line: str) -> str:
    out, err = io.StringIO(), io.StringIO()
    code = main.run(shlex.split(line, comments=True)[1:], out, err)
    assert (code, err.getvalue()) == (0, ""), line
    return out.getvalue()


async def one_job(settings: Settings, key: str) -> str:
    """On a server whose checkpoints leave it."""
    async with running(settings, FakeEngine(), key, system_clock()) as server:
        job_id = await server.diarize(url=await server.upload(tone(1.0)))
        await server.finished(job_id)
        return job_id


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(tmp_path)
    key = json.loads(onprem("onprem init --json"))["key"]
    settings = replace(
        load_settings(None),
        server=Server(port=0),
        retention=Retention(checkpoint_file=Path("checkpoints.jsonl").absolute()),
    )
    yield asyncio.run(one_job(settings, key))


def test_the_commands_work(job: str) -> None:
    assert len(COMMANDS) >= 7
    shown = []
    for command in COMMANDS:
        line, _, target = command.replace(EXAMPLE, job).partition(" > ")
        out = onprem(re.sub("2026-10-(?=..)", "2024-10-", line))
        shown.append(out)
        if target:
            Path(target).write_text(out)
    text = "\n".join(shown)
    assert "the pack is intact" in text and "on the chain" in text


def test_the_commands_of_the_table_work(job: str) -> None:
    table = PAGE.partition("## What an auditor asks")[2].partition("\n## ")[0]
    commands = re.findall(r"`(onprem (?:ledger show|audit show)[^`]*)`", table)
    assert len(commands) == 4
    for command in commands:
        onprem(command.replace(" ID", f" {job}"))


def test_a_pack_is_verified_without_onprem(job: str) -> None:
    Path("onprem.pub").write_text(onprem("onprem ledger key"))
    onprem("onprem evidence --from 2024-01-01 --output pack.tar")
    Path("check.py").write_text(WITHOUT_ONPREM)

    def checked() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "check.py", "pack.tar", "onprem.pub"]
        return subprocess.run(command, capture_output=True, text=True)

    assert checked().stdout == "as it was signed\n"
    raw = Path("pack.tar").read_bytes()
    members = members_of(raw)
    manifest = members["manifest.json"].replace(b"T", b"t", 1)
    changed = {
        "a part": members | {"policy.json": b"{}"},
        "the manifest": members | {"manifest.json": manifest},
        "more": members | {"more.txt": b""},
        "less": {name: content for name, content in members.items() if name != "doctor.json"},
    }
    for what, others in changed.items():
        Path("pack.tar").write_bytes(archive(others, made_at(raw)))
        assert checked().returncode == 1, what


def test_every_part_and_field_is_explained() -> None:
    assert not [name for name in MEMBERS if f"`{name}`" not in PAGE]
    names = [field.encode_name for field in msgspec.structs.fields(Evidence)]
    assert not [name for name in names if f"`{name}`" not in PAGE]
