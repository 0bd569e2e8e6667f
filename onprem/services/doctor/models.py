"""Whether the models that jobs need are there, as their manifests say."""

from collections.abc import Iterator
from pathlib import Path

from onprem.config.settings import Settings
from onprem.engine.catalogue import RECIPES
from onprem.engine.library import ModelLibrary
from onprem.engine.manifest import MANIFEST, read_manifest
from onprem.engine.model_files import contents_of
from onprem.errors import ModelError, ModelFileRefused, ModelMissing
from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding


def models(settings: Settings, *, deep: bool) -> Iterator[Finding]:
    """Blocks. Compares names and sizes of their files; with `deep` hashes each of them."""
    library = ModelLibrary(settings.models_dir)
    for model_id in sorted(_needed(settings) | _installed(library)):
        try:
            if deep:
                library.verified(model_id)
            else:
                _require_sizes(library, model_id)
        except ModelError as error:
            yield catalogue.MODEL_UNUSABLE.found(what=error, remedy=error.advice)
        except OSError as error:
            yield catalogue.MODEL_UNUSABLE.found(
                what=f"The model {model_id} cannot be read: {error.strerror}.",
                remedy=f"Let the server's user read {library.folder}.",
            )
    yield from _others(library.folder)


def _needed(settings: Settings) -> set[str]:
    recipe = RECIPES.get(settings.models.diarization)
    diarization = (
        {recipe.segmentation, recipe.embedding} if recipe else {settings.models.diarization}
    )
    return diarization | {settings.models.transcription}


def _installed(library: ModelLibrary) -> set[str]:
    if not library.folder.is_dir():
        return set()
    return {path.name for path in library.folder.iterdir() if library.holds(path.name)}


def _require_sizes(library: ModelLibrary, model_id: str) -> None:
    """Raises ModelMissing or ModelFileRefused."""
    if not library.holds(model_id):
        raise ModelMissing(model=model_id, folder=library.folder)
    manifest = read_manifest(library.folder / model_id)
    contents = contents_of(library.folder / model_id)
    for name in sorted(contents.files.keys() - manifest.files.keys() - {MANIFEST}):
        raise ModelFileRefused(model=model_id, file=name, why="the manifest does not list it")
    for name, expected in sorted(manifest.files.items()):
        if name not in contents.files:
            raise ModelFileRefused(model=model_id, file=name, why="it is not there")
        if contents.files[name].stat().st_size != expected.size:
            raise ModelFileRefused(model=model_id, file=name, why="it has another size")


def _others(folder: Path) -> Iterator[Finding]:
    """What other users can do with the models, if they get as far as there."""
    if not folder.is_dir() or not all(path.stat().st_mode & 0o001 for path in folder.parents):
        return
    every = [path for path in folder.rglob("*") if not path.is_symlink()]
    found = {path.stat().st_mode for path in [folder, *every]}
    if any(mode & 0o002 for mode in found):
        yield catalogue.MODELS_OPEN.found(path=folder, access="change")
    elif folder.stat().st_mode & 0o001 and any(mode & 0o004 for mode in found):
        yield catalogue.MODELS_OPEN.found(path=folder, access="read")
