"""What of the installation is broken or at risk: modes, the master key, and the configuration."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path

from onprem.config.settings import Settings
from onprem.services.doctor import catalogue
from onprem.services.doctor.finding import Finding
from onprem.store.data_directory import DataDirectory


def modes(directory: DataDirectory, key_file: Path) -> Iterator[Finding]:
    """Nobody but the server's user can reach data or keys."""
    owner = directory.root.stat().st_uid
    folders = [directory.root, directory.blobs, directory.slots.parent]
    for path in (*folders, *sorted(directory.known_files())):
        try:
            status, around = path.stat(), path.parent.stat()
        except FileNotFoundError:  # what must be there, the invariants know
            continue
        reached = path in folders or around.st_mode & 0o011
        if status.st_mode & 0o077 and reached:
            yield catalogue.OPEN_TO_OTHERS.found(path=path, mode=f"{status.st_mode & 0o777:o}")
        if status.st_uid != owner:
            yield catalogue.FOREIGN_OWNER.found(path=path)
    yield from _secrets(directory, key_file)


def _secrets(directory: DataDirectory, key_file: Path) -> Iterator[Finding]:
    """Who can write to the folder of the master key can put another one there."""
    try:
        mode = key_file.parent.stat().st_mode & 0o777
    except OSError:
        return
    if mode & 0o022:
        yield catalogue.OPEN_TO_OTHERS.found(path=key_file.parent, mode=f"{mode:o}")
    if key_file.resolve().is_relative_to(directory.root.resolve()):
        yield catalogue.MASTER_KEY_WITH_DATA.found(path=key_file)


def configuration(settings: Settings) -> Iterator[Finding]:
    """What the settings leave open."""
    server, retention = settings.server, settings.retention
    if not _loopback(server.host) and not (server.public_url or "").startswith("https:"):
        yield catalogue.PLAIN_HTTP.found(host=server.host)
    if retention.checkpoint_file is None and retention.checkpoint_webhook is None:
        yield catalogue.NO_CHECKPOINT_EXPORT.found()


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
