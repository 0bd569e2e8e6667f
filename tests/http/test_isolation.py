"""Two projects: B never sees, infers or changes what is A's, on any route.

`PROBES` has each route of the API. A probe sends a request of B's that names an object; it is sent
once with the names of A's objects and once with names that nobody uses, and both answers must be
the same. A route that names no object of a project says why.

A new route without an entry fails `test_every_route_has_a_probe`.
"""

import re
import secrets
import uuid
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

import httpx
import pytest

from onprem.http.app import ROUTES
from onprem.services.keys import USUAL_SCOPES
from tests.support.audio import tone
from tests.support.server import Running


class Names(NamedTuple):
    """What somebody would have to know of another project's objects."""

    job: str
    media: str
    artefact: str
    project: str
    key: str


Request: TypeAlias = tuple[str, dict[str, Any]]
"""A path, and what else `httpx` is to send."""


class Probe(NamedTuple):
    """`answers` are the statuses that B may get, for A's names and for unknown ones alike."""

    send: Callable[[Names], Request]
    answers: set[int]


NotOfAProject: TypeAlias = str
"""Why a route needs no probe."""

THE_LINK_IS_THE_PERMISSION = "a signed link is all that it takes, and only A's keys get one"
NO_OBJECTS = "shows nothing that belongs to a project"
PUBLIC = "open to everybody, and says nothing of projects"


def path(template: str, **more: Any) -> Callable[[Names], Request]:
    return lambda names: (template.format(**names._asdict()), more)


def body(address: str, **fields: Any) -> Callable[[Names], Request]:
    """Fields that are text may hold a name in braces."""

    def send(names: Names) -> Request:
        filled = {
            field: value.format(**names._asdict()) if isinstance(value, str) else value
            for field, value in fields.items()
        }
        return address, {"json": filled}

    return send


def query(address: str, **parameters: str) -> Callable[[Names], Request]:
    return lambda names: (
        address,
        {"params": {key: text.format(**names._asdict()) for key, text in parameters.items()}},
    )


