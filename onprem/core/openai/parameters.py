"""Every parameter of the OpenAI audio API, and what becomes of it here.

A test holds the table against the types of the official `openai` package, so that a parameter
that a new version brings has to be judged.
"""

import enum
from typing import NamedTuple


class Support(enum.StrEnum):
    """What becomes of a parameter."""

    SERVED = "served"
    IGNORED = "ignored"
    """Accepted without effect, and named in `X-Onprem-Warning`."""
    REFUSED = "refused"
    """A 400 that names it."""


class Parameter(NamedTuple):
    name: str
    support: Support
    note: str


_FILE = Parameter("file", Support.SERVED, "Any format that an upload can have; never stored.")
_MODEL = Parameter(
    "model",
    Support.SERVED,
    "A transcription model of this server, an alias, or a name of OpenAI's, which stands for "
    "`models.transcription`.",
)
_PROMPT = Parameter("prompt", Support.SERVED, "Of a longer one the last 2000 characters.")
_TEMPERATURE = Parameter(
    "temperature", Support.IGNORED, "0 to 1. It is always 0, and rises by itself where that fails."
)

TRANSCRIPTIONS = (
    _FILE,
    _MODEL,
    Parameter("chunking_strategy", Support.SERVED, "`auto` and `server_vad` are the same here."),
    Parameter("include", Support.REFUSED, "`logprobs` are not to be had."),
    Parameter("keywords", Support.SERVED, "Names and terms to expect."),
    Parameter("known_speaker_names", Support.SERVED, "At most 4, with `diarized_json`."),
    Parameter(
        "known_speaker_references", Support.SERVED, "A `data:` URL of 2 to 10 s for each name."
    ),
    Parameter("language", Support.SERVED, "ISO 639-1; found by the model where absent."),
    Parameter("languages", Support.SERVED, "One is taken as `language`, several are ignored."),
    _PROMPT,
    Parameter("response_format", Support.SERVED, "All six, with every model."),
    Parameter(
        "stream", Support.SERVED, "With `json`, `text` and `diarized_json`, and with every model."
    ),
    _TEMPERATURE,
    Parameter("timestamp_granularities", Support.SERVED, "With `verbose_json`."),
)
"""`POST /v1/audio/transcriptions`."""

TRANSLATIONS = (
    _FILE,
    _MODEL,
    _PROMPT,
    Parameter("response_format", Support.SERVED, "All five."),
    _TEMPERATURE,
)
"""`POST /v1/audio/translations`."""
