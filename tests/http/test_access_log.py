"""Whoever gets content is in the access log, and whoever does not is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from onprem.core.speech import Word
from onprem.errors import StorageFull, StoreBusy
from onprem.services.access import AccessLog
from onprem.store.database import Database, Transaction
from tests.support import scenarios
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.entries import accesses
from tests.support.scenarios import REQUESTS, World
from tests.support.server import Running
from tests.support.voices import install_starter_manifests

WORD, NAME = "Zanzibar", "Quetzal"
CONTENT = [WORD.encode(), NAME.encode(), tone(3.0)]
"""What the engine hears, what its owner corrected, and what was uploaded."""

SHOW_CONTENT = {
    "get_job": [("output", "api")],
    "get_output": [("output", "api"), ("edits", "api")],
    "get_edits": [("edits", "api")],
    "send_download": [("media", "api")],
    "transcribe": [("output", "openai")],
    "translate": [("output", "openai")],
}
"""The entries that each of these routes makes."""

ENDS_SOMETHING = ["cancel_job", "change_project", "drop_edits", "delete_job", "delete_media"]


@pytest.fixture
def engine() -> FakeEngine:
    engine = FakeEngine()
    engine.words = [Word(0.1, 0.5, f" {WORD}")]
    return engine


@pytest.fixture
async def world(server: Running, engine: FakeEngine) -> World:
    install_starter_manifests(server.settings.models_dir)
    world = World(server, engine)
    await world.furnish()
    edits = {"speakers": {"SPEAKER_00": NAME}}
    await world.server.client.put(f"/v1/jobs/{world.job}/edits", json=edits)
    return world


def key_of(server: Running) -> str:
    """The key that `server.client` has, as the log names it."""
    return "key:" + server.client.headers["authorization"].split("_")[1]


@asynccontextmanager
async def noted(server: Running) -> AsyncIterator[list[dict[str, Any]]]:
    """The entries that the block makes, at its end."""
    before, made = len(accesses(server)), list[dict[str, Any]]()
    yield made
    made += accesses(server)[before:]


async def test_an_answer_has_content_if_and_only_if_it_is_in_the_log(world: World) -> None:
    """On each route of the API, on one server: what takes content away comes last."""
    found = {}
    for name in sorted(REQUESTS, key=lambda name: (name in ENDS_SOMETHING, name)):
        async with noted(world.server) as entries:
            answer = await world.send(name)
        assert answer.status_code != 500, (name, answer.text)
        shows = any(content in answer.content for content in CONTENT)
        assert shows == bool(entries), (name, answer.text, entries)
        if entries:
            assert answer.status_code == 200
            found[name] = [(entry["what"], entry["means"]) for entry in entries]
            assert {entry["who"] for entry in entries} == {key_of(world.server)}
            assert {entry.get("result", "read") for entry in entries} == {"read"}
    assert found == SHOW_CONTENT


async def test_an_entry_names_the_job_and_the_artefact(world: World) -> None:
    server = world.server
    principal = await server.server.use.keys.authenticate(
        server.client.headers["authorization"].removeprefix("Bearer ")
    )
    async with noted(server) as entries:
        await world.send("get_output")
        await world.send("send_download")
    output, edits, media = entries
    await server.client.delete(f"/v1/jobs/{world.job}")
    receipts = (await server.client.get(f"/v1/jobs/{world.job}/receipts")).json()["receipts"]
    ids = {receipt["artefactId"]: receipt["kind"] for receipt in receipts}
    assert (ids[output["artefactId"]], output["jobId"]) == ("output", world.job)
    assert (ids[edits["artefactId"]], edits["jobId"]) == ("edits", world.job)
    gone = (await world.send("delete_media")).json()["receipt"]
    assert (media["artefactId"], media["jobId"]) == (gone["artefactId"], None)
    assert {entry["projectId"] for entry in entries} == {principal.project_id}


async def test_each_read_of_a_poller_is_an_entry(world: World) -> None:
    async with noted(world.server) as entries:
        for _ in range(3):
            await world.send("get_job")
        await world.server.client.get(f"/v1/jobs/{world.job}/output?edits=false")
    assert [entry["what"] for entry in entries] == ["output"] * 4


async def test_a_job_that_has_not_ended_makes_no_entry(world: World) -> None:
    async with noted(world.server) as entries, world.held():
        world.job = await world.server.diarize(url=scenarios.MEDIA)
        await world.send("get_job")
        await world.send("get_output")
    assert entries == []


async def test_a_failed_jobs_output_is_an_entry_too(world: World) -> None:
    world.engine.raises = RuntimeError()
    world.job = await world.server.diarize(url=scenarios.MEDIA)
    async with world.server.client.stream("GET", f"/v1/jobs/{world.job}/events") as events:
        await events.aread()
    async with noted(world.server) as entries:
        assert "error" in (await world.send("get_job")).json()["output"]
    assert [entry["what"] for entry in entries] == ["output"]


@pytest.mark.parametrize("wanted", ["bytes=0-9", "bytes=5-"])
async def test_each_request_for_a_part_is_an_entry(world: World, wanted: str) -> None:
    async with noted(world.server) as entries:
        for _ in range(2):
            answer = await world.send("send_download", headers={"range": wanted})
            assert answer.status_code == 206
        assert (await scenarios.beyond_the_end(world, "send_download")).status_code == 416
    assert [entry["what"] for entry in entries] == ["media", "media"]


async def test_a_download_is_in_the_name_of_the_key_that_asked_for_the_link(world: World) -> None:
    secret = await world.server.key()
    headers = {"authorization": f"Bearer {secret}"}
    declared = await world.server.client.post(
        "/v1/media/output", json={"url": scenarios.MEDIA}, headers=headers
    )
    async with noted(world.server) as entries:
        await world.server.client.get(declared.json()["url"])
    assert [entry["who"] for entry in entries] == ["key:" + secret.split("_")[1]]


@pytest.mark.parametrize(
    ("name", "what"), [("get_output", "output"), ("get_edits", "edits"), ("get_job", None)]
)
async def test_whoever_comes_after_the_deadline_is_noted_as_that(
    world: World, clock: FakeClock, name: str, what: str | None
) -> None:
    """`GET /v1/jobs/{id}` is no request for the output: it says when that went."""
    clock.advance(24 * 3600)
    async with noted(world.server) as entries:
        answer = await world.send(name)
    assert answer.status_code == (200 if what is None else 410)
    assert [(entry["what"], entry["result"]) for entry in entries] == (
        [] if what is None else [(what, "expired")]
    )


async def test_a_link_to_what_is_gone_is_noted_as_that(world: World) -> None:
    await world.send("delete_media")
    async with noted(world.server) as entries:
        assert (await world.send("send_download")).status_code == 410
        assert (await world.server.client.get("/v1/media/download/x")).status_code == 403
    assert [(entry["what"], entry["result"]) for entry in entries] == [("media", "expired")]


@pytest.mark.parametrize("name", sorted(SHOW_CONTENT))
@pytest.mark.parametrize("error", [StorageFull(), StoreBusy()], ids=lambda error: error.code)
async def test_what_cannot_be_noted_is_not_handed_out(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str, error: StorageFull | StoreBusy
) -> None:
    async def fail(*_: object) -> bool:
        raise error

    monkeypatch.setattr(AccessLog, "admit", fail)
    answer = await world.send(name)
    assert answer.status_code == (507 if isinstance(error, StorageFull) else 503)
    assert not [content for content in CONTENT if content in answer.content]
    assert error.code in answer.text


@pytest.mark.parametrize("name", ["get_job", "get_output", "get_edits", "send_download"])
async def test_what_is_deleted_while_it_is_read_is_not_handed_out(
    world: World, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The deletion gets the write lock first: no entry of a read may come behind its receipt."""
    reading, deleted = asyncio.Event(), asyncio.Event()
    admit = AccessLog.admit

    async def late(log: AccessLog, *arguments: Any) -> bool:
        if not reading.is_set():
            reading.set()
            await deleted.wait()
        return await admit(log, *arguments)

    monkeypatch.setattr(AccessLog, "admit", late)
    async with noted(world.server) as entries:
        asked = asyncio.create_task(world.send(name))
        await reading.wait()
        for deletion in ("delete_job", "delete_media"):
            await world.send(deletion)
        deleted.set()
        answer = await asked
    assert not [content for content in CONTENT if content in answer.content]
    assert not [entry for entry in entries if entry.get("result", "read") == "read"]


