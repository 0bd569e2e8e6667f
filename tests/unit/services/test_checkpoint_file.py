"""The file that checkpoints are appended to."""

from pathlib import Path

import pytest

from onprem.services.checkpoint_file import append_lines


def test_lines_are_appended_for_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    append_lines(path, [b"one", b"two"])
    append_lines(path, [b"three"])
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_broken_off_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints.jsonl"
    path.write_bytes(b"one\ntw")
    append_lines(path, [b"two"])
    assert path.read_bytes() == b"one\ntw\ntwo\n"


def test_a_missing_folder_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        append_lines(tmp_path / "unmounted" / "checkpoints.jsonl", [b"one"])
    assert not (tmp_path / "unmounted").exists()
