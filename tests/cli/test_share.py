"""`onprem share create`: all or nothing, noted before it is written, and sent nowhere."""

import asyncio
import hashlib
import io
import json
import os
import sqlite3
import tarfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest
from msgspec.structs import replace

from onprem.clock import system_clock
from onprem.config.load import load_settings
from onprem.config.settings import Fetch, Server
from tests.cli.conftest import Done, Onprem
from tests.support import web_source
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.server import Running, running

IDENTITY = pyrage.x25519.Identity.generate()
RECIPIENT = str(IDENTITY.to_public())
AUDIO = tone(34.0)  # more than one segment of the store
EXPECTED = (
    "SPEAKER a 1 0.0 1.0 <NA> <NA> Anna <NA> <NA>\nSPEAKER a 1 1.0 1.0 <NA> <NA> Bea <NA> <NA>\n"
)


class Case:
    """A finished job, and files beside it with which it can be shared."""

    def __init__(self, onprem: Onprem, server: Running, job_id: str, output: Any) -> None:
        self._onprem = onprem
        self.server = server
        self.job_id = job_id
        self.output = output
        self.give("expected.rttm", EXPECTED)
        self.consent()

    def give(self, name: str, content: str | bytes) -> None:
        Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())

    def consent(self, **changes: object) -> None:
        today = datetime.now(UTC)
        document = {
            "grantedBy": "Ada Example, Example Hospital",
            "grantedTo": "Support of Example Speech",
            "purpose": "Find out why two were taken for one",
            "jobs": [self.job_id],
            "grantedAt": (today - timedelta(days=1)).isoformat(),
            "expiresAt": (today + timedelta(days=1)).isoformat(),
        }
        self.give("consent.json", json.dumps(document | changes))

    async def share(self, *more: str, **options: str) -> Done:
        given = {
            "job": self.job_id,
            "expected": "expected.rttm",
            "consent": "consent.json",
            "recipient": RECIPIENT,
            "to": "bundle.age",
        }
        words = [word for name, value in (given | options).items() for word in (f"--{name}", value)]
        return await asyncio.to_thread(self._onprem, "share", "create", *words, *more)

    async def refused(self, *more: str, **options: str) -> list[str]:
        """The faults; nothing was written, read or noted."""
        noted, files = self.noted(), set(Path().iterdir())
        done = await self.share(*more, **options)
        assert (done.code, done.out) == (6, ""), done
        assert (self.noted(), set(Path().iterdir())) == (noted, files)
        return [line.strip() for line in done.err.splitlines()[1:-1]]

    def noted(self) -> tuple[list[Any], list[Any]]:
        """The acts of sharing, and the reads that were for sharing."""
        acts = self._bodies("ledger", "act")
        reads = self._bodies("access_log", "read")
        return (
            [act for act in acts if act["act"] == "shared"],
            [read for read in reads if read["means"] == "share"],
        )

    def _bodies(self, table: str, kind: str) -> list[Any]:
        path = self.server.settings.storage.data_dir / "onprem.sqlite3"
        sql = f"SELECT body FROM {table} WHERE kind = ? ORDER BY seq"
        with closing(sqlite3.connect(path)) as connection:
            return [json.loads(body) for (body,) in connection.execute(sql, (kind,))]


def opened(path: str = "bundle.age") -> dict[str, bytes]:
    plain = pyrage.decrypt(Path(path).read_bytes(), [IDENTITY])
    with tarfile.open(fileobj=io.BytesIO(plain)) as archive:
        return {info.name: archive.extractfile(info).read() for info in archive.getmembers()}


@pytest.fixture
def key(onprem: Onprem) -> str:
    return str(onprem("init", "--json").json["key"])


@asynccontextmanager
async def serving(
    key: str, fetch: Fetch | None = None, engine: FakeEngine | None = None
) -> AsyncIterator[Running]:
    settings = replace(load_settings(None), server=Server(port=0), fetch=fetch or Fetch())
    async with running(settings, engine or FakeEngine(), key, system_clock()) as server:
        yield server


