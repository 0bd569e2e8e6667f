"""Two projects on one server, for tests that no request of one tells it anything of the other.

A has all kinds of objects. B knows their names; its twin sends the same requests with names that
nobody uses.
"""

import asyncio
import enum
import re
import secrets
import threading
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import httpx

from onprem.config.quantities import Duration
from onprem.config.settings import Runner
from onprem.core.cancel import CancelToken
from onprem.core.speech import Analysis, Task
from onprem.services.keys import USUAL_SCOPES
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in


class Names(NamedTuple):
    """What somebody would have to know of another project's objects."""

    job: str
    media: str
    artefact: str
    project: str
    key: str
    once: str
    """An `Idempotency-Key`."""


Request: TypeAlias = tuple[str, dict[str, Any]]
"""A path, and what else `httpx` is to send."""
Sending: TypeAlias = Callable[[Names], Request]


class Whose(enum.StrEnum):
    """Whose objects a request of B's names."""

    ANOTHERS = "A's"
    AT_WORK = "A's, of which the job is in work"
    OWN = "B's own"
    NOBODYS = "nobody's"


def unknown(folder: str = "z") -> Names:
    """`folder` gives their media a place in a list that does not depend on chance."""
    return Names(
        job=str(uuid.uuid4()),
        media=f"media://{folder}/{secrets.token_hex(8)}.wav",
        artefact=secrets.token_hex(16),
        project=f"prj_{secrets.token_hex(8)}",
        key=secrets.token_hex(4),
        once=secrets.token_hex(16),
    )


SHORT, LONG = tone(1.0), tone(4.0)


class OneInWork(FakeEngine):
    """Is done with short recordings at once, and never with long ones."""

    def __init__(self) -> None:
        super().__init__()
        self.at_work = threading.Event()

    def analyse(
        self, task: Task, pcm: memoryview, progress: Any, cancel: CancelToken, heard: Any = None
    ) -> Analysis:
        if len(pcm) * 2 < len(LONG) // 2:
            return super().analyse(task, pcm, progress, cancel, heard)
        self.at_work.set()
        while True:
            cancel.check()
            time.sleep(0.005)


class Owner(NamedTuple):
    """A, with an upload, receipts, a job that is done and has edits, and one that is in work."""

    server: Running
    clock: FakeClock
    done: Names
    at_work: Names

    async def everything(self) -> dict[str, Any]:
        """Whatever A can read of its objects, and its operator of A."""
        jobs = [self.done.job, self.at_work.job]
        paths = [
            *("/v2/jobs", "/v1/media", "/v1/media/receipts"),
            *(f"/v1/jobs/{job}{each}" for job in jobs for each in ("", "/receipts", "/deliveries")),
            *(f"/v1/jobs/{self.done.job}/{each}" for each in ("output", "edits")),
            f"/v1/admin/projects/{self.done.project}",
        ]
        found: dict[str, Any] = {path: await self._read(path) for path in paths}
        for path, rows in (("keys", "keys"), ("usage", "jobs"), ("usage", "media")):
            every = (await self._read(f"/v1/admin/{path}"))[rows]
            found[rows] = [row for row in every if row["projectId"] == self.done.project]
            assert found[rows], rows
        return found

    async def _read(self, path: str) -> Any:
        answer = await self.server.client.get(path)
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()


@asynccontextmanager
async def owner_in(folder: Path) -> AsyncIterator[Owner]:
    clock, engine = FakeClock(), OneInWork()
    settings = settings_in(folder, runner=Runner(short_recording=Duration.parse("2s")))
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        done = await objects_of(server, key, "a")
        await server.upload(LONG, "media://a/long.wav")
        long = await server.diarize(url="media://a/long.wav")
        assert await asyncio.to_thread(engine.at_work.wait, 60)
        yield Owner(server, clock, done, done._replace(job=long))


async def objects_of(server: Running, key: str, folder: str) -> Names:
    """An upload, a job that is done with edits, a receipt of an upload that was deleted."""
    principal = await server.server.use.keys.authenticate(key)
    names = unknown(folder)._replace(project=principal.project_id, key=principal.key_id)
    headers = {"authorization": f"Bearer {key}"}

    async def send(method: str, path: str, **more: Any) -> Any:
        more["headers"] = headers | more.get("headers", {})
        answer = await server.client.request(method, path, **more)
        assert answer.is_success, (method, path, answer.text)
        return answer.json()

    for url in ("media://deleted", names.media):
        link = await send("POST", "/v1/media/input", json={"url": url})
        assert (await server.client.put(link["url"], content=SHORT)).is_success
    gone = await send("DELETE", "/v1/media", params={"url": "media://deleted"})
    once = {"idempotency-key": names.once}
    job = await send("POST", "/v1/diarize", json={"url": names.media}, headers=once)
    async with server.client.stream(
        "GET", f"/v1/jobs/{job['jobId']}/events", headers=headers
    ) as events:
        async for _ in events.aiter_lines():
            pass
    edits = {"speakers": {"SPEAKER_00": names.once}}  # a label that nobody else has
    await send("PUT", f"/v1/jobs/{job['jobId']}/edits", json=edits)
    return names._replace(job=job["jobId"], artefact=gone["receipt"]["artefactId"])


