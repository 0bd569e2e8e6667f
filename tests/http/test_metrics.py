"""Metrics: what they count, who may read them, and what they never say."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from onprem.config.settings import Server as ServerSettings
from onprem.core.receipt import ArtefactKind
from onprem.services import metric_table
from onprem.services.counters import Counters, Purpose
from onprem.services.keys import USUAL_SCOPES, Scope
from onprem.services.metric_table import PREFIX, MetricType
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def text_of(server: Running) -> str:
    answer = await server.client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    return answer.text


async def samples(server: Running) -> Samples:
    families = text_string_to_metric_families(await text_of(server))
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in families
        for sample in family.samples
    }


def of(found: Samples, name: str, **labels: str) -> float:
    return found[f"{PREFIX}{name}", frozenset(labels.items())]


async def test_every_metric_of_the_table_and_no_other(server: Running) -> None:
    await server.client.get("/healthz/live")  # so that there is an answer to count
    text = await text_of(server)
    types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
    ours = {name: kind for name, kind in types.items() if name.startswith(PREFIX)}
    assert ours == {metric.full_name: metric.type.value for metric in metric_table.EVERY}
    assert all(name.startswith("process_") for name in types.keys() - ours.keys())
    for metric in metric_table.EVERY:
        lines = re.findall(rf"^{metric.full_name}(?:_count)?(?:\{{(.*)\}})? ", text, re.MULTILINE)
        assert lines, metric.name
        for line in lines:
            assert set(re.findall(r'(\w+)="', line)) == set(metric.labels), line


async def test_what_is_kept_and_how_old_it_is(server: Running, clock: FakeClock) -> None:
    await server.upload(tone(1.0))
    clock.advance(100)
    found = await samples(server)
    assert of(found, "retained_objects", kind="media") == 1
    assert of(found, "retention_oldest_seconds", kind="media") == 100
    assert of(found, "retention_oldest_seconds", kind="output") == 0
    assert of(found, "retention_last_sweep_age_seconds") == 100
    kinds = {dict(labels).get("kind") for name, labels in found if "overdue" in name}
    assert kinds == {kind.value for kind in ArtefactKind if kind is not ArtefactKind.WORKER_COPY}
    assert {value for (name, _), value in found.items() if "overdue" in name} == {0}
    clock.advance(48 * 3600)
    found = await samples(server)
    assert of(found, "retention_due_objects", kind="media") == 1
    assert of(found, "retention_overdue_objects", kind="media") == 1


async def test_jobs_that_wait_run_and_end(server: Running, engine: FakeEngine) -> None:
    url = await server.upload(tone(1.0))
    engine.gate.clear()
    first = await server.diarize(url=url)
    second = await server.diarize(url=url)
    while not engine.started.is_set():
        await server.job(first)
    found = await samples(server)
    assert of(found, "jobs", status="running") + of(found, "jobs", status="waiting") == 2
    assert of(found, "jobs", status="running") == of(found, "worker_copies") >= 1
    assert of(found, "worker_copies_without_run") == 0
    assert of(found, "worker_memory_bytes") > 0
    await server.client.post(f"/v1/jobs/{second}/cancel")
    engine.gate.set()
    await server.finished(first)
    found = await samples(server)
    assert of(found, "jobs", status="running") == of(found, "jobs", status="waiting") == 0
    assert of(found, "jobs_ended_total", kind="diarize", status="succeeded") == 1
    assert of(found, "jobs_ended_total", kind="diarize", status="canceled") == 1
    assert of(found, "jobs_ended_total", kind="diarize", status="failed") == 0


async def test_a_destination_that_nothing_allows(server: Running) -> None:
    assert of(await samples(server), "egress_denied_total", purpose="fetch") == 0
    job = await server.diarize(url="http://127.0.0.1:9/a.wav")
    assert (await server.finished(job))["status"] == "failed"
    found = await samples(server)
    assert of(found, "egress_denied_total", purpose="fetch") == 1
    assert of(found, "egress_denied_total", purpose="delivery") == 0


def test_deliveries_are_counted_apart() -> None:
    counters = Counters()
    counters.denied(Purpose.DELIVERY)
    of_delivery = {"purpose": "delivery"}
    assert counters.registry.get_sample_value("onprem_egress_denied_total", of_delivery) == 1


async def test_answers_by_the_template_of_their_route(server: Running) -> None:
    await server.client.get("/v1/jobs/5cbd0d84-0000-4000-8000-000000000000")
    await server.client.get("/v1/jobs/x", headers={"authorization": ""})
    await server.client.get("/nothing/here")
    await server.client.request("BREW", "/v1/test")
    found = await samples(server)
    job = {"route": "/v1/jobs/{jobId}", "method": "GET"}
    assert of(found, "http_requests_total", **job, status="404") == 1
    assert of(found, "http_requests_total", **job, status="401") == 1
    assert of(found, "http_request_duration_seconds_count", **job) == 2
    assert of(found, "http_requests_total", route="none", method="GET", status="404") == 1
    assert of(found, "http_requests_total", route="none", method="other", status="405") == 1


MARKER = "m4rkermarkermarker"


async def test_nothing_of_a_project_or_a_request_is_in_them(server: Running) -> None:
    """Markers in every name that somebody chooses; ids that the server chose."""
    await server.create_project(f"{MARKER}-project")
    key = await server.key(f"{MARKER}-project")
    theirs = {"authorization": f"Bearer {key}"}
    url = await server.upload(tone(1.0), f"media://{MARKER}/call.wav")
    job = await server.diarize(url=url, webhook=f"https://{MARKER}.invalid/{MARKER}")
    await server.finished(job)
    failed = await server.diarize(url=f"http://127.0.0.1:9/{MARKER}.wav?{MARKER}={MARKER}")
    await server.finished(failed)
    for method, path in (
        ("GET", f"/v1/jobs/{MARKER}"),
        ("GET", f"/{MARKER}?{MARKER}"),
        ("DELETE", f"/v1/media?url=media://{MARKER}"),
        ("PUT", f"/v1/media/upload/{MARKER}"),
        (MARKER.upper(), "/v1/test"),
    ):
        headers = theirs | {"user-agent": MARKER, "idempotency-key": MARKER}
        await server.client.request(method, path, headers=headers)
    text = await text_of(server)
    assert MARKER not in text.lower()
    for chosen in (job, failed, key, str(server.settings.storage.data_dir)):
        assert chosen not in text
    labels = set(re.findall(r'(\w+)="', text))
    assert labels == {"kind", "status", "purpose", "route", "method", "le", "version"}
    histogram = [metric for metric in metric_table.EVERY if metric.type is MetricType.HISTOGRAM]
    assert len(histogram) == 1


# -- who may read ---------------------------------------------------------------------------------

TOKEN = "a-token-of-a-monitoring-system"
OPEN_ON_LOOPBACK = ("/metrics", "/healthz/compliance")


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Running]:
    token = tmp_path / "token"
    token.write_text(f"{TOKEN}\n")
    settings = settings_in(
        tmp_path,
        server=ServerSettings(
            port=0, metrics_token_file=token, allowed_hosts=["speech.example.com"]
        ),
    )
    key = await install(settings, FakeClock())
    async with running(settings, FakeEngine(), key) as server:
        yield server


@pytest.mark.parametrize("path", OPEN_ON_LOOPBACK)
async def test_open_on_this_machine(watched: Running, path: str) -> None:
    answer = await watched.client.get(path, headers={"authorization": ""})
    assert answer.status_code == 200


@pytest.mark.parametrize("path", OPEN_ON_LOOPBACK)
@pytest.mark.parametrize(
    "header",
    [
        {"x-forwarded-for": "10.0.0.1"},
        {"X-Forwarded-Proto": "https"},
        {"forwarded": "for=10.0.0.1"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "127.0.0.1"},
        {"host": "speech.example.com"},
    ],
    ids=lambda header: next(iter(header)),
)
async def test_what_came_through_a_proxy_is_not_from_this_machine(
    watched: Running, path: str, header: dict[str, str]
) -> None:
    async def status(authorization: str) -> int:
        headers = header | {"authorization": authorization}
        return (await watched.client.get(path, headers=headers)).status_code

    usual = await watched.key(scopes=USUAL_SCOPES)
    admin = await watched.key(scopes=[Scope.ADMIN])
    assert await status("") == 401
    assert await status(f"Bearer {TOKEN[:-1]}") == 401
    assert await status(f"Bearer {usual}") == 403
    assert await status(f"Bearer {admin}") == 200
    assert await status(f"Bearer {TOKEN}") == 200


@pytest.mark.parametrize("path", OPEN_ON_LOOPBACK)
async def test_a_published_server_takes_nobody_for_this_machine(tmp_path: Path, path: str) -> None:
    """A forwarder in front of it may pass on whatever a client wrote, and add nothing."""
    published = ServerSettings(port=0, public_url="https://speech.example.com")
    settings = settings_in(tmp_path, server=published)
    key = await install(settings, FakeClock())
    async with running(settings, FakeEngine(), key) as server:
        answer = await server.client.get(path, headers={"authorization": "", "host": "localhost"})
        assert answer.status_code == 401
        admin = await server.key(scopes=[Scope.ADMIN])
        headers = {"authorization": f"Bearer {admin}"}
        assert (await server.client.get(path, headers=headers)).status_code == 200


async def test_the_token_opens_nothing_else(watched: Running) -> None:
    headers = {"authorization": f"Bearer {TOKEN}"}
    for path in ("/v1/test", "/v1/admin/settings", "/v2/jobs"):
        assert (await watched.client.get(path, headers=headers)).status_code == 401
