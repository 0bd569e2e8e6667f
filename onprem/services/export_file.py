"""An export of the ledger as a file: read for verifying, written whole or not at all."""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from onprem.core.ledger_verification import MAX_LINE
from onprem.errors import ExportUnwritten
from onprem.store.disk import sync_folder
from onprem.threads import in_thread


async def write_export(path: Path, pages: AsyncIterator[list[bytes]]) -> int:
    """For its owner only (0600); on the disk, or gone, when this returns. Returns its bytes.

    Raises:
        ExportUnwritten: the disk refused, or `path` exists.
        LedgerMoved
    """
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ExportUnwritten(path=path, why=error.strerror) from error
    written = 0
    try:
        with os.fdopen(fd, "wb") as file:
            async for page in pages:
                written += await in_thread(file.write, b"".join(page))
            await in_thread(file.flush)
            await in_thread(os.fsync, fd)
        await in_thread(sync_folder, path.parent)
    except BaseException as error:
        await in_thread(path.unlink)
        if isinstance(error, OSError):
            raise ExportUnwritten(path=path, why=error.strerror) from error
        raise
    return written


def lines_of(path: Path) -> Iterator[bytes]:
    """With their newlines; one that is longer than any line of an export comes in pieces.

    Raises OSError.
    """
    with path.open("rb") as file:
        while line := file.readline(MAX_LINE):
            yield line