ID = re.compile(
    r"media://[\w./-]+|[0-9a-f]{16}\.wav|(?<=/v1/media/)(?:upload|download)/[\w.-]+|prj_[0-9a-f]{16}"
    r"|dlv_[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b"
)


PASSING = {"date", "content-length"}
"""Headers that differ between any two answers."""
SUBMISSIONS = {"POST /v1/diarize", "POST /v1/identify", "POST /v1/voiceprint"}


class Answered(NamedTuple):
    """What cannot differ: without the date, and with all names and ids by their order."""

    status: int
    headers: dict[str, str]
    body: str


class Twin:
    """A project that is told `names` of objects. Two with different ones differ in nothing else."""

    def __init__(
        self, server: Running, key: str, names: dict[Whose, Names], unheard: set[str]
    ) -> None:
        self.server = server
        self.key = key
        self._names = names
        self._unheard = unheard
        """What it must never read, for nobody told it."""
        self._known = {
            name: f"<{whose.value}: {field}>"
            for whose, each in reversed(names.items())
            for field, name in each._asdict().items()
        }

    @classmethod
    async def of(cls, owner: Owner, names: dict[Whose, Names]) -> "Twin":
        told = {name for each in names.values() for name in each}
        unheard = {*owner.done, *owner.at_work} - told
        server, project = owner.server, f"b-{secrets.token_hex(8)}"
        await server.create_project(project)
        key = await server.key(project, USUAL_SCOPES)
        principal = await server.server.use.keys.authenticate(key)
        own = unknown("b")._replace(project=principal.project_id, key=principal.key_id)
        return cls(server, key, {**names, Whose.OWN: own}, unheard)

    async def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        more["headers"] = {"authorization": f"Bearer {self.key}", **more.get("headers", {})}
        return await self.server.client.request(method, path, **more)

    async def takes(self, route: str, send: Sending, whose: Whose) -> list[Answered]:
        """Its answers: a link is used, and a job brought to its end, which is then B's own."""
        answer = await self._probe(route, send, whose)
        answers = [answer]
        if answer.is_success and route == "POST /v1/media/input":
            answers.append(await self.server.client.put(answer.json()["url"], content=SHORT))
        elif answer.is_success and route == "POST /v1/media/output":
            answers.append(await self.server.client.get(answer.json()["url"]))
        elif answer.is_success and route in SUBMISSIONS:
            job = answer.json()["jobId"]
            await self.send("GET", f"/v1/jobs/{job}/events")  # ends with the job
            answers.append(await self.send("GET", f"/v1/jobs/{job}"))
            self._names[Whose.OWN] = self._names[Whose.OWN]._replace(job=job)
        return [self._told(each) for each in answers]

    async def probed(self, route: str, send: Sending, whose: Whose) -> Answered:
        return self._told(await self._probe(route, send, whose))

    async def _probe(self, route: str, send: Sending, whose: Whose) -> httpx.Response:
        address, more = send(self._names[whose])
        answer = await self.send(route.partition(" ")[0], address, **more)
        assert not [name for name in self._unheard if name in answer.text], (route, whose)
        return answer

    def _told(self, answer: httpx.Response) -> Answered:
        kept = {name: text for name, text in answer.headers.items() if name not in PASSING}
        return Answered(
            answer.status_code,
            {name: self._without_ids(text) for name, text in kept.items()},
            self._without_ids(answer.text),
        )

    def _without_ids(self, text: str) -> str:
        return ID.sub(lambda found: self._known.setdefault(found[0], f"<{len(self._known)}>"), text)


async def twins(owner: Owner) -> tuple[Twin, Twin]:
    """B, which knows the names of A's objects, and its twin, which made some up."""
    nobodys, made_up = unknown(), unknown("a")
    known = {Whose.ANOTHERS: owner.done, Whose.AT_WORK: owner.at_work}
    invented = {Whose.ANOTHERS: made_up, Whose.AT_WORK: made_up._replace(job=str(uuid.uuid4()))}
    return (
        await Twin.of(owner, {**known, Whose.NOBODYS: nobodys}),
        await Twin.of(owner, {**invented, Whose.NOBODYS: nobodys}),
    )
