"""The one way from a stored output to a file in one of the formats."""

from typing import NamedTuple

from onprem.core.formats.kind import OutputFormat
from onprem.core.formats.rttm import rttm
from onprem.core.formats.srt import srt
from onprem.core.formats.txt import txt, txt_of_turns
from onprem.core.formats.vtt import vtt
from onprem.core.transcript import said_in, turns_in
from onprem.errors import FormatUnavailable

_CONTENT_TYPES = {
    OutputFormat.JSON: "application/json",
    OutputFormat.RTTM: "text/plain; charset=utf-8",
    OutputFormat.SRT: "application/x-subrip; charset=utf-8",
    OutputFormat.VTT: "text/vtt; charset=utf-8",
    OutputFormat.TXT: "text/plain; charset=utf-8",
}


class Rendered(NamedTuple):
    """A file's bytes and its `Content-Type`."""

    body: bytes
    content_type: str


def render(output: bytes, format: OutputFormat, *, job_id: str) -> Rendered:
    """`output` is JSON as it is stored, or as `edits.apply` changed it.

    Takes seconds for a day's recording: call it in a thread.

    Raises:
        FormatUnavailable: the output does not hold what this format shows.
    """
    if format is OutputFormat.JSON:
        return Rendered(output, _CONTENT_TYPES[format])
    text = _text(output, format, job_id)
    if text is None:
        raise FormatUnavailable(format=format.value)
    return Rendered(text.encode(), _CONTENT_TYPES[format])


def _text(output: bytes, format: OutputFormat, job_id: str) -> str | None:
    if format is not OutputFormat.RTTM:
        said = said_in(output)
        if said is not None:
            return _OF_WORDS[format](said)
    turns = turns_in(output)
    if turns is None:
        return None
    if format is OutputFormat.RTTM:
        return rttm(turns, job_id)
    return txt_of_turns(turns) if format is OutputFormat.TXT else None


_OF_WORDS = {OutputFormat.SRT: srt, OutputFormat.VTT: vtt, OutputFormat.TXT: txt}
