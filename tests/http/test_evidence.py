"""GET /v1/admin/evidence: a pack as the command makes it, from the running server."""

import json

import pytest

from onprem.core.evidence_verification import verify
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.entries import acts
from tests.support.evidence import MEMBERS, members_of
from tests.support.server import Running

EVIDENCE = "/v1/admin/evidence"
START = "2027-01-15T08:00:00Z"
"""When the clock of these tests starts."""


async def test_a_pack_of_what_a_server_did(server: Running, clock: FakeClock) -> None:
    url = await server.upload(tone(2.0), "media://confidential/jane.wav")
    job = await server.diarize(url=url, transcription=True)
    await server.finished(job)
    clock.advance(25 * 3600)
    await server.server.sweep.run()
    clock.advance(1)
    parameters = {"from": START, "accessLog": "true"}
    answer = await server.client.get(EVIDENCE, params=parameters, timeout=60)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/x-tar"
    assert int(answer.headers["content-length"]) == len(answer.content)

    report = verify([answer.content], server.server.use.signer.public_key)
    assert (report.intact, report.problems) == (True, [])
    members = members_of(answer.content)
    assert list(members) == list(MEMBERS)
    summary = json.loads(members["summary.json"])
    assert {"request", "worker_copy", "output"} <= summary["deletions"].keys()
    assert not [each for each in summary["deletions"].values() if each["unverified"]]
    assert summary["accesses"]["read"] >= 1
    assert json.loads(members["compliance.json"])["status"] == "kept"
    assert json.loads(members["doctor.json"])["serverRuns"] is True
    assert [each for each in (b"jane", b"media://conf", b"Hello") if each in answer.content] == []

    act = acts(server.settings.storage.data_dir)[-1]
    assert (act["act"], act["actor"].split(":")[0]) == ("evidence_created", "key")


@pytest.mark.parametrize(
    ("parameters", "fields"),
    [
        ({}, ["from"]),
        ({"from": "then"}, ["from"]),
        ({"from": "2027-01-01", "to": "soon"}, ["to"]),
        ({"from": "2028-01-01"}, ["from"]),
        ({"from": "2027-01-01", "accessLog": "perhaps"}, ["accessLog"]),
    ],
)
async def test_what_is_no_interval(
    server: Running, parameters: dict[str, str], fields: list[str]
) -> None:
    before = acts(server.settings.storage.data_dir)
    answer = await server.client.get(EVIDENCE, params=parameters)
    assert answer.status_code == 400
    assert [error["field"] for error in answer.json()["errors"]] == fields
    assert acts(server.settings.storage.data_dir) == before
