"""What an output should have been, as somebody wrote it down: RTTM, our own JSON, or plain text."""

import enum
import re

import msgspec

from onprem.core.formats.rttm import RttmInvalid, turns_of
from onprem.core.merge import TranscribedTurn
from onprem.core.speech import Turn
from onprem.core.transcript import turns_in

# As core/formats/txt.py writes it: whoever corrects such a file corrects the words.
_SPEAKER_LEAD = re.compile(r"^\[\d+:\d\d:\d\d\] [^:\n]*: ", re.MULTILINE)


class ExpectedFormat(enum.StrEnum):
    """The suffix of the file says which."""

    RTTM = "rttm"
    JSON = "json"
    TXT = "txt"


class Spoken(msgspec.Struct, frozen=True):
    """What an output says, as far as it is compared. None: that is not in it."""

    turns: list[Turn] | None
    text: str | None


class Unusable(ValueError):
    """Says why, without quoting any of it."""


class _Answer(msgspec.Struct, frozen=True):
    """A job as the API shows it, which holds the output."""

    output: msgspec.Raw = msgspec.Raw()


class _Texts(msgspec.Struct, frozen=True, rename="camel"):
    turn_level_transcription: list[TranscribedTurn] | None = None


def expected_in(document: bytes, format: ExpectedFormat) -> Spoken:
    """Raises Unusable."""
    if format is ExpectedFormat.JSON:
        return spoken_in(document)
    try:
        text = document.decode("utf-8-sig")
        if format is ExpectedFormat.RTTM:
            return Spoken(turns_of(text), None)
    except UnicodeDecodeError:
        raise Unusable("It is not UTF-8 text.") from None
    except RttmInvalid as invalid:
        raise Unusable(str(invalid)) from None
    text = _SPEAKER_LEAD.sub("", text)
    if not text.strip():
        raise Unusable("It is empty.")
    return Spoken(None, text)


def output_in(document: bytes) -> bytes:
    """The output itself where `document` is a whole job of the API, or a webhook's body.

    Raises Unusable.
    """
    try:
        inner = bytes(msgspec.json.decode(document, type=_Answer).output)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"It is not the JSON of an output: {error}.") from None
    return document if inner in (b"", b"null") else inner


def spoken_in(document: bytes) -> Spoken:
    """Of the JSON of an output. Raises Unusable, also where it says nothing that is compared."""
    output = output_in(document)
    try:
        turns = turns_in(output)
        texts = msgspec.json.decode(output, type=_Texts).turn_level_transcription
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unusable(f"It is not the JSON of an output: {error}.") from None
    if turns is None and texts is None:
        raise Unusable("It holds neither a diarization nor a transcription.")
    text = None if texts is None else " ".join(turn.text for turn in texts)
    return Spoken(turns, text)
