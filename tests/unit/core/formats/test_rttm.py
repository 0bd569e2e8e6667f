"""RTTM loads in pyannote.database, with the turns that were written."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings, strategies as st

from onprem.core.formats.rttm import rttm
from onprem.core.speech import Turn
from onprem.core.transcript import turns_in
from tests.support.outputs import outputs

JOB = "1a20dbb3-2c96-482d-b5ae-d7770645c786"


def loaded(text: str) -> list[tuple[str, float, float]]:
    from pyannote.database.util import load_rttm

    with TemporaryDirectory() as folder:
        path = Path(folder) / "a.rttm"
        path.write_text(text)
        (annotation,) = load_rttm(path).values()
    assert annotation.uri == JOB
    return [
        (str(label), round(segment.start, 3), round(segment.end, 3))
        for segment, _, label in annotation.itertracks(yield_label=True)
    ]


@settings(deadline=None, max_examples=50)
@given(outputs())
def test_it_loads_with_the_same_turns(output: bytes) -> None:
    turns = turns_in(output)
    assert turns
    assert loaded(rttm(turns, JOB)) == [
        (turn.speaker, round(turn.start, 3), round(turn.end, 3)) for turn in turns
    ]


NA = ("", "n/a", "nan", "null", "none", "na")


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text("aAbÜ世. \"'#;,-", min_size=1, max_size=9), min_size=1, unique=True))
def test_names_load_whatever_they_are(names: list[str]) -> None:
    names = [name for name in names if name.strip().lower() not in NA] or ["Anna"]
    turns = [Turn(name, at, at + 0.5) for at, name in enumerate(names)]
    assert [label for label, _, _ in loaded(rttm(turns, JOB))] == [
        name.replace(" ", "_").replace('"', "'") for name in names
    ]


def test_as_it_is_written() -> None:
    turns = [Turn("Ben", 1.5, 4.0, channel=1), Turn("Anna M", 0.0, 2.25)]
    assert rttm(turns, "job") == (
        "SPEAKER job 1 0.000 2.250 <NA> <NA> Anna_M <NA> <NA>\n"
        "SPEAKER job 2 1.500 2.500 <NA> <NA> Ben <NA> <NA>\n"
    )


@pytest.mark.parametrize("last", [2.5, 5.0])
def test_a_speaker_who_was_merged_speaks_once_at_a_time(last: float) -> None:
    turns = [Turn("A", 0, 3), Turn("B", 1, 9), Turn("A", 2, last), Turn("A", 5, 6)]
    assert [line.split()[3:5] for line in rttm(turns, "job").splitlines()] == [
        ["0.000", f"{max(3, last):.3f}"],
        ["1.000", "8.000"],
        ["5.000", "1.000"],
    ]
