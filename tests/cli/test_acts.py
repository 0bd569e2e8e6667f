"""What an operator does at the machine stands in the ledger, with the user who did it."""

import os
from pathlib import Path
from typing import Any

from tests.cli.conftest import Onprem
from tests.cli.test_jobs_and_media import SECRET, beside, engine, key, one_job, serving
from tests.support.audio import tone
from tests.support.engine import FakeEngine
from tests.support.entries import acts

__all__ = ["engine", "key"]

DATA = Path("onprem-data")


def noted(*kinds: str) -> list[dict[str, Any]]:
    """The acts of these kinds, all by the user who runs the tests."""
    found = [act for act in acts(DATA) if act["act"] in kinds]
    assert {act["actor"] for act in found} <= {f"user:{os.geteuid()}"}
    return found


def test_the_first_project_and_key(onprem: Onprem) -> None:
    secret = onprem("init", "--json").json["key"]
    project, key = acts(DATA)
    assert (project["act"], key["act"]) == ("project_created", "key_created")
    assert project["actor"] == key["actor"] == f"user:{os.geteuid()}"
    assert key["projectId"] == project["subject"]
    assert key["subject"] == secret.split("_")[1]
    assert "admin" in key["details"]["scopes"]


def test_keys_projects_and_secrets(onprem: Onprem, key: str) -> None:
    project = next(act["subject"] for act in noted("project_created"))
    assert onprem("projects", "set", "default", "--output-retention", "1h").code == 0
    (changed,) = noted("project_changed")
    assert (changed["subject"], changed["details"]) == (project, {"outputRetention": 3600})

    made = onprem("keys", "create", "app", "--json").json
    assert onprem("keys", "revoke", made["id"]).code == 0
    assert [act["subject"] for act in noted("key_revoked")] == [made["id"]]

    assert onprem("projects", "webhook-secret", "default").code == 0
    assert onprem("projects", "webhook-secret", "default", "--rotate").code == 0
    kinds = [act["act"] for act in noted("webhook_secret_shown", "webhook_secret_rotated")]
    assert kinds == ["webhook_secret_shown", "webhook_secret_rotated"]

    assert onprem("voiceprints", "key").code == 0
    assert len(noted("voiceprint_key_shown")) == 1


def test_looking_is_no_act(onprem: Onprem, key: str) -> None:
    before = acts(DATA)
    for command in (["keys", "list"], ["projects", "list"], ["jobs", "list"], ["media", "list"]):
        assert onprem(*command).code == 0
    assert acts(DATA) == before


async def test_jobs_and_media_that_the_operator_ends(
    onprem: Onprem, engine: FakeEngine, key: str
) -> None:
    """Doing it again is no act: nothing was done."""
    engine.gate.clear()
    async with serving(engine, key) as server:
        job_id = await one_job(server)
        for command in ("cancel", "delete"):
            for _ in range(2):
                assert (await beside(onprem, "jobs", command, job_id)).code == 0
        engine.gate.set()
        await server.upload(tone(1.0), SECRET)
        done = (await beside(onprem, "media", "delete", SECRET, "--json")).json
    (project,) = noted("project_created")
    about = {"actor": project["actor"], "projectId": project["subject"]}
    assert noted("job_canceled", "job_deleted", "media_deleted") == [
        {"act": "job_canceled", "subject": job_id, **about},
        {"act": "job_deleted", "subject": job_id, **about},
        {"act": "media_deleted", "subject": done["receipt"]["artefactId"], **about},
    ]