PROBES: Mapping[str, Probe | NotOfAProject] = {
    "GET /v1/test": NO_OBJECTS,
    "GET /v1/models": NO_OBJECTS,
    "GET /v1/models/{model:str}": NO_OBJECTS,
    "POST /v1/live": NO_OBJECTS,
    "GET /v1/live/{stream_id:str}": NO_OBJECTS,
    "GET /healthz/live": PUBLIC,
    "GET /healthz/ready": PUBLIC,
    "GET /openapi.json": PUBLIC,
    "GET /docs": PUBLIC,
    # media
    "POST /v1/media/input": Probe(body("/v1/media/input", url="{media}"), {201}),
    "PUT /v1/media/upload/{token:str}": THE_LINK_IS_THE_PERMISSION,
    "POST /v1/media/output": Probe(body("/v1/media/output", url="{media}"), {400}),
    "GET /v1/media/download/{token:str}": THE_LINK_IS_THE_PERMISSION,
    "GET /v1/media": Probe(query("/v1/media", cursor="{media}"), {200}),
    "DELETE /v1/media": Probe(query("/v1/media", url="{media}"), {404}),
    "GET /v1/media/receipts": Probe(query("/v1/media/receipts", cursor="{artefact}"), {200}),
    # submitting
    "POST /v1/diarize": Probe(body("/v1/diarize", url="{media}"), {400}),
    "POST /v1/identify": Probe(
        body("/v1/identify", url="{media}", voiceprints=[{"label": "Sam", "voiceprint": "AAAA"}]),
        {400},
    ),
    "POST /v1/voiceprint": Probe(body("/v1/voiceprint", url="{media}"), {400}),
    "POST /v1/audio/transcriptions": "takes its recording with it and names no object",
    "POST /v1/audio/translations": "takes its recording with it and names no object",
    # jobs
    "GET /v2/jobs": Probe(query("/v2/jobs", cursor="{job}"), {200, 400}),
    "GET /v1/jobs": Probe(query("/v1/jobs", take="100"), {200}),
    "GET /v1/jobs/{job_id:str}": Probe(path("/v1/jobs/{job}"), {404}),
    "DELETE /v1/jobs/{job_id:str}": Probe(path("/v1/jobs/{job}"), {404}),
    "GET /v1/jobs/{job_id:str}/receipts": Probe(path("/v1/jobs/{job}/receipts"), {404}),
    "GET /v1/jobs/{job_id:str}/events": Probe(path("/v1/jobs/{job}/events"), {404}),
    "POST /v1/jobs/{job_id:str}/cancel": Probe(path("/v1/jobs/{job}/cancel"), {404}),
    "GET /v1/jobs/{job_id:str}/output": Probe(path("/v1/jobs/{job}/output"), {404}),
    "GET /v1/jobs/{job_id:str}/edits": Probe(path("/v1/jobs/{job}/edits"), {404}),
    "PUT /v1/jobs/{job_id:str}/edits": Probe(
        path("/v1/jobs/{job}/edits", json={"speakers": {"SPEAKER_00": "Mallory"}}), {404}
    ),
    "DELETE /v1/jobs/{job_id:str}/edits": Probe(path("/v1/jobs/{job}/edits"), {404}),
    "GET /v1/jobs/{job_id:str}/deliveries": Probe(path("/v1/jobs/{job}/deliveries"), {404}),
    "POST /v1/jobs/{job_id:str}/ack": Probe(path("/v1/jobs/{job}/ack"), {404}),
    # administration: the keys of a project do not have the scope
    "GET /v1/admin/projects": Probe(path("/v1/admin/projects"), {403}),
    "POST /v1/admin/projects": Probe(body("/v1/admin/projects", name="{project}"), {403}),
    "GET /v1/admin/projects/{project:str}": Probe(path("/v1/admin/projects/{project}"), {403}),
    "PATCH /v1/admin/projects/{project:str}": Probe(
        path("/v1/admin/projects/{project}", json={"region": "mars"}), {403}
    ),
    "GET /v1/admin/keys": Probe(path("/v1/admin/keys"), {403}),
    "POST /v1/admin/keys": Probe(body("/v1/admin/keys", name="x", project="{project}"), {403}),
    "DELETE /v1/admin/keys/{key_id:str}": Probe(path("/v1/admin/keys/{key}"), {403}),
    "GET /v1/admin/webhook-secrets": Probe(
        query("/v1/admin/webhook-secrets", project="{project}"), {403}
    ),
    "POST /v1/admin/webhook-secrets": Probe(
        body("/v1/admin/webhook-secrets", project="{project}"), {403}
    ),
    "GET /v1/admin/models": Probe(path("/v1/admin/models"), {403}),
    "GET /v1/admin/usage": Probe(path("/v1/admin/usage"), {403}),
    "GET /v1/admin/settings": Probe(path("/v1/admin/settings"), {403}),
}

SERVED = {
    f"{method} {place}"
    for route in ROUTES
    for place in route.paths
    for method in route.http_methods
    if method not in ("HEAD", "OPTIONS")
}


def test_every_route_has_a_probe() -> None:
    assert set(PROBES) == SERVED


class Projects(NamedTuple):
    """A with all its objects, and the key of B, which has a job and an upload of its own."""

    server: Running
    mine: Names
    stranger: dict[str, str]
    theirs: Names


def unknown() -> Names:
    """Their media comes behind all of B's, so that it is one place in B's list of media."""
    return Names(
        job=str(uuid.uuid4()),
        media=f"media://z/{secrets.token_hex(8)}.wav",
        artefact=secrets.token_hex(16),
        project=f"prj_{secrets.token_hex(8)}",
        key=secrets.token_hex(4),
    )


@pytest.fixture
async def projects(server: Running) -> AsyncIterator[Projects]:
    mine = await objects_of(server, server.client.headers["authorization"])
    await server.create_project("other")
    key = await server.key("other", USUAL_SCOPES)
    stranger = {"authorization": f"Bearer {key}"}
    theirs = await objects_of(server, stranger["authorization"], folder="b")
    yield Projects(server, mine, stranger, theirs)


