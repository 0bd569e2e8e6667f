"""Outputs as jobs store them, made by the code that makes them, of any speech."""

from typing import Any

import msgspec
from hypothesis import strategies as st

from onprem.core.merge import assign_speakers, join_turns
from onprem.core.speech import Turn, Word

LABELS = ["SPEAKER_00", "SPEAKER_01", "SPEAKER_02"]
MS = st.integers(0, 3_000).map(lambda ms: ms / 1000)
TEXTS = st.one_of(
    st.sampled_from(
        [" Hello", " world.", " and", " so,", "你好", "世界。", " -->", " <b>&amp;", "-five"]
    ),
    st.text(max_size=8).map(lambda text: " " + text),
    st.text(min_size=40, max_size=120),
)


def output(turns: list[Turn], words: list[Word] | None = None, **fields: object) -> bytes:
    """That of a diarization; `turns` do not overlap."""
    made: dict[str, Any] = {"diarization": turns, "exclusiveDiarization": turns, **fields}
    if words is not None:
        labelled = assign_speakers(words, turns)
        made["wordLevelTranscription"] = [
            msgspec.structs.replace(word, text=word.text.strip()) for word in labelled
        ]
        made["turnLevelTranscription"] = join_turns(labelled)
    return msgspec.json.encode(made)


@st.composite
def outputs(draw: st.DrawFn) -> bytes:
    """Turns and words one after the other, with gaps and without, from any moment on."""
    turns, words, now = list[Turn](), list[Word](), draw(st.sampled_from([0.0, 5.0, 500_000.0]))
    for speaker in draw(st.lists(st.sampled_from(LABELS), min_size=1, max_size=6)):
        begin = now
        for text, length, gap in draw(st.lists(st.tuples(TEXTS, MS, MS), max_size=8)):
            words.append(Word(now, round(now + length, 3), text))
            now = round(now + length + gap * draw(st.booleans()), 3)
        turns.append(Turn(speaker, begin, now + 0.25, {speaker: 90, "SPEAKER_00": 70}))
        now = round(now + 0.25 + draw(MS), 3)
    return output(turns, words)
