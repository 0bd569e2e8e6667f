"""The file that checkpoints are appended to, which may lie on another machine."""

import os
from collections.abc import Sequence
from pathlib import Path


def append_lines(path: Path, lines: Sequence[bytes]) -> None:
    """On the disk when this returns. Blocks. A line that a crash broke off stays, on its own.

    Raises OSError: its folder is missing, or it cannot be written. Lines may stand there then;
    they are to be written again, and a reader takes a line twice for once.
    """
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "r+b", buffering=0) as file:
        size = os.fstat(fd).st_size
        text = b"".join(line + b"\n" for line in lines)
        if size and os.pread(fd, 1, size - 1) != b"\n":
            text = b"\n" + text
        while text:
            text = text[file.write(text) :]
        os.fsync(fd)
