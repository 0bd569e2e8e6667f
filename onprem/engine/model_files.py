"""What lies in a model folder: regular files, and whatever else does not belong there."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from onprem.engine.catalogue import FileRecord


class FolderContents(NamedTuple):
    """Paths relative to the folder, with forward slashes. `odd` is links, sockets, devices."""

    files: dict[str, Path]
    odd: list[str]


def contents_of(folder: Path) -> FolderContents:
    """Every file below `folder`; links are listed as odd and never followed."""
    contents = FolderContents({}, [])
    for path in _below(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file():
            contents.odd.append(name)
        else:
            contents.files[name] = path
    return contents


def _below(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if path.is_dir() and not path.is_symlink():
            yield from _below(path)
        else:
            yield path


def record_of(path: Path) -> FileRecord:
    """Hash the file in a stream: a model may be larger than memory."""
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
        return FileRecord(sha256=digest, size=opened.tell())
