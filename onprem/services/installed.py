"""Which models this server has, and under which names requests may ask for them."""

import msgspec

from onprem.config.settings import Models
from onprem.engine.catalogue import RECIPES, ModelKind
from onprem.engine.library import ModelLibrary
from onprem.threads import in_thread


class ModelSummary(msgspec.Struct, frozen=True):
    """`digest`: SHA-256 over the manifest, as a job's `engine` names it."""

    id: str
    kind: ModelKind
    licence: str
    digest: str


class ModelsAtHand(msgspec.Struct, frozen=True):
    """`recipes` are put together from two models; `defaults` run where a request names none."""

    models: list[ModelSummary]
    recipes: dict[str, list[str]]
    defaults: dict[str, str]
    aliases: dict[str, str]


class InstalledModels:
    def __init__(self, settings: Models, library: ModelLibrary) -> None:
        self._settings = settings
        self._library = library

    async def every(self) -> ModelsAtHand:
        """Raises ModelDamaged where a manifest cannot be read."""
        installed = await in_thread(self._library.installed)
        return ModelsAtHand(
            models=[
                ModelSummary(model.id, model.kind, model.licence, model.digest)
                for model in installed
            ],
            recipes={name: [each.segmentation, each.embedding] for name, each in RECIPES.items()},
            defaults={
                "diarization": self._settings.diarization,
                "transcription": self._settings.transcription,
            },
            aliases=self._settings.aliases,
        )
