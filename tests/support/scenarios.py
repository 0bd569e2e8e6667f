"""For each route, a request that succeeds; and for each refusal, how it comes about."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import httpx

from onprem.core.speech import Turn
from onprem.errors import OnpremError, StorageFull, StoreBusy
from onprem.http.app import ROUTES
from onprem.http.bodies import BODY_LIMIT
from onprem.http.openai import form
from onprem.services.keys import Scope
from onprem.store.database import Database, Transaction
from onprem.store.slots import SlotFile
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.people import OPERATOR
from tests.support.server import Running

MEDIA = "media://calls/monday.wav"


class World:
    """A server, and what a request to one of its routes needs."""

    def __init__(self, server: Running, engine: FakeEngine) -> None:
        self.server = server
        self.engine = engine
        self.job = str(uuid.uuid4())
        self.voiceprint = ""
        self.link = ""
        self.download = ""

    async def furnish(self) -> None:
        """An uploaded recording, a job with edits, a voiceprint, and links for up and down."""
        link = await self.server.client.post("/v1/media/input", json={"url": "media://new.wav"})
        self.link = link.json()["url"]
        await self.server.upload(tone(3.0), MEDIA)
        self.job = await self.server.diarize(url=MEDIA, transcription=True)
        await self.server.finished(self.job)
        edits = {"speakers": {"SPEAKER_01": "Ben"}}
        await self.server.client.put(f"/v1/jobs/{self.job}/edits", json=edits)
        self.download = await downloaded(self)
        self.engine.turns = [Turn("SPEAKER_00", 0.0, 3.0)]
        answer = await self.server.client.post("/v1/voiceprint", json={"url": MEDIA})
        output = (await self.server.finished(answer.json()["jobId"]))["output"]
        assert isinstance(output, dict)
        self.voiceprint = output["voiceprint"]

    async def send(self, name: str, **changes: Any) -> httpx.Response:
        """The request of `REQUESTS`, changed."""
        method, path, options = REQUESTS[name](self)
        return await self.server.client.request(method, path, **(options | changes))

    async def set_project(self, **settings: Any) -> None:
        await self.server.server.use.projects.change("default", settings, actor=OPERATOR)

    @asynccontextmanager
    async def held(self) -> AsyncIterator[None]:
        """The engine is busy for the length of the block."""
        self.engine.gate.clear()
        try:
            yield
        finally:
            self.engine.gate.set()


Request = tuple[str, str, dict[str, Any]]


def _get(path: str) -> Callable[[World], Request]:
    return lambda world: ("GET", path.format(job=world.job), {})


def _call(method: str, path: str, **body: Any) -> Callable[[World], Request]:
    return lambda world: (method, path.format(job=world.job), {"json": body} if body else {})


def _speech(path: str) -> Callable[[World], Request]:
    files = {"file": ("a.wav", tone(1.0))}
    return lambda _: ("POST", path, {"files": files, "data": {"model": "whisper-base"}})


REQUESTS: dict[str, Callable[[World], Request]] = {
    "test_key": _get("/v1/test"),
    "declare_upload": _call("POST", "/v1/media/input", url=MEDIA),
    "receive_upload": lambda world: ("PUT", world.link, {"content": tone(1.0)}),
    "declare_download": _call("POST", "/v1/media/output", url=MEDIA),
    "send_download": lambda world: ("GET", world.download, {}),
    "list_media": _get("/v1/media"),
    "delete_media": lambda _: ("DELETE", "/v1/media", {"params": {"url": MEDIA}}),
    "list_media_receipts": _get("/v1/media/receipts"),
    "diarize": _call("POST", "/v1/diarize", url=MEDIA),
    "identify": lambda world: (
        *("POST", "/v1/identify"),
        {"json": {"url": MEDIA, "voiceprints": [{"label": "Sam", "voiceprint": world.voiceprint}]}},
    ),
    "voiceprint": _call("POST", "/v1/voiceprint", url=MEDIA),
    "list_jobs": _get("/v2/jobs"),
    "list_jobs_by_number": _get("/v1/jobs"),
    "get_job": _get("/v1/jobs/{job}"),
    "get_receipts": _get("/v1/jobs/{job}/receipts"),
    "follow_job": _get("/v1/jobs/{job}/events"),
    "cancel_job": _call("POST", "/v1/jobs/{job}/cancel"),
    "delete_job": _call("DELETE", "/v1/jobs/{job}"),
    "get_output": _get("/v1/jobs/{job}/output"),
    "get_edits": _get("/v1/jobs/{job}/edits"),
    "replace_edits": _call("PUT", "/v1/jobs/{job}/edits", speakers={"SPEAKER_00": "Anna"}),
    "drop_edits": _call("DELETE", "/v1/jobs/{job}/edits"),
    "list_deliveries": _get("/v1/jobs/{job}/deliveries"),
    "acknowledge": _call("POST", "/v1/jobs/{job}/ack"),
    "transcribe": _speech("/v1/audio/transcriptions"),
    "translate": _speech("/v1/audio/translations"),
    "list_models": _get("/v1/models"),
    "get_model": _get("/v1/models/whisper-1"),
    "open_stream": _call("POST", "/v1/live"),
    "get_stream": _get("/v1/live/1"),
    "list_projects": _get("/v1/admin/projects"),
    "create_project": _call("POST", "/v1/admin/projects", name="sales"),
    "get_project": _get("/v1/admin/projects/default"),
    "change_project": _call("PATCH", "/v1/admin/projects/default", region="eu"),
    "list_keys": _get("/v1/admin/keys"),
    "create_key": _call("POST", "/v1/admin/keys", name="app", project="default"),
    "revoke_key": _call("DELETE", "/v1/admin/keys/00000000"),
    "reveal_webhook_secrets": _get("/v1/admin/webhook-secrets?project=default"),
    "rotate_webhook_secret": _call("POST", "/v1/admin/webhook-secrets", project="default"),
    "list_installed_models": _get("/v1/admin/models"),
    "show_usage": _get("/v1/admin/usage"),
    "show_settings": _get("/v1/admin/settings"),
    "purge": lambda world: (
        *("POST", "/v1/admin/purge"),
        {"json": {"job": world.job, "dryRun": False}},
    ),
    "examine_node": _get("/v1/admin/doctor"),
    "create_evidence": _get("/v1/admin/evidence?from=2026-01-01"),
    "show_ledger": _get("/v1/admin/ledger"),
    "verify_ledger": _get("/v1/admin/ledger/verification"),
    "export_ledger": _get("/v1/admin/ledger/export"),
    "list_accesses": _get("/v1/admin/access-log?job={job}"),
    "live": _get("/healthz/live"),
    "ready": _get("/healthz/ready"),
    "compliance": _get("/healthz/compliance"),
    "metrics": _get("/metrics"),
    "openapi": _get("/openapi.json"),
    "reference_page": _get("/docs"),
}
"""By operation. What has to exist does, after `World.furnish`."""


Scenario = Callable[[World, str], Awaitable[httpx.Response]]


async def as_it_is(world: World, name: str) -> httpx.Response:
    return await world.send(name)


async def without_key(world: World, name: str) -> httpx.Response:
    return await world.send(name, headers={"authorization": ""})


async def from_elsewhere(world: World, name: str) -> httpx.Response:
    return await world.send(name, headers={"host": "evil.example"})


async def without_scope(world: World, name: str) -> httpx.Response:
    route = next(route for route in ROUTES if route.fn.__name__ == name)
    wrong = Scope.JOBS_READ if route.opt["scope"] is Scope.ADMIN else Scope.ADMIN
    secret = await world.server.key(scopes=[wrong])
    return await world.send(name, headers={"authorization": f"Bearer {secret}"})


async def through_a_proxy_without_key(world: World, name: str) -> httpx.Response:
    return await world.send(name, headers={"authorization": "", "via": "1.1 proxy"})


async def through_a_proxy_without_admin(world: World, name: str) -> httpx.Response:
    secret = await world.server.key(scopes=[Scope.JOBS_READ])
    headers = {"authorization": f"Bearer {secret}", "via": "1.1 proxy"}
    return await world.send(name, headers=headers)


async def with_a_list(world: World, name: str) -> httpx.Response:
    return await world.send(name, json=[])


async def with_too_much(world: World, name: str) -> httpx.Response:
    return await world.send(name, json=None, content=b" " * (BODY_LIMIT + 1))


async def too_often(world: World, name: str) -> httpx.Response:
    await world.set_project(requestsPerMinute=1)
    await world.send(name)
    return await world.send(name)


def asking(**parameters: Any) -> Scenario:
    """Query parameters that are wrong."""

    async def sent(world: World, name: str) -> httpx.Response:
        return await world.send(name, params=parameters)

    return sent


def telling(**body: Any) -> Scenario:
    """A body of fields that name nothing that is there."""

    async def sent(world: World, name: str) -> httpx.Response:
        return await world.send(name, json=body)

    return sent


def at(method: str, path: str, **body: Any) -> Scenario:
    async def sent(world: World, name: str) -> httpx.Response:
        return await world.server.client.request(method, path, json=body or None)

    return sent


async def of_an_unknown_job(world: World, name: str) -> httpx.Response:
    world.job = str(uuid.uuid4())
    return await world.send(name)


async def of_a_waiting_job(world: World, name: str) -> httpx.Response:
    async with world.held():
        world.job = await world.server.diarize(url=MEDIA)
        return await world.send(name)


async def of_a_deleted_output(world: World, name: str) -> httpx.Response:
    clock: Any = world.server.server.use.jobs._clock
    clock.advance(25 * 3600)
    return await world.send(name)


async def where_writing_fails(world: World, name: str, error: OnpremError) -> httpx.Response:
    @asynccontextmanager
    async def refused(_: Database) -> AsyncIterator[Transaction]:
        raise error
        yield

    method, path, options = REQUESTS[name](world)
    with patch.object(Database, "write", refused):
        return await world.server.client.request(method, path, **options)


async def while_busy(world: World, name: str) -> httpx.Response:
    return await where_writing_fails(world, name, StoreBusy())


async def on_a_full_disk(world: World, name: str) -> httpx.Response:
    return await where_writing_fails(world, name, StorageFull())


async def of_a_record_that_resists(world: World, name: str) -> httpx.Response:
    with patch.object(SlotFile, "erase", lambda *_: False):
        return await world.send(name)


async def with_a_key_for_something_else(world: World, name: str) -> httpx.Response:
    headers = {"idempotency-key": "once"}
    await world.send(name, headers=headers)
    return await world.send(name, headers=headers, json={"url": MEDIA, "webhookStatusOnly": True})


async def through_a_used_link(world: World, name: str) -> httpx.Response:
    await world.send(name)
    return await world.send(name)


async def larger_than_the_quota(world: World, name: str) -> httpx.Response:
    await world.set_project(mediaBytes=10)
    return await world.send(name)


async def on_the_wire(world: World, head: str) -> httpx.Response:
    """The answer to a request whose body never comes."""
    base = world.server.client.base_url
    reader, writer = await asyncio.open_connection(base.host, base.port)
    key = world.server.client.headers["authorization"]
    writer.write(f"{head}\r\nhost: {base.host}\r\nauthorization: {key}\r\n".encode())
    writer.write(b"content-length: 100\r\n\r\nbegins")
    start = (await asyncio.wait_for(reader.readline(), 10)).split()
    raw = await reader.readuntil(b"\r\n\r\n")
    body = await reader.read(int(raw.lower().partition(b"content-length: ")[2].split()[0]))
    writer.close()
    await writer.wait_closed()
    return httpx.Response(int(start[1]), content=body)


async def downloaded(world: World) -> str:
    answer = await world.server.client.post("/v1/media/output", json={"url": MEDIA})
    return str(answer.json()["url"])


async def of_deleted_media(world: World, name: str) -> httpx.Response:
    link = await downloaded(world)
    await world.server.client.delete("/v1/media", params={"url": MEDIA})
    return await world.server.client.get(link)


async def beyond_the_end(world: World, name: str) -> httpx.Response:
    headers = {"range": "bytes=99999999-"}
    return await world.server.client.get(await downloaded(world), headers=headers)


async def of_a_stalled_form(world: World, name: str) -> httpx.Response:
    _, path, _ = REQUESTS[name](world)
    with patch.object(form, "STALL_SECONDS", 0):
        return await on_the_wire(
            world, f"POST {path} HTTP/1.1\r\ncontent-type: multipart/form-data; boundary=x"
        )


async def of_a_file_that_is_too_large(world: World, name: str) -> httpx.Response:
    with patch.object(world.server.server.use.speech_to_text, "file_limit", 100):
        return await world.send(name)


async def without_a_model(world: World, name: str) -> httpx.Response:
    return await world.send(name, data={})
