"""From what was found to an answer's body in the format that was asked for."""

import msgspec

from onprem.core.formats.render import Rendered
from onprem.core.formats.srt import srt
from onprem.core.formats.vtt import vtt
from onprem.core.openai.answers import Transcription, diarized, usage, verbose
from onprem.core.openai.output import SpeechOutput
from onprem.core.openai.requests import ResponseFormat, SpeechRequest
from onprem.core.transcript import Said, said_in

_JSON = "application/json"
_TEXT = "text/plain; charset=utf-8"


def render(request: SpeechRequest, output: SpeechOutput, seconds: float) -> Rendered:
    """`seconds`: how long the recording is. Takes long for a day's one: call it in a thread."""
    match request.response_format:
        case ResponseFormat.TEXT:
            return Rendered(f"{output.text}\n".encode(), _TEXT)
        case ResponseFormat.SRT:
            return Rendered(srt(_said(output), names=False).encode(), _TEXT)
        case ResponseFormat.VTT:
            return Rendered(vtt(_said(output), names=False).encode(), _TEXT)
        case ResponseFormat.VERBOSE_JSON:
            body: msgspec.Struct = verbose(request, output, seconds)
        case ResponseFormat.DIARIZED_JSON:
            body = diarized(output, seconds)
        case ResponseFormat.JSON:
            body = Transcription(output.text, None if request.translate else usage(seconds))
    return Rendered(msgspec.json.encode(body), _JSON)


def _said(output: SpeechOutput) -> list[Said]:
    return said_in(msgspec.json.encode(output)) or []
