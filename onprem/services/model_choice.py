"""Which of our models answers to the name in a request."""

from typing import NamedTuple

from onprem.config.settings import Models
from onprem.engine.catalogue import RECIPES, ModelKind
from onprem.engine.library import ModelLibrary
from onprem.faults import Fault

HOSTED_DIARIZATION = frozenset({"precision-1", "precision-2", "precision-3", "community-1"})
HOSTED_TRANSCRIPTION = frozenset({"parakeet-tdt-0.6b-v3", "faster-whisper-large-v3-turbo"})
"""Names that clients of the hosted service send. Those models are not ours to run."""
HOSTED_SPEECH = frozenset(
    {
        "whisper-1",
        "gpt-transcribe",
        "gpt-4o-transcribe",
        "gpt-4o-transcribe-diarize",
        "gpt-4o-mini-transcribe",
        "gpt-4o-mini-transcribe-2025-12-15",
    }
)
"""The same of OpenAI's clients."""


class Choice(NamedTuple):
    """`model` is an id of ours; `warning` says so where it is not what the client named."""

    model: str
    warning: str | None = None


class ModelChoice:
    """Reads the settings, and which models are installed for what.

    The configured default is taken unseen: until it is installed, jobs wait for it.
    """

    def __init__(self, settings: Models, library: ModelLibrary) -> None:
        self._settings = settings
        self._library = library

    def diarization(self, name: str | None) -> Choice | Fault:
        default = self._settings.diarization
        return self._choose("model", "diarization", name, default, HOSTED_DIARIZATION)

    def transcription(self, name: str | None) -> Choice | Fault:
        field, default = "transcriptionConfig.model", self._settings.transcription
        return self._choose(field, "transcription", name, default, HOSTED_TRANSCRIPTION)

    def speech(self, name: str) -> Choice | Fault:
        """For the OpenAI audio API."""
        default = self._settings.transcription
        return self._choose("model", "transcription", name, default, HOSTED_SPEECH)

    def translation(self, name: str) -> Choice | Fault:
        """As `speech`, of models that can translate into English."""
        chosen = self.speech(name)
        if isinstance(chosen, Fault) or not self._serves(chosen.model, "transcription"):
            return chosen
        if self._library.translates(chosen.model):
            return chosen
        return Fault("model", f"{chosen.model} cannot translate; name a model that was trained to")

    def speech_names(self) -> list[str]:
        """Every name that `speech` takes: models, aliases, and OpenAI's own."""
        installed = [
            model.id for model in self._library.installed() if model.kind == "transcription"
        ]
        names = {self._settings.transcription, *installed, *self._settings.aliases, *HOSTED_SPEECH}
        return sorted(name for name in names if isinstance(self.speech(name), Choice))

    def _choose(
        self, field: str, kind: ModelKind, name: str | None, default: str, hosted: frozenset[str]
    ) -> Choice | Fault:
        if name is None or name == default:
            return Choice(default)
        if target := self._settings.aliases.get(name):
            if target == default or self._serves(target, kind):
                return Choice(target)
            # The model may still be fetched, so this is no fault of the configuration.
            return Fault(field, f"It stands for {target} here, which is no {kind} model installed")
        if self._serves(name, kind):
            return Choice(name)
        if name in hosted and not self._settings.strict:
            return Choice(default, f"{name} is not on this server; {default} is used instead.")
        return Fault(field, f"This server has no such {kind} model; see `onprem models list`")

    def _serves(self, model_id: str, kind: ModelKind) -> bool:
        """Whether a model, or all the models of a recipe, are installed and of the right kind."""
        recipe = RECIPES.get(model_id)
        if recipe is None:
            return self._library.kind_of(model_id) == kind
        return (
            kind == "diarization"
            and self._library.kind_of(recipe.segmentation) == "segmentation"
            and self._library.kind_of(recipe.embedding) == "embedding"
        )
