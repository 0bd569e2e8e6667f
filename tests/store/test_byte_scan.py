"""The scan finds what is there, wherever it is there."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from onprem.store import byte_scan
from onprem.store.byte_scan import CHUNK, Hit, Place, open_files, places, scan
from tests.support.store import OpenStore

MARKER = os.urandom(32)
PATTERNS = {"plaintext": [b"never there", MARKER], "key": [bytes(range(200, 232))]}


async def test_it_finds_a_pattern_in_every_file_below(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file").write_bytes(b"x" * 100 + MARKER)
    (tmp_path / "clean").write_bytes(MARKER[:-1])
    found = await scan([Place("here", [tmp_path])], PATTERNS, changed_since=None)
    assert found.hits == [Hit("plaintext", "here", "deep/er/file")]
    assert (found.files, found.bytes) == (2, 132 + 31)


@pytest.mark.parametrize("at", [0, CHUNK - 32, CHUNK - 31, CHUNK - 1, CHUNK, 3 * CHUNK - 7])
async def test_no_border_between_two_reads_hides_it(tmp_path: Path, at: int) -> None:
    (tmp_path / "file").write_bytes(b"x" * at + MARKER + b"y" * 10)
    assert (await scan([Place("here", [tmp_path])], PATTERNS, changed_since=None)).hits


async def test_only_files_that_were_written_since_are_read(tmp_path: Path) -> None:
    old = tmp_path / "old"
    old.write_bytes(MARKER)
    os.utime(old, (0, 0))
    (tmp_path / "new").write_bytes(MARKER)
    found = await scan([Place("here", [tmp_path])], PATTERNS, changed_since=time.time() - 3600)
    assert [hit.file for hit in found.hits] == ["new"]


async def test_a_deleted_file_that_we_hold_open_and_a_memory_file_are_read(tmp_path: Path) -> None:
    memory = os.memfd_create("memory")
    os.write(memory, MARKER)
    with (tmp_path / "gone").open("w+b") as file:
        file.write(MARKER)
        file.flush()
        (tmp_path / "gone").unlink()
        found = await scan(
            [Place("open files", [open_files(os.getpid())])], PATTERNS, changed_since=None
        )
        assert file.tell() == len(MARKER)
    os.close(memory)
    assert len(found.hits) == 2
    assert any("memory" in hit.file for hit in found.hits)


async def test_a_file_that_may_not_be_read_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    assert (await scan([Place("here", [tmp_path])], PATTERNS, changed_since=None)).files == 0


async def test_the_places_that_are_known(tmp_path: Path) -> None:
    named = {place.name: place for place in places(tmp_path / "data", tmp_path / "keys")}
    assert named["data directory"].paths == [tmp_path / "data"]
    assert named["record keys"].paths == [tmp_path / "keys"]
    assert named["temporary files"].foreign and named["shared memory"].foreign


async def test_sqlite_keeps_its_locks(store: OpenStore) -> None:
    """A file that this process opened and closed would lose them, and with them the log: the next
    process would take itself for the last one, and delete it under ours."""
    await scan([Place("data", [store.directory.root])], PATTERNS, changed_since=None)
    read = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('SELECT * FROM artefact')"
    subprocess.run([sys.executable, "-c", read, str(store.directory.database)], check=True)
    held = [str(path.readlink()) for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    ours = [name for name in held if name.startswith(str(store.directory.root))]
    assert ours and not any(name.endswith("(deleted)") for name in ours)


async def test_a_child_that_breaks_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(byte_scan.sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="ended early"):
        await scan([Place("here", [tmp_path])], PATTERNS, changed_since=None)
