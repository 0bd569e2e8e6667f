"""`manifest.json` of an installed model: what it is, and the SHA-256 of each of its files."""

import hashlib
from pathlib import Path

import msgspec

from onprem.engine.catalogue import CATALOGUE, FileRecord, ModelKind
from onprem.errors import ModelFileRefused

MANIFEST = "manifest.json"


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`files` is keyed by the path relative to the model's folder, with forward slashes."""

    id: str
    kind: ModelKind
    licence: str
    source: str
    files: dict[str, FileRecord]

    @property
    def digest(self) -> str:
        """One SHA-256 for the model: over its file table, in a spelling that has no variants."""
        return hashlib.sha256(msgspec.json.encode(self.files, order="sorted")).hexdigest()


def read_manifest(folder: Path) -> Manifest:
    """Raise ModelFileRefused where it is damaged or disagrees with the catalogue."""
    try:
        manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ModelFileRefused(model=folder.name, file=MANIFEST, why=str(error)) from error
    if manifest.id != folder.name:
        why = f"it describes the model {manifest.id}"
        raise ModelFileRefused(model=folder.name, file=MANIFEST, why=why)
    require_catalogue_digests(manifest)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put it into a staged folder; durability comes with placing that folder."""
    encoded = msgspec.json.encode(manifest, order="sorted")
    (folder / MANIFEST).write_bytes(msgspec.json.format(encoded, indent=2) + b"\n")


def require_catalogue_digests(manifest: Manifest) -> None:
    """Raise ModelFileRefused naming the first file that is not the catalogue's.

    Without this, whoever changes a weight file could change the manifest beside it as well.
    """
    known = CATALOGUE.get(manifest.id)
    if known is None:
        return
    if known.kind != manifest.kind:
        why = f"the catalogue has it as a {known.kind} model, the manifest as {manifest.kind}"
        raise ModelFileRefused(model=manifest.id, file=MANIFEST, why=why)
    if not known.files:
        return
    for name in sorted(known.files.keys() | manifest.files.keys()):
        if known.files.get(name) != manifest.files.get(name):
            why = "it is not the file that the catalogue names"
            raise ModelFileRefused(model=manifest.id, file=name, why=why)
