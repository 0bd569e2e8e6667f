"""Project settings: what is named changes, null brings the default back, typos are faults."""

import msgspec
import pytest
from hypothesis import given, strategies as st

from onprem.core.job import JobKind
from onprem.core.project import ProjectSettings, changed

QUOTAS = ("mediaBytes", "queuedJobs", "requestsPerMinute")
SET = ProjectSettings(
    region="eu",
    operations=frozenset({JobKind.DIARIZE}),
    consent_required=True,
    media_bytes=10,
    queued_jobs=5,
    media_retention=7,
    output_retention=0,
    requests_per_minute=3,
)


def faults(**fields: object) -> set[str]:
    done = changed(SET, fields)
    assert done.settings == SET
    return {fault.field for fault in done.faults}


def test_what_is_not_named_stays() -> None:
    assert changed(SET, {}).settings == SET
    expected = msgspec.structs.replace(SET, region="any")
    assert changed(SET, {"region": "any"}).settings == expected


@pytest.mark.parametrize("field", msgspec.structs.fields(ProjectSettings), ids=lambda f: f.name)
def test_null_brings_the_default_back(field: msgspec.structs.FieldInfo) -> None:
    done = changed(SET, {field.encode_name: None})
    default = getattr(ProjectSettings(), field.name)
    assert done.settings == msgspec.structs.replace(SET, **{field.name: default})
    assert done.settings != SET


def test_operations_can_be_none_at_all() -> None:
    assert changed(SET, {"operations": []}).settings.operations == frozenset()


@pytest.mark.parametrize("region", ["any", "eu", "eu-central-1", "Frankfurt", "dc.2_b", "x" * 64])
def test_names_that_a_region_can_have(region: str) -> None:
    assert changed(SET, {"region": region}).settings.region == region


@pytest.mark.parametrize("region", ["", " eu", "eu ", "e u", "-eu", "x" * 65, "a/b", "é", "a\n"])
def test_names_that_no_region_has(region: str) -> None:
    assert faults(region=region) == {"region"}


@pytest.mark.parametrize("field", QUOTAS)
@pytest.mark.parametrize("value", [-1, 1.5, "10", True, 2**63])
def test_quotas_are_whole_numbers(field: str, value: object) -> None:
    assert faults(**{field: value}) == {field}


def test_every_fault_is_named_and_nothing_is_set() -> None:
    named = faults(
        region="e u", operations=["dance"], mediaBytes=-1, mediaByte=None, requestsPerMinute=0
    )
    assert named == {"region", "operations[0]", "mediaBytes", "mediaByte", "requestsPerMinute"}


@given(
    st.sets(st.sampled_from(list(JobKind))),
    st.booleans(),
    st.none() | st.integers(0, 2**40),
    st.none() | st.integers(1, 10**6),
)
def test_settings_survive_the_database(
    operations: set[JobKind], consent: bool, size: int | None, requests: int | None
) -> None:
    settings = ProjectSettings(
        operations=frozenset(operations),
        consent_required=consent,
        media_bytes=size,
        requests_per_minute=requests,
    )
    assert msgspec.json.decode(msgspec.json.encode(settings), type=ProjectSettings) == settings
