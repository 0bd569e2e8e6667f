"""What runs here: versions of the program, of what it is built on, and of its models."""

import platform
from importlib import metadata

import msgspec

from onprem import __version__
from onprem.engine.library import ModelLibrary
from onprem.errors import ModelError
from onprem.services.installed import ModelSummary
from onprem.store.database import SQLITE_VERSION

LIBRARIES = (
    *("aiosqlite", "av", "cryptography", "ctranslate2", "faster-whisper", "httpx", "litestar"),
    *("msgspec", "pyannote.audio", "torch", "torchaudio", "typer", "uvicorn"),
)
"""Those that keep content, or get to see it."""


class Versions(msgspec.Struct, frozen=True, rename="camel"):
    """`schema` is the database's; `models_fault` says why the models are not known."""

    onprem: str
    schema: int
    python: str
    sqlite: str
    kernel: str
    libraries: dict[str, str]
    models: list[ModelSummary]
    models_fault: str | None = None


def versions(library: ModelLibrary, schema: int) -> Versions:
    """Blocks: reads the manifests of the models."""
    models, fault = list[ModelSummary](), None
    try:
        models = [
            ModelSummary(model.id, model.kind, model.licence, model.digest)
            for model in library.installed()
        ]
    except (ModelError, OSError) as error:
        fault = error.code if isinstance(error, ModelError) else str(error.strerror)
    return Versions(
        onprem=__version__,
        schema=schema,
        python=platform.python_version(),
        sqlite=SQLITE_VERSION,
        kernel=platform.release(),
        libraries={name: version for name in LIBRARIES if (version := _version(name))},
        models=models,
        models_fault=fault,
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
