"""One way to all formats, and which of them an output has."""

import msgspec
import pytest

from onprem.core.formats.kind import OutputFormat
from onprem.core.formats.render import render
from onprem.core.speech import Turn, Word
from onprem.errors import FormatUnavailable
from tests.support.outputs import output

TURNS = [Turn("SPEAKER_00", 0.0, 3.0), Turn("SPEAKER_01", 3.5, 5.0)]
WORDS = [Word(0.1, 0.5, " Hello"), Word(0.6, 1.0, " there."), Word(3661.0, 3662.0, " Hi")]
SPOKEN = output(TURNS, WORDS)
UNSPOKEN = output(TURNS)
IDENTIFIED = output(
    TURNS,
    identification=[
        {"speaker": "Sam", "start": 0.0, "end": 3.0, "diarizationSpeaker": "SPEAKER_00"},
    ],
)
VOICEPRINT = msgspec.json.encode({"voiceprint": "abc"})


def text(output: bytes, format: OutputFormat) -> str:
    return render(output, format, job_id="job").body.decode()


@pytest.mark.parametrize(
    ("format", "content_type"),
    [
        (OutputFormat.JSON, "application/json"),
        (OutputFormat.RTTM, "text/plain; charset=utf-8"),
        (OutputFormat.SRT, "application/x-subrip; charset=utf-8"),
        (OutputFormat.VTT, "text/vtt; charset=utf-8"),
        (OutputFormat.TXT, "text/plain; charset=utf-8"),
    ],
)
def test_content_types(format: OutputFormat, content_type: str) -> None:
    assert render(SPOKEN, format, job_id="job").content_type == content_type


def test_json_is_the_output_itself() -> None:
    for stored in (SPOKEN, UNSPOKEN, VOICEPRINT):
        assert render(stored, OutputFormat.JSON, job_id="job").body == stored


def test_text_of_words_says_who_said_what() -> None:
    assert text(SPOKEN, OutputFormat.TXT) == (
        "[0:00:00] SPEAKER_00: Hello there.\n[1:01:01] SPEAKER_01: Hi\n"
    )


def test_text_without_words_says_who_spoke_when() -> None:
    assert text(UNSPOKEN, OutputFormat.TXT) == (
        "[0:00:00 - 0:00:03] SPEAKER_00\n[0:00:03 - 0:00:05] SPEAKER_01\n"
    )


def test_identified_names_are_in_the_files() -> None:
    assert " Sam " in text(IDENTIFIED, OutputFormat.RTTM)
    assert text(IDENTIFIED, OutputFormat.TXT) == "[0:00:00 - 0:00:03] Sam\n"


@pytest.mark.parametrize(
    ("stored", "there"),
    [
        (SPOKEN, set(OutputFormat)),
        (UNSPOKEN, {OutputFormat.JSON, OutputFormat.RTTM, OutputFormat.TXT}),
        (IDENTIFIED, {OutputFormat.JSON, OutputFormat.RTTM, OutputFormat.TXT}),
        (VOICEPRINT, {OutputFormat.JSON}),
    ],
)
def test_a_format_is_there_or_refused_by_name(stored: bytes, there: set[OutputFormat]) -> None:
    for format in OutputFormat:
        if format in there:
            assert render(stored, format, job_id="job").body
        else:
            with pytest.raises(FormatUnavailable, match=format.value):
                render(stored, format, job_id="job")
