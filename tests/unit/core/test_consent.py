"""A consent is whole, holds now and covers the job, or each of its faults is named."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from onprem.core.consent import Consent, read_consent

JOB = "1a20dbb3-2c96-482d-b5ae-d7770645c786"
GRANTED = datetime(2026, 11, 20, 9, tzinfo=UTC)
EXPIRES = datetime(2027, 2, 28, tzinfo=UTC)
NOW = datetime(2026, 12, 1, tzinfo=UTC).timestamp()

WHOLE: dict[str, Any] = {
    "grantedBy": "Ada Example, data protection officer, Example Hospital",
    "grantedTo": "The support team of Example Speech",
    "purpose": "Find out why two nurses were taken for one speaker",
    "jobs": [JOB],
    "grantedAt": "2026-11-20T10:00:00+01:00",
    "expiresAt": "2027-02-28T00:00:00Z",
}


def read(document: Any, now: float = NOW) -> Consent | dict[str, str]:
    """The consent, or its faults by field."""
    found = read_consent(msgspec.json.encode(document), job_id=JOB, now=now)
    return found if isinstance(found, Consent) else dict(found)


def test_a_whole_one() -> None:
    found = read(WHOLE)
    assert isinstance(found, Consent)
    assert (found.granted_at, found.expires_at) == (GRANTED, EXPIRES)
    assert found.jobs == [JOB]


@pytest.mark.parametrize("name", WHOLE)
def test_each_missing_field_is_named(name: str) -> None:
    assert read({key: value for key, value in WHOLE.items() if key != name}) == {name: "Required"}


def test_all_missing_fields_at_once() -> None:
    faults = read({})
    assert isinstance(faults, dict) and set(faults) == set(WHOLE)


@pytest.mark.parametrize("name", ["grantedBy", "grantedTo", "purpose"])
@pytest.mark.parametrize("blank", ["", " \n"])
def test_a_blank_text_says_nothing(name: str, blank: str) -> None:
    assert read(WHOLE | {name: blank}) == {name: "It must not be blank."}


@pytest.mark.parametrize("time", ["2027-01-31", "2027-01-31T00:00:00", "soon", 1_900_000_000, []])
@pytest.mark.parametrize("name", ["grantedAt", "expiresAt"])
def test_a_time_has_a_zone(name: str, time: object) -> None:
    faults = read(WHOLE | {name: time})
    assert isinstance(faults, dict)
    assert "2027-01-31T00:00:00Z" in faults[name] and len(faults) == 1


def test_it_ends_with_the_second_in_which_it_expires() -> None:
    assert isinstance(read(WHOLE, EXPIRES.timestamp() - 1), Consent)
    assert read(WHOLE, EXPIRES.timestamp()) == {"expiresAt": "The consent has expired."}


def test_it_begins_when_it_was_granted() -> None:
    assert isinstance(read(WHOLE, GRANTED.timestamp()), Consent)
    assert read(WHOLE, GRANTED.timestamp() - 1) == {"grantedAt": "The consent does not hold yet."}


def test_it_covers_the_jobs_that_it_names() -> None:
    assert isinstance(read(WHOLE | {"jobs": ["another", JOB]}), Consent)
    for jobs in ([], ["another"]):
        assert read(WHOLE | {"jobs": jobs}) == {
            "jobs": f"The consent does not cover the job {JOB}."
        }


def test_what_it_says_besides_is_not_lost_silently() -> None:
    faults = read(WHOLE | {"exceptFor": "The first minute"})
    assert isinstance(faults, dict) and list(faults) == ["exceptFor"]


def test_faults_of_all_kinds_at_once() -> None:
    faults = read({"grantedTo": "", "purpose": 3, "expiresAt": "2020-01-01T00:00:00Z", "by": "me"})
    assert isinstance(faults, dict)
    assert set(faults) == {"by", *WHOLE}


@pytest.mark.parametrize("document", [b"", b"{", b"\xff\xfe", b"[]", b'"consent"'])
def test_what_is_no_json_object(document: bytes) -> None:
    found = read_consent(document, job_id=JOB, now=NOW)
    assert isinstance(found, list) and len(found) == 1
