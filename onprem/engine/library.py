"""The folder of installed models: `<folder>/<model id>/` with weight files and a manifest."""

import re
from pathlib import Path

import msgspec

from onprem.engine.catalogue import CATALOGUE, ModelKind
from onprem.engine.manifest import MANIFEST, Manifest, read_manifest
from onprem.engine.model_files import contents_of, record_of
from onprem.engine.staging import staging
from onprem.engine.whisper_vocabulary import knows_many_languages
from onprem.errors import ModelDamaged, ModelError, ModelFileRefused, ModelMissing

_MODEL_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class InstalledModel(msgspec.Struct, frozen=True, kw_only=True):
    """`digest` is the SHA-256 over the manifest's file table: it names the exact weights."""

    id: str
    kind: ModelKind
    licence: str
    folder: Path
    digest: str


def is_model_id(text: str) -> bool:
    """Ids name folders, so they can hold no separator and never begin with a dot."""
    return _MODEL_ID.fullmatch(text) is not None


class ModelLibrary:
    """Reads `folder`, which need not exist yet; models come into it by fetch and import."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def installed(self) -> list[InstalledModel]:
        """All models by id, from their manifests alone: nothing is hashed.

        Raises ModelDamaged where a manifest is unreadable or disagrees with the catalogue.
        """
        if not self.folder.is_dir():
            return []
        names = sorted(path.name for path in self.folder.iterdir())
        return [self._described(name) for name in names if self.holds(name)]

    def holds(self, model_id: str) -> bool:
        """Whether a folder with a manifest is there; says nothing about its bytes."""
        return is_model_id(model_id) and (self.folder / model_id / MANIFEST).is_file()

    def kind_of(self, model_id: str) -> ModelKind | None:
        """What the model does, from its manifest alone; None: no such model, or none usable."""
        if not self.holds(model_id):
            return None
        try:
            return read_manifest(self.folder / model_id).kind
        except (ModelError, OSError):  # damaged, or removed since
            return None

    def digest_of(self, model_id: str) -> str | None:
        """Names the model's exact weights, from its manifest alone; None as for `kind_of`."""
        if not self.holds(model_id):
            return None
        try:
            return read_manifest(self.folder / model_id).digest
        except (ModelError, OSError):
            return None

    def translates(self, model_id: str) -> bool:
        """Whether an installed Whisper can translate into English: it knows other languages.

        Reads the model's vocabulary, never its weights; False where it is no such model.
        """
        known = CATALOGUE.get(model_id)
        return (
            self.kind_of(model_id) == "transcription"
            and (known is None or known.translates)
            and knows_many_languages(self.folder / model_id)
        )

    def verified(self, model_id: str) -> InstalledModel:
        """Hash every file of the model; call it before each load.

        Raises ModelMissing, or ModelDamaged naming the first file that is changed, absent,
        unlisted or not a regular file.
        """
        if not self.holds(model_id):
            raise ModelMissing(model=model_id, folder=self.folder)
        folder = self.folder / model_id
        if folder.is_symlink():
            raise ModelFileRefused(model=model_id, file=folder.name, why="it is a symbolic link")
        manifest = read_manifest(folder)
        _require_files(folder, manifest)
        return _installed(folder, manifest)

    def remove(self, model_id: str) -> None:
        """Take the folder away, however damaged the model in it. Raises ModelMissing."""
        if not is_model_id(model_id) or not (self.folder / model_id).exists():
            raise ModelMissing(model=model_id, folder=self.folder)
        with staging(self.folder) as room:
            # One rename first: whoever looks sees a whole model or none.
            (self.folder / model_id).rename(room / model_id)

    def _described(self, model_id: str) -> InstalledModel:
        folder = self.folder / model_id
        return _installed(folder, read_manifest(folder))


def _installed(folder: Path, manifest: Manifest) -> InstalledModel:
    return InstalledModel(
        id=manifest.id,
        kind=manifest.kind,
        licence=manifest.licence,
        folder=folder,
        digest=manifest.digest,
    )


def _require_files(folder: Path, manifest: Manifest) -> None:
    contents = contents_of(folder)
    for name in contents.odd:
        why = "it is a symbolic link or no regular file"
        raise ModelFileRefused(model=manifest.id, file=name, why=why)
    for name in contents.files.keys() - manifest.files.keys() - {MANIFEST}:
        raise ModelFileRefused(model=manifest.id, file=name, why="the manifest does not list it")
    for name, expected in sorted(manifest.files.items()):
        if name not in contents.files:
            raise ModelFileRefused(model=manifest.id, file=name, why="it is not there")
        if record_of(contents.files[name]) != expected:
            raise ModelDamaged(model=manifest.id, file=name)
