"""The schedule of retries, and what a webhook says."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from onprem.core.delivery import next_attempt_at, webhook_body
from onprem.core.job import JobStatus


def test_three_retries_at_once_after_a_minute_and_after_five() -> None:
    assert [next_attempt_at(failed, 1000.0) for failed in (1, 2, 3, 4)] == [
        1000.0,
        1060.0,
        1300.0,
        None,
    ]


def test_a_webhook_carries_the_output_as_it_is_stored() -> None:
    assert webhook_body("j", JobStatus.SUCCEEDED, b'{"diarization": []}') == (
        b'{"jobId":"j","status":"succeeded","output":{"diarization": []}}'
    )


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.CANCELED, JobStatus.SUCCEEDED])
def test_without_output_it_says_how_the_job_ended(status: JobStatus) -> None:
    body = msgspec.json.decode(webhook_body("j", status, None))
    assert body == {"jobId": "j", "status": status.value}


@given(st.dictionaries(st.text(), st.text()))
def test_any_output_survives_the_way(output: dict[str, str]) -> None:
    body = webhook_body("j", JobStatus.SUCCEEDED, msgspec.json.encode(output))
    assert msgspec.json.decode(body)["output"] == output
