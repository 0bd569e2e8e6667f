"""Where a job's results go: what its encrypted destination artefact holds."""

import msgspec

from onprem.core.delivery import DeliveryKind
from onprem.core.formats.kind import OutputFormat
from onprem.core.requests import Deliver, DiarizationRequest, DiarizeRequest, JobRequest
from onprem.faults import Fault

_SUBTITLES = (OutputFormat.SRT, OutputFormat.VTT)


class Destination(msgspec.Struct, frozen=True, omit_defaults=True):
    """URLs hold secrets: outside of this artefact they exist only while a try is made."""

    webhook: str | None = None
    status_only: bool = False
    deliver: Deliver | None = None

    def kinds(self) -> list[DeliveryKind]:
        wanted = {DeliveryKind.WEBHOOK: self.webhook, DeliveryKind.DELIVER: self.deliver}
        return [kind for kind, where in wanted.items() if where is not None]

    def url(self, kind: DeliveryKind) -> str | None:
        if kind is DeliveryKind.WEBHOOK:
            return self.webhook
        return self.deliver.url if self.deliver is not None else None


def destination_of(request: JobRequest) -> Destination | None:
    """None where nobody wants to be told."""
    wanted = Destination(request.webhook, request.webhook_status_only, request.deliver)
    return wanted if wanted.kinds() else None


def format_faults(request: JobRequest) -> list[Fault]:
    """A format that the output of this request cannot be given in."""
    format = request.deliver.format if request.deliver is not None else OutputFormat.JSON
    if format is OutputFormat.JSON:
        return []
    if not isinstance(request, DiarizationRequest):
        return [Fault("deliver.format", "This output can be had as json only")]
    transcribed = isinstance(request, DiarizeRequest) and request.transcription
    if format in _SUBTITLES and not transcribed:
        return [Fault("deliver.format", "Subtitles need `transcription: true`")]
    return []