async def finished(onprem: Onprem, server: Running, **body: object) -> Case:
    job_id = await server.diarize(**body)
    job: Any = await server.finished(job_id)
    assert job["status"] == "succeeded", job
    return Case(onprem, server, job_id, job["output"])


@pytest.fixture
async def case(onprem: Onprem, key: str) -> AsyncIterator[Case]:
    async with serving(key) as server:
        url = await server.upload(AUDIO)
        yield await finished(onprem, server, url=url, transcription=True)


async def test_a_bundle_has_all_parts_and_its_manifest_says_what_they_are(case: Case) -> None:
    done = await case.share("--json")
    assert done.code == 0, done.err
    assert done.json["bundle"] == "bundle.age"
    parts = opened()
    assert list(parts) == ["manifest.json", "audio", "output.json", "expected.rttm"]
    assert parts["audio"] == AUDIO
    assert json.loads(parts["output.json"]) == case.output
    assert parts["expected.rttm"].decode() == EXPECTED

    manifest = json.loads(parts["manifest.json"])
    assert manifest == done.json["manifest"]
    assert "validation and testing only" in manifest["use"] and "train" in manifest["use"]
    assert (manifest["jobId"], manifest["jobKind"]) == (case.job_id, "diarize")
    assert manifest["engine"] == {"diarization": {"id": "fake", "digest": "0" * 64}}
    document = Path("consent.json").read_bytes()
    assert manifest["consent"]["grantedBy"] == json.loads(document)["grantedBy"]
    assert manifest["consentSha256"] == hashlib.sha256(document).hexdigest()
    for part in manifest["parts"]:
        content = parts[part["name"]]
        assert (part["bytes"], part["sha256"]) == (
            len(content),
            hashlib.sha256(content).hexdigest(),
        )
    sources = {part["name"]: part["source"] for part in manifest["parts"]}
    assert sources == {"audio": "stored", "output.json": "stored", "expected.rttm": "file"}
    # Bea is also said to speak from 0.9 to 1.0, where only Anna is expected: 0.1 of 2 s
    score = manifest["scores"]["diarization"]
    assert (score["der"], score["falseAlarm"], score["collar"]) == (0.05, 0.1, 0.0)
    assert score["overlapScored"] is True and score["scoredUntil"] == 34.0
    assert list(manifest["scores"]["notScored"]) == ["transcription"]


async def test_the_ledger_notes_it_and_the_access_log_what_was_read(case: Case) -> None:
    assert case.noted() == ([], [])
    assert (await case.share()).code == 0
    (act,), reads = case.noted()
    who = f"user:{os.getuid()}"
    assert (act["actor"], act["subject"]) == (who, case.job_id)
    assert act["details"]["recipients"] == [RECIPIENT]
    document = Path("consent.json").read_bytes()
    assert act["details"]["consentSha256"] == hashlib.sha256(document).hexdigest()
    manifest = json.loads(opened()["manifest.json"])
    noted = [{k: part[k] for k in ("name", "bytes", "source")} for part in manifest["parts"]]
    assert act["details"]["parts"] == noted
    packed = opened()["manifest.json"]
    assert act["details"]["manifestSha256"] == hashlib.sha256(packed).hexdigest()
    assert not any(part["sha256"] in json.dumps(act) for part in manifest["parts"])
    assert len(bytes.fromhex(manifest["nonce"])) == 32
    assert "Ada" not in json.dumps(act) and "Hello" not in json.dumps(act)
    assert [(read["who"], read["what"]) for read in reads] == [(who, "output"), (who, "media")]


async def test_words_are_scored_where_both_have_them(case: Case) -> None:
    case.give("expected.txt", "[0:00:00] Anna: Hello\n[0:00:01] Bea: world, then\n")
    done = await case.share(expected="expected.txt")
    assert done.code == 0, done.err
    assert "WER 33.3 %" in done.out and "expected output has no diarization" in done.out
    assert list(opened())[-1] == "expected.txt"


async def test_a_corrected_output_is_scored_in_both_ways(case: Case) -> None:
    case.give("expected.json", json.dumps(case.output))
    done = await case.share("--json", expected="expected.json")
    scores = done.json["manifest"]["scores"]
    assert (scores["diarization"]["der"], scores["transcription"]["wer"]) == (0.0, 0.0)


