"""Two projects: B never sees, infers or changes what is A's, on any route.

`PROBES` has each route of the API. A probe sends a request of B's that names an object. B has a
twin that never heard of A: it sends the same, with names that nobody uses in the place of A's.
Whatever they send, in whatever order, both get the same answers, and A's objects stay as they are.
A route that names no object of a project says why.

A new route without an entry fails `test_every_route_has_a_probe`.
"""

import asyncio
import operator
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from onprem.http.app import ROUTES
from tests.support.audio import tone
from tests.support.isolation import (
    Names,
    Owner,
    Request,
    Sending,
    Twin,
    Whose,
    objects_of,
    owner_in,
    twins,
)


class Probe(NamedTuple):
    """`answers` are the statuses that B may get, for A's names and for unknown ones alike."""

    send: Sending
    answers: set[int]


NotOfAProject: TypeAlias = str
"""Why a route needs no probe."""

THE_LINK_IS_THE_PERMISSION = "a signed link is all that it takes, and only A's keys get one"
NO_OBJECTS = "shows nothing that belongs to a project"
NUMBERS_ONLY = "for operators, and counts over all projects without naming one"
PUBLIC = "open to everybody, and says nothing of projects"


def path(template: str, **more: Any) -> Sending:
    return lambda names: (template.format(**names._asdict()), more)


def body(address: str, **fields: Any) -> Sending:
    """Fields that are text may hold a name in braces."""

    def send(names: Names) -> Request:
        filled = {
            field: value.format(**names._asdict()) if isinstance(value, str) else value
            for field, value in fields.items()
        }
        return address, {"json": filled}

    return send


def submission(address: str, **fields: Any) -> Sending:
    """As `body`, with an idempotency key."""
    fill = body(address, url="{media}", **fields)

    def send(names: Names) -> Request:
        address, more = fill(names)
        return address, {**more, "headers": {"idempotency-key": names.once}}

    return send


def query(address: str, **parameters: str) -> Sending:
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
    "GET /healthz/compliance": NUMBERS_ONLY,
    "GET /metrics": NUMBERS_ONLY,
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
    "POST /v1/diarize": Probe(submission("/v1/diarize"), {400}),
    "POST /v1/identify": Probe(
        submission("/v1/identify", voiceprints=[{"label": "Sam", "voiceprint": "AAAA"}]),
        {400},
    ),
    "POST /v1/voiceprint": Probe(submission("/v1/voiceprint"), {400}),
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
    "POST /v1/admin/purge": Probe(body("/v1/admin/purge", job="{job}", dryRun=False), {403}),
    "GET /v1/admin/ledger": Probe(path("/v1/admin/ledger"), {403}),
    "GET /v1/admin/ledger/verification": Probe(path("/v1/admin/ledger/verification"), {403}),
    "GET /v1/admin/ledger/export": Probe(path("/v1/admin/ledger/export"), {403}),
    "GET /v1/admin/access-log": Probe(query("/v1/admin/access-log", job="{job}"), {403}),
    "GET /v1/admin/doctor": Probe(path("/v1/admin/doctor"), {403}),
    "GET /v1/admin/models": Probe(path("/v1/admin/models"), {403}),
    "GET /v1/admin/usage": Probe(path("/v1/admin/usage"), {403}),
    "GET /v1/admin/settings": Probe(path("/v1/admin/settings"), {403}),
    "GET /v1/admin/evidence": Probe(path("/v1/admin/evidence?from=2026-01-01"), {403}),
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


class Step(NamedTuple):
    """One request of a sequence: a route of `PROBES`, and what it is sent for."""

    route: str
    whose: Whose


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[Owner]:
    async with owner_in(tmp_path) as owner:
        yield owner


PROBED = {route: probe for route, probe in PROBES.items() if isinstance(probe, Probe)}


async def test_what_is_anothers_is_not_there(owner: Owner) -> None:
    """On each route; one server for all of them, for A's objects stand still."""
    before = await owner.everything()
    b, twin = await twins(owner)
    for route, probe in PROBED.items():
        for whose in (Whose.ANOTHERS, Whose.AT_WORK, Whose.NOBODYS):
            answer = await b.probed(route, probe.send, whose)
            assert answer == await twin.probed(route, probe.send, whose), (route, whose)
            assert answer.status in probe.answers, (route, whose)
    assert await owner.everything() == before


def begun(whose: Whose) -> list[Step]:
    """B has an upload of that name, and a job that is done."""
    return [Step("POST /v1/media/input", whose), Step("POST /v1/diarize", whose)]


CHANGING = [
    route for route in PROBED if not route.startswith("GET") and not route.count("/v1/admin/")
]


def sequences(whose: Whose) -> st.SearchStrategy[list[Step]]:
    """Mostly about those objects, and mostly of requests that change something."""
    routes = st.sampled_from(CHANGING) | st.sampled_from(list(PROBED))
    steps = st.builds(Step, routes, st.just(whose) | st.sampled_from(Whose))
    beginnings: st.SearchStrategy[list[Step]] = st.sampled_from([[], begun(whose)])
    return st.builds(operator.add, beginnings, st.lists(steps, min_size=1, max_size=8))


def test_whatever_b_does_it_learns_nothing_and_changes_nothing(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        held = AsyncExitStack()
        owner = runner.run(held.enter_async_context(owner_in(tmp_path)))

        @hypothesis_settings(max_examples=16, deadline=None)
        @given(st.sampled_from(Whose).flatmap(sequences))
        def holds(sequence: list[Step]) -> None:
            runner.run(holds_for(owner, sequence))

        try:
            holds()
        finally:
            runner.run(held.aclose())


async def holds_for(owner: Owner, sequence: list[Step]) -> None:
    before = await owner.everything()
    b, twin = await twins(owner)
    for step in sequence:
        send = PROBED[step.route].send
        answers = await b.takes(step.route, send, step.whose)
        assert answers == await twin.takes(step.route, send, step.whose), step
        owner.clock.advance(1.0)  # so that lists have an order
    assert await owner.everything() == before, sequence


@pytest.mark.parametrize("address", ["/v1/media", "/v1/media/receipts", "/v2/jobs", "/v1/jobs"])
async def test_lists_hold_ones_own_alone(owner: Owner, address: str) -> None:
    twin = await Twin.of(owner, {})
    theirs = await objects_of(twin.server, twin.key, "b")
    a_reads = (await owner.server.client.get(address)).text
    b_reads = (await twin.send("GET", address)).text
    assert [name for name in owner.done if name in a_reads]
    assert [name for name in theirs if name in b_reads]
    assert not [name for name in theirs if name in a_reads]
    assert not [name for name in owner.done if name in b_reads]


async def test_one_name_is_two_recordings_in_two_projects(owner: Owner) -> None:
    """B uploads, uses and deletes what has the same URL as A's."""
    server, twin, url = owner.server, await Twin.of(owner, {}), owner.done.media
    before = await owner.everything()
    link = await twin.send("POST", "/v1/media/input", json={"url": url})
    assert (await server.client.put(link.json()["url"], content=tone(2.0))).is_success
    link = await twin.send("POST", "/v1/media/output", json={"url": url})
    assert (await server.client.get(link.json()["url"])).content == tone(2.0)
    gone = await twin.send("DELETE", "/v1/media", params={"url": url})
    assert gone.status_code == 200
    assert await owner.everything() == before
    link = await server.client.post("/v1/media/output", json={"url": url})
    assert (await server.client.get(link.json()["url"])).content == tone(1.0)
