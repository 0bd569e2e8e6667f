"""SRT and WebVTT load in parsers that others wrote, with nothing lost."""

import html
from itertools import pairwise

import msgspec
import pysrt
import webvtt
from hypothesis import given, settings, strategies as st

from onprem.core.formats.srt import srt
from onprem.core.formats.vtt import vtt
from onprem.core.timed_text import clean, split, spread
from onprem.core.transcript import Said, said_in
from tests.support.outputs import outputs

NAMES = st.text(min_size=1, max_size=60)


@st.composite
def anything_said(draw: st.DrawFn) -> list[Said]:
    """By speakers of any name."""
    turns = said_in(draw(outputs()))
    assert turns is not None
    names = {turn.speaker: clean(draw(NAMES)) or "?" for turn in turns}
    return [msgspec.structs.replace(turn, speaker=names[turn.speaker]) for turn in turns]


def letters(turns: list[Said]) -> str:
    return "".join(turn.text for turn in turns).replace(" ", "")


@settings(deadline=None)
@given(anything_said())
def test_srt(turns: list[Said]) -> None:
    subtitles = pysrt.from_string(srt(turns), error_handling=pysrt.ERROR_RAISE)

    assert [item.index for item in subtitles] == list(range(1, len(subtitles) + 1))
    assert all(0 <= item.start.ordinal < item.end.ordinal for item in subtitles)
    assert all(before.start <= after.start for before, after in pairwise(subtitles))
    names = {turn.speaker.replace("-->", "->") for turn in turns}
    shown = ""
    for item in subtitles:
        (name,) = {name for name in names if item.text.startswith(f"{name}: ")} or {"nobody"}
        shown += item.text.removeprefix(f"{name}: ")
    assert shown.replace(" ", "").replace("\n", "") == letters(turns).replace("-->", "->")


@settings(deadline=None)
@given(anything_said())
def test_vtt(turns: list[Said]) -> None:
    subtitles = webvtt.from_string(vtt(turns), strict=True)

    times = [
        (caption.start_time.in_milliseconds(), caption.end_time.in_milliseconds())
        for caption in subtitles
    ]
    assert all(0 <= start < end for start, end in times)
    assert all(before[0] <= after[0] for before, after in pairwise(times))
    voices = {html.unescape(caption.voice or "") for caption in subtitles}
    assert voices == {turn.speaker for turn in turns if turn.text}
    shown = "".join(html.unescape(caption.text) for caption in subtitles)
    assert shown.replace(" ", "").replace("\n", "") == letters(turns)


def said(text: str, start: float, speaker: str = "Anna") -> Said:
    return Said(speaker, start, start + 1.5, spread(split(text), start, start + 1.5))


def test_srt_as_it_is_written() -> None:
    turns = [said("Good morning.", 0.25), said("Where --> there?", 360_000, "Ben <b>")]
    assert srt(turns) == (
        "1\n00:00:00,250 --> 00:00:01,750\nAnna: Good morning.\n\n"
        "2\n100:00:00,000 --> 100:00:01,500\nBen <b>: Where -> there?\n"
    )


def test_vtt_as_it_is_written() -> None:
    turns = [said("Good morning.", 0.25), said("Q&A --> there?", 360_000, "Ben <b>")]
    assert vtt(turns) == (
        "WEBVTT\n\n00:00:00.250 --> 00:00:01.750\n<v Anna>Good morning.\n\n"
        "100:00:00.000 --> 100:00:01.500\n<v Ben &lt;b&gt;>Q&amp;A --&gt; there?\n"
    )


def test_without_names() -> None:
    turns = [said("Good morning.", 0.25)]
    assert srt(turns, names=False) == "1\n00:00:00,250 --> 00:00:01,750\nGood morning.\n"
    assert vtt(turns, names=False) == "WEBVTT\n\n00:00:00.250 --> 00:00:01.750\nGood morning.\n"


def test_of_nothing() -> None:
    assert srt([]) == ""
    assert vtt([]) == "WEBVTT\n"
    assert len(webvtt.from_string(vtt([]), strict=True)) == 0
