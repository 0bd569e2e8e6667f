"""`onprem projects set`, `projects webhook-secret` and `voiceprints key`."""

import base64

import pytest

from tests.cli.conftest import Onprem


@pytest.fixture(autouse=True)
def _installed(onprem: Onprem) -> None:
    assert onprem("init").code == 0


def test_what_is_set_is_listed_and_the_rest_stays(onprem: Onprem) -> None:
    done = onprem(
        *("projects", "set", "default", "--region", "eu", "--operations", "diarize,transcribe"),
        *("--consent-required", "--media-quota", "5GiB", "--queued-jobs", "10"),
    )
    assert done.code == 0, done.err
    assert onprem("projects", "set", "default", "--requests-per-minute", "60").code == 0
    (project,) = onprem("projects", "list", "--json").json
    assert project["region"] == "eu"
    assert sorted(project["operations"]) == ["diarize", "transcribe"]
    assert (project["consentRequired"], project["mediaBytes"]) == (True, 5 * 2**30)
    assert (project["queuedJobs"], project["requestsPerMinute"]) == (10, 60)


def test_none_takes_a_quota_away(onprem: Onprem) -> None:
    onprem("projects", "set", "default", "--queued-jobs", "10")
    assert onprem("projects", "set", "default", "--queued-jobs", "none").code == 0
    (project,) = onprem("projects", "list", "--json").json
    assert project.get("queuedJobs") is None


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("default", "--operations", "sing"), 2),
        (("default", "--media-quota", "much"), 2),
        (("default", "--queued-jobs", "-1"), 6),
        (("default", "--region", "no region"), 6),
        (("nobody", "--region", "eu"), 6),
    ],
)
def test_refusals(onprem: Onprem, arguments: tuple[str, ...], code: int) -> None:
    done = onprem("projects", "set", *arguments)
    assert done.code == code
    assert done.err
    (project,) = onprem("projects", "list", "--json").json
    assert project["region"] == "any"


def test_a_webhook_secret_is_rotated_with_overlap(onprem: Onprem) -> None:
    first = onprem("projects", "webhook-secret", "default").out.strip()
    assert len(base64.b64decode(first.removeprefix("whsec_"))) == 32
    assert onprem("projects", "webhook-secret", "default").out.strip() == first
    rotated = onprem("projects", "webhook-secret", "default", "--rotate", "--overlap", "2h")
    assert rotated.out.strip() != first
    assert first in rotated.err
    assert onprem("projects", "webhook-secret", "nobody").code == 6


def test_the_voiceprint_key_stays_the_same(onprem: Onprem) -> None:
    first = onprem("voiceprints", "key")
    assert first.code == 0
    assert len(bytes.fromhex(first.out.strip())) == 32
    assert onprem("voiceprints", "key").out == first.out


@pytest.mark.parametrize(
    ("options", "code"),
    [(("--rotate", "--overlap", "99999999d"), 6), (("--overlap", "2h"), 2)],
)
def test_an_overlap_that_makes_no_sense_rotates_nothing(
    onprem: Onprem, options: tuple[str, ...], code: int
) -> None:
    first = onprem("projects", "webhook-secret", "default").out
    assert onprem("projects", "webhook-secret", "default", *options).code == code
    again = onprem("projects", "webhook-secret", "default")
    assert (again.code, again.out, again.err) == (0, first, "")
