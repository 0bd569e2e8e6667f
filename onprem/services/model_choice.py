"""Which of our models answers to the name in a request."""

from typing import NamedTuple

from onprem.config.settings import Models
from onprem.engine.library import ModelLibrary
from onprem.faults import Fault

STARTER = "starter"
"""The diarization recipe that the starter pack's two models make up."""

HOSTED_DIARIZATION = frozenset({"precision-1", "precision-2", "precision-3", "community-1"})
HOSTED_TRANSCRIPTION = frozenset({"parakeet-tdt-0.6b-v3", "faster-whisper-large-v3-turbo"})
"""Names that clients of the hosted service send. Those models are not ours to run."""


class Choice(NamedTuple):
    """`model` is an id of ours; `warning` says so where it is not what the client named."""

    model: str
    warning: str | None = None


class ModelChoice:
    """Reads the settings and which models are installed."""

    def __init__(self, settings: Models, library: ModelLibrary) -> None:
        self._settings = settings
        self._library = library

    def diarization(self, name: str | None) -> Choice | Fault:
        default = self._settings.diarization
        return self._choose("model", name, default, HOSTED_DIARIZATION)

    def transcription(self, name: str | None) -> Choice | Fault:
        default = self._settings.transcription
        return self._choose("transcriptionConfig.model", name, default, HOSTED_TRANSCRIPTION)

    def _choose(
        self, field: str, name: str | None, default: str, hosted: frozenset[str]
    ) -> Choice | Fault:
        if name is None or name == default:
            return Choice(default)
        if alias := self._settings.aliases.get(name):
            return Choice(alias)
        if name == STARTER or self._library.holds(name):
            return Choice(name)
        if name in hosted and not self._settings.strict:
            return Choice(default, f"{name} is not on this server; {default} is used instead.")
        return Fault(field, "This server has no such model; see `onprem models list`")
