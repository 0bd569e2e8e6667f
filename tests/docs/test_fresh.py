"""What is generated in the documentation is what the code says now."""

import subprocess
import sys
from pathlib import Path

import pytest

from scripts import docs

ROOT = Path(__file__).parents[2]


def test_generated_parts_are_fresh() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "docs.py", "--check"], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_page_is_named_and_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    page = tmp_path / "docs" / "cli.md"
    page.parent.mkdir()
    page.write_text("before\n<!-- generated:exit-codes -->\nstale\n<!-- /generated -->\nafter\n")

    assert docs.main(["--check"]) == 1
    assert "docs/cli.md is stale" in capsys.readouterr().err
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0

    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n")
    assert "| 0 | it did what was asked |" in text and "stale" not in text