STREAM: dict[str, Any] = {"data": {"model": "whisper-base", "stream": "true"}}


async def test_a_streamed_answer_is_one_entry_from_its_first_word_on(world: World) -> None:
    async with noted(world.server) as entries:
        answer = await world.send("transcribe", **STREAM)
    assert "transcript.text.done" in answer.text
    (entry,) = entries
    assert (entry["what"], entry["means"]) == ("output", "openai")
    assert entry["jobId"] == answer.headers["x-onprem-job-id"]
    assert entry["who"] == key_of(world.server)


async def test_no_word_is_streamed_that_cannot_be_noted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> bool:
        raise StorageFull()

    monkeypatch.setattr(AccessLog, "heard", full)
    answer = await world.send("transcribe", **STREAM)
    assert answer.status_code == 507
    assert WORD not in answer.text


async def test_reading_what_holds_no_content_needs_no_room(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    @asynccontextmanager
    async def full(_: Database) -> AsyncIterator[Transaction]:
        raise StorageFull()
        yield

    monkeypatch.setattr(Database, "write", full)
    for name in ("list_jobs", "list_media", "get_receipts", "list_deliveries", "declare_download"):
        answer: httpx.Response = await world.send(name)
        assert answer.is_success, (name, answer.text)
    assert (await world.send("get_job")).status_code == 507
