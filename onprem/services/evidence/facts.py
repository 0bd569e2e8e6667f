"""What the texts of the inventory are filled with: as configured here, or as documented."""

from pathlib import Path

from onprem.config.settings import Settings
from onprem.core.inventory import Facts
from onprem.store.data_directory import DataDirectory


def configured(settings: Settings, key_file: Path) -> Facts:
    """The paths and durations of this installation."""
    retention = settings.retention
    options = {
        "media": retention.media,
        "output": retention.output,
        "metadata": retention.metadata,
        "receipts": retention.receipts,
        "access_log": retention.access_log,
        "canary": retention.canary,
        "queue_ttl": settings.limits.queue_ttl,
    }
    directory = DataDirectory(settings.storage.data_dir, settings.keys_dir)
    source = "defaults, no file" if settings.source is None else str(settings.source)
    others = {"models": settings.models_dir, "configuration": source, "key": key_file}
    paths = _paths(directory) | others
    return {name: str(value) for name, value in (paths | options).items()}


def documented() -> Facts:
    """Names of options in the place of their values, in Markdown."""
    retention = ("media", "output", "metadata", "receipts", "access_log", "canary")
    options = {name: f"retention.{name}" for name in retention} | {"queue_ttl": "limits.queue_ttl"}
    paths = _paths(DataDirectory(Path("<data_dir>"), Path("<keys_dir>")))
    others = {
        "models": "models.dir",
        "configuration": "onprem.toml",
        "key": "storage.master_key_file",
    }
    return {name: f"`{value}`" for name, value in (paths | others | options).items()}


def _paths(directory: DataDirectory) -> dict[str, object]:
    return {
        "database": directory.database,
        "log": f"{directory.database}-wal",
        "index": f"{directory.database}-shm",
        "blobs": directory.blobs,
        "slots": directory.slots,
        "lock": directory.root / "lock",
        "staging": directory.staging,
    }
