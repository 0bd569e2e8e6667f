"""Field by field: every fault is named at once, in the writer's own spelling."""

from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given, strategies as st

from onprem.core.fieldwise import convert_fields
from onprem.core.requests import DiarizeRequest
from onprem.faults import Fault


class Inner(msgspec.Struct, rename="camel"):
    deep_value: int = 0


class Form(msgspec.Struct, rename="camel"):
    url: str
    num_speakers: Annotated[int, msgspec.Meta(ge=1)] | None = None
    inner: Inner = msgspec.field(default_factory=Inner)
    tags: list[str] = msgspec.field(default_factory=list)


def faults(raw: dict[str, Any], prefix: str = "") -> dict[str, str]:
    found = convert_fields(Form, raw, prefix=prefix)
    assert found.value is None
    return {fault.field: fault.message for fault in found.faults}


def test_a_sound_mapping_becomes_the_struct() -> None:
    raw = {"url": "a", "numSpeakers": 2, "inner": {"deepValue": 3}, "tags": ["x"]}
    found = convert_fields(Form, raw)
    assert found.value == Form("a", 2, Inner(3), ["x"])
    assert found.faults == [] and found.unknown == []


def test_all_faults_are_told_at_once() -> None:
    assert faults({"url": 1, "numSpeakers": 0, "tags": "x"}) == {
        "url": "Expected `str`, got `int`",
        "numSpeakers": "Expected `int` >= 1",
        "tags": "Expected `array`, got `str`",
    }


def test_a_missing_field_is_required() -> None:
    assert faults({}) == {"url": "Required"}


def test_null_counts_as_absent() -> None:
    found = convert_fields(Form, {"url": "a", "numSpeakers": None, "inner": None})
    assert found.value == Form("a")
    assert faults({"url": None}) == {"url": "Required"}


def test_a_fault_inside_a_field_names_its_path() -> None:
    found = faults({"url": "a", "inner": {"deepValue": "x"}, "tags": ["a", 2]})
    assert set(found) == {"inner.deepValue", "tags[1]"}


def test_the_prefix_stands_before_each_name() -> None:
    assert set(faults({"numSpeakers": 0}, prefix="form.")) == {"form.url", "form.numSpeakers"}


def test_unknown_fields_are_named_and_no_fault() -> None:
    found = convert_fields(Form, {"url": "a", "num_speakers": 2, "more": None})
    assert found.value == Form("a")
    assert sorted(found.unknown) == ["more", "num_speakers"]


def test_unknown_fields_of_a_field_are_named_with_their_path() -> None:
    assert convert_fields(Form, {"url": "a", "inner": {"more": 1}}).unknown == ["inner.more"]


def test_sound_fields_are_those_without_faults() -> None:
    raw = {"url": "a", "numSpeakers": 0, "inner": {"deepValue": "x"}, "tags": ["b"]}
    assert convert_fields(Form, raw).sound == {"url": "a", "tags": ["b"]}
    assert convert_fields(Form, {"inner": {"deepValue": 1}}).sound == {"inner": Inner(1)}


def test_a_hook_s_sentence_becomes_the_fault() -> None:
    class Timed(msgspec.Struct):
        length: complex

    def hook(kind: type, value: Any) -> Any:
        raise ValueError("Expected a length")

    found = convert_fields(Timed, {"length": "x"}, dec_hook=hook)
    assert found.faults == [Fault("length", "Expected a length")]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["url", "numSpeakers", "inner", "tags", "x"]), JSON))
def test_any_mapping_gives_a_value_or_faults_and_never_both(raw: dict[str, Any]) -> None:
    found = convert_fields(Form, raw)
    assert (found.value is None) == bool(found.faults)
    assert ("x" in found.unknown) == ("x" in raw)


@pytest.mark.parametrize("value", [True, 1.5, "2", [2]])
def test_no_value_is_bent_to_fit(value: object) -> None:
    assert set(faults({"url": "a", "numSpeakers": value})) == {"numSpeakers"}


def test_a_whole_number_may_be_written_with_a_point() -> None:
    body = convert_fields(DiarizeRequest, {"url": "media://a", "numSpeakers": 2.0})
    assert body.value is not None and body.value.num_speakers == 2
    assert convert_fields(DiarizeRequest, {"url": "media://a", "numSpeakers": 2.5}).faults