async def objects_of(server: Running, authorization: str, folder: str = "z") -> Names:
    """An upload, a job that is done with edits, a receipt of an upload that was deleted."""
    headers = {"authorization": authorization}
    secret = authorization.removeprefix("Bearer ")
    principal = await server.server.use.keys.authenticate(secret)
    names = unknown()._replace(
        project=principal.project_id,
        key=principal.key_id,
        media=f"media://{folder}/{secrets.token_hex(8)}.wav",
    )

    async def send(method: str, path: str, **more: Any) -> Any:
        answer = await server.client.request(method, path, headers=headers, **more)
        assert answer.is_success, answer.text
        return answer.json()

    for url in ("media://deleted", names.media):
        link = await send("POST", "/v1/media/input", json={"url": url})
        assert (await server.client.put(link["url"], content=tone(1.0))).is_success
    gone = await send("DELETE", "/v1/media", params={"url": "media://deleted"})
    job = (await send("POST", "/v1/diarize", json={"url": names.media}))["jobId"]
    async with server.client.stream("GET", f"/v1/jobs/{job}/events", headers=headers) as events:
        async for _ in events.aiter_lines():
            pass
    edits = {"speakers": {"SPEAKER_00": "Sam"}}
    await send("PUT", f"/v1/jobs/{job}/edits", json=edits)
    return names._replace(job=job, artefact=gone["receipt"]["artefactId"])


async def test_anothers_object_is_as_one_that_is_not_there(projects: Projects) -> None:
    """On each route; one server for all of them, for A's objects stand still."""
    before = await everything_of_a(projects)
    for name, probe in PROBES.items():
        if isinstance(probe, str) or name not in SERVED:
            continue
        of_a = await answered(projects, name, probe, projects.mine)
        of_nobody = await answered(projects, name, probe, unknown())
        assert of_a == of_nobody, name
        assert of_a.status in probe.answers, name
        assert not [value for value in projects.mine if value in of_a.told], name
        assert await everything_of_a(projects) == before, name


class Answered(NamedTuple):
    status: int
    headers: set[str]
    told: str


async def answered(projects: Projects, name: str, probe: Probe, names: Names) -> Answered:
    """What B gets."""
    address, more = probe.send(names)
    answer = await projects.server.client.request(
        name.partition(" ")[0], address, **more, headers=projects.stranger
    )
    return Answered(answer.status_code, set(answer.headers), told(answer, names))


def told(answer: httpx.Response, names: Names) -> str:
    """The body without what differs between any two answers: ids of requests, tokens, and what
    the request itself had named."""
    text = re.sub(r'"requestId":"[^"]+"', "", answer.text)
    text = re.sub(r"/v1/media/upload/[\w-]+", "", text)
    for value in names:
        text = text.replace(value, "…")
    return text


async def everything_of_a(projects: Projects) -> dict[str, Any]:
    """Whatever A and its operator can read; it stands still, for the clock does."""
    job = f"/v1/jobs/{projects.mine.job}"
    paths = [
        *("/v2/jobs", "/v1/media", "/v1/media/receipts"),
        *(job, f"{job}/receipts", f"{job}/output", f"{job}/edits", f"{job}/deliveries"),
        *("/v1/admin/projects", "/v1/admin/keys", "/v1/admin/usage"),
    ]
    found: dict[str, Any] = {}
    for address in paths:
        answer = await projects.server.client.get(address)
        assert answer.status_code == 200, (address, answer.text)
        found[address] = answer.json()
    return found


@pytest.mark.parametrize("address", ["/v1/media", "/v1/media/receipts", "/v2/jobs", "/v1/jobs"])
async def test_lists_hold_ones_own_alone(projects: Projects, address: str) -> None:
    mine = (await projects.server.client.get(address)).text
    theirs = (await projects.server.client.get(address, headers=projects.stranger)).text
    assert [name for name in projects.mine if name in mine]
    assert [name for name in projects.theirs if name in theirs]
    assert not [name for name in projects.theirs if name in mine]
    assert not [name for name in projects.mine if name in theirs]


async def test_one_name_is_two_recordings_in_two_projects(projects: Projects) -> None:
    """B uploads, uses and deletes what has the same URL as A's."""
    server, url = projects.server, projects.mine.media
    before = await everything_of_a(projects)
    link = await server.client.post("/v1/media/input", json={"url": url}, headers=projects.stranger)
    assert (await server.client.put(link.json()["url"], content=tone(2.0))).is_success
    link = await server.client.post(
        "/v1/media/output", json={"url": url}, headers=projects.stranger
    )
    theirs = await server.client.get(link.json()["url"])
    assert theirs.content == tone(2.0)
    gone = await server.client.delete("/v1/media", params={"url": url}, headers=projects.stranger)
    assert gone.status_code == 200
    after = await everything_of_a(projects)
    for address in before.keys() - {"/v1/admin/usage"}:
        assert after[address] == before[address], address
    mine = await server.client.post("/v1/media/output", json={"url": url})
    assert (await server.client.get(mine.json()["url"])).content == tone(1.0)