async def test_it_needs_no_server(onprem: Onprem, key: str) -> None:
    async with serving(key) as server:
        case = await finished(onprem, server, url=await server.upload(AUDIO))
    done = await case.share()
    assert done.code == 0, done.err
    assert opened()["audio"] == AUDIO


async def test_several_recipients(case: Case) -> None:
    other = pyrage.x25519.Identity.generate()
    done = await case.share("--recipient", str(other.to_public()), "--recipient", RECIPIENT)
    assert done.code == 0, done.err
    assert pyrage.decrypt(Path("bundle.age").read_bytes(), [other])
    ((act,), _) = case.noted()
    assert act["details"]["recipients"] == [RECIPIENT, str(other.to_public())]


async def test_media_that_is_gone_is_asked_for(case: Case) -> None:
    await asyncio.to_thread(case._onprem, "media", "delete", "media://a.wav")
    (fault,) = await case.refused()
    assert fault.startswith("--audio:") and "not stored any more" in fault
    case.give("copy.wav", AUDIO)
    assert (await case.share(audio="copy.wav")).code == 0
    manifest = json.loads(opened()["manifest.json"])
    assert manifest["parts"][0]["source"] == "file"
    assert opened()["audio"] == AUDIO
    assert [read["what"] for read in case.noted()[1]] == ["output"]


async def test_media_that_its_owner_deleted_is_gone_though_a_job_still_reads_it(
    onprem: Onprem, key: str
) -> None:
    engine = FakeEngine()
    async with serving(key, engine=engine) as server:
        url = await server.upload(tone(2.0))
        case = await finished(onprem, server, url=url)
        engine.gate.clear()
        reader = await server.diarize(url=url)
        await asyncio.to_thread(onprem, "media", "delete", url)
        (fault,) = await case.refused()
        assert fault.startswith("--audio:")
        engine.gate.set()
        assert (await server.finished(reader))["status"] == "succeeded"


async def test_an_output_that_is_gone_is_asked_for(case: Case) -> None:
    answer = (await case.server.client.get(f"/v1/jobs/{case.job_id}")).content
    await asyncio.to_thread(case._onprem, "jobs", "delete", case.job_id)
    (fault,) = await case.refused()
    assert fault.startswith("--output:") and "not stored any more" in fault
    case.give("answer.json", answer)
    done = await case.share(output="answer.json")
    assert done.code == 0, done.err
    assert json.loads(opened()["output.json"]) == case.output


async def test_an_output_past_its_deadline_is_not_read(case: Case) -> None:
    path = case.server.settings.storage.data_dir / "onprem.sqlite3"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("UPDATE artefact SET due_at = ?", (time.time() - 1,))
    faults = await case.refused()
    assert [fault.split(":")[0] for fault in faults] == ["--audio", "--output"]


async def test_audio_of_a_url_is_asked_for(onprem: Onprem, key: str) -> None:
    async with web_source.serving() as source:
        source.answers["/a.wav"] = web_source.says(tone(1.0))
        async with serving(key, Fetch(allow=[f"127.0.0.1:{source.port}"])) as server:
            case = await finished(onprem, server, url=source.url("/a.wav"))
            (fault,) = await case.refused()
            assert fault.startswith("--audio:") and "No copy is kept" in fault
            case.give("copy.wav", tone(1.0))
            assert (await case.share(audio="copy.wav")).code == 0


async def test_without_a_sound_consent_nothing_happens(case: Case) -> None:
    case.consent(expiresAt="2026-01-01T00:00:00Z")
    assert await case.refused() == ["--consent expiresAt: The consent has expired."]
    case.give("consent.json", "{}")
    faults = await case.refused()
    assert len(faults) == 6 and all(fault.startswith("--consent ") for fault in faults)
    case.consent(jobs=["another"])
    assert len(await case.refused()) == 1
    case.give("consent.json", "I agree.")
    assert await case.refused() == ["--consent: It is not JSON."]


