"""What may be imported from a folder: no code, and nothing that lies elsewhere."""

from pathlib import Path, PurePosixPath

from onprem.engine.model_files import contents_of
from onprem.errors import ModelFolderUnrecognised

_CODE = frozenset(
    {".py", ".pyc", ".pyo", ".pyd", ".so", ".dll", ".dylib", ".sh", ".js", ".exe", ".ipynb"}
)


def importable_files(folder: Path) -> dict[str, Path]:
    """Files by name relative to `folder`, which is resolved; links within it are followed.

    Anything below a name that begins with a dot (`.git`, `.cache`) is left aside.
    Raises ModelFolderUnrecognised for code and for links out of the folder.
    """
    if not folder.is_dir():
        raise ModelFolderUnrecognised(folder=folder, why="it is not a folder")
    contents = contents_of(folder)
    files = {name: path for name, path in contents.files.items() if _is_visible(name)}
    for name in filter(_is_visible, contents.odd):
        files[name] = _followed(folder, name)
    for name in files:
        if PurePosixPath(name).suffix.lower() in _CODE:
            raise ModelFolderUnrecognised(folder=folder, why=f"{name} is code")
    return files


def _is_visible(name: str) -> bool:
    return not any(part.startswith(".") for part in PurePosixPath(name).parts)


def _followed(folder: Path, name: str) -> Path:
    try:
        target = (folder / name).resolve(strict=True)
    except (OSError, RuntimeError) as error:
        raise ModelFolderUnrecognised(folder=folder, why=f"{name} leads nowhere") from error
    if not target.is_relative_to(folder):
        why = f"{name} is a link out of it; copy the files themselves (`cp -rL`)"
        raise ModelFolderUnrecognised(folder=folder, why=why)
    if not target.is_file():
        raise ModelFolderUnrecognised(folder=folder, why=f"{name} leads to no regular file")
    return target
