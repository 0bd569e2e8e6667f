"""Importing a model folder that somebody copied here by hand."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from onprem.engine.catalogue import CATALOGUE, RECIPES, CatalogueModel
from onprem.engine.checkpoints import require_safe_checkpoint
from onprem.engine.layouts import Layout, known_layout, recognised_layout
from onprem.engine.library import InstalledModel, ModelLibrary, is_model_id
from onprem.engine.manifest import Manifest, require_catalogue_digests, write_manifest
from onprem.engine.model_files import record_of
from onprem.engine.source_folder import importable_files
from onprem.engine.staging import put_in_place, require_room, staging
from onprem.errors import ModelFolderUnrecognised, ModelPresent

Progress: TypeAlias = Callable[[str], None]

_UNKNOWN_LICENCE = "unknown"


def import_folder(
    library: ModelLibrary, folder: Path, as_id: str | None = None, *, progress: Progress
) -> InstalledModel:
    """Copy, check and record the model in `folder`; nothing of it is executed.

    Its id is `as_id`, else that of the catalogue's model with the folder's name, else that name.
    `progress` gets one sentence for each file.
    Raises ModelPresent, ModelFolderUnrecognised, ModelFolderFull, ModelUnsafe for a checkpoint
    that would run code, and ModelDamaged where the catalogue knows the model with other digests.
    """
    folder = folder.resolve()
    model_id = _id_for(folder, as_id)
    if (library.folder / model_id).exists():
        raise ModelPresent(model=model_id, folder=library.folder)
    files = importable_files(folder)
    known = CATALOGUE.get(model_id)
    layout = known_layout(known) if known and known.files else recognised_layout(folder, files)
    _require_layout(folder, layout, files, known)
    with staging(library.folder) as room:
        require_room(library.folder, sum(files[name].stat().st_size for name in layout.files))
        staged = room / model_id
        _copy(layout, files, staged, progress)
        _check_and_record(staged, layout, folder, known)
        put_in_place(staged, library.folder / model_id, room)
    return library.verified(model_id)


def _id_for(folder: Path, as_id: str | None) -> str:
    model_id = as_id or _id_by_name(folder.name)
    if not is_model_id(model_id) or model_id in RECIPES:
        raise ModelFolderUnrecognised(
            folder=folder, why=f"{model_id!r} cannot be a model's id; choose one with --as"
        )
    return model_id


def _id_by_name(name: str) -> str:
    for model in CATALOGUE.values():
        if name == model.source.rsplit("/", 1)[-1]:
            return model.id
    return name


def _require_layout(
    folder: Path, layout: Layout, files: dict[str, Path], known: CatalogueModel | None
) -> None:
    if known and known.kind != layout.kind:
        why = f"{known.id} is a {known.kind} model, and this is one for {layout.kind}"
        raise ModelFolderUnrecognised(folder=folder, why=why)
    for name in layout.files:
        if name not in files:
            raise ModelFolderUnrecognised(folder=folder, why=f"{name} is not there")


def _copy(layout: Layout, files: dict[str, Path], staged: Path, progress: Progress) -> None:
    for name in layout.files:
        progress(f"Copying {name} ({files[name].stat().st_size / 1e6:.1f} MB).")
        target = staged / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(files[name], target)


def _check_and_record(
    staged: Path, layout: Layout, folder: Path, known: CatalogueModel | None
) -> None:
    """Work on the copy: the original may still change under our hands."""
    for name in layout.checkpoints:
        require_safe_checkpoint(staged / name, model=staged.name, file=name)
    manifest = Manifest(
        id=staged.name,
        kind=layout.kind,
        licence=known.licence if known else _UNKNOWN_LICENCE,
        source=known.source if known else f"imported from a folder named {folder.name}",
        files={name: record_of(staged / name) for name in layout.files},
    )
    require_catalogue_digests(manifest)
    write_manifest(staged, manifest)