BAD: dict[str, tuple[Callable[[Case], None], dict[str, str], str]] = {
    "no consent": (lambda _: None, {"consent": "missing"}, "--consent: It cannot be read"),
    "a folder": (lambda _: Path("f.txt").mkdir(), {"expected": "f.txt"}, "--expected: It is no"),
    "a suffix": (
        lambda case: case.give("e.srt", "x"),
        {"expected": "e.srt"},
        "--expected: Its name must end in .rttm, .json or .txt.",
    ),
    "expected": (
        lambda case: case.give("e.rttm", "SPEAKER a"),
        {"expected": "e.rttm"},
        "--expected: Line 1 has 2 fields",
    ),
    "output": (
        lambda case: case.give("o.json", "{}"),
        {"output": "o.json"},
        "--output: It holds neither",
    ),
    "empty audio": (
        lambda case: case.give("a.wav", b""),
        {"audio": "a.wav"},
        "--audio: It is empty.",
    ),
    "no audio": (lambda _: None, {"audio": "missing"}, "--audio: It cannot be read"),
    "an audio folder": (lambda _: None, {"audio": "."}, "--audio: It is no file."),
    "a pipe": (lambda _: os.mkfifo("p"), {"audio": "p"}, "--audio: It is no file."),
    "a key": (lambda _: None, {"recipient": "age1x"}, "--recipient: It is no age public key"),
    "a secret key": (
        lambda _: None,
        {"recipient": str(IDENTITY)},
        "--recipient: This is a secret key",
    ),
    "there": (lambda case: case.give("b", ""), {"to": "b"}, "--to: It exists already"),
    "a link": (lambda _: Path("l").symlink_to("nowhere"), {"to": "l"}, "--to: It exists already"),
    "no folder": (lambda _: None, {"to": "missing/b"}, "--to: Its folder does not exist."),
    "in the data": (
        lambda _: None,
        {"to": "onprem-data/blobs/b"},
        "--to: It lies in the data directory",
    ),
}


async def test_what_is_given_wrongly(case: Case) -> None:
    for name, (prepare, options, why) in BAD.items():
        prepare(case)
        faults = await case.refused(**options)
        assert len(faults) == 1 and faults[0].startswith(why), (name, faults)
        assert str(IDENTITY) not in faults[0]


async def test_all_faults_at_once(case: Case) -> None:
    faults = await case.refused(consent="x", expected="y.txt", recipient="z", to="no/where")
    named = [fault.split(":")[0] for fault in faults]
    assert named == ["--consent", "--expected", "--recipient", "--to"]


async def test_nothing_to_compare(onprem: Onprem, key: str) -> None:
    async with serving(key) as server:
        case = await finished(onprem, server, url=await server.upload(tone(2.0)))
        case.give("e.txt", "Hello world")
        done = await case.share(expected="e.txt")
    assert done.code == 6
    assert "The produced output has no transcription." in done.err
    assert not Path("bundle.age").exists()
    assert case.noted()[0] == []


async def test_a_disk_that_refuses_leaves_an_entry_and_no_bundle(case: Case) -> None:
    done = await case.share(to="/proc/bundle.age")
    assert done.code == 1 and "could not be written" in done.err
    assert len(case.noted()[0]) == 1


def test_a_job_that_is_not_there(onprem: Onprem, key: str) -> None:
    options = ("--expected", "e.rttm", "--consent", "c", "--recipient", RECIPIENT, "--to", "b")
    for job in ("1a20dbb3-2c96-482d-b5ae-d7770645c786", ""):
        done = onprem("share", "create", "--job", job, *options)
        assert done.code == 6 and "no such job" in done.err


async def test_a_job_without_an_output(case: Case) -> None:
    path = case.server.settings.storage.data_dir / "onprem.sqlite3"
    for status, why in (("failed", "ended as failed"), ("pending", "has not finished")):
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("UPDATE job SET status = ?", (status,))
        done = await case.share()
        assert done.code == 6 and why in done.err


async def test_without_the_master_key_nothing_is_read(case: Case) -> None:
    Path("secrets/master.key").write_text("0" * 64 + "\n")
    done = await case.share()
    assert done.code == 4 and "master key" in done.err
    assert not Path("bundle.age").exists()
