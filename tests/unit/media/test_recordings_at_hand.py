"""Real files from many recorders, where they are at hand; they are not part of the repository."""

import asyncio
from pathlib import Path

import pytest

from tests.support.decoding import Decode

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "asr" / "containers"
FILES = sorted(path for path in FOLDER.glob("*") if path.suffix != ".txt")


@pytest.mark.skipif(
    not FILES, reason="the sample recordings (shared/data/asr/containers) are absent"
)
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
async def test_a_real_file_decodes(decoding: Decode, path: Path) -> None:
    decoded, samples = await decoding(await asyncio.to_thread(path.read_bytes))
    assert decoded.seconds >= 1
    assert decoded.damaged_packets == 0
    assert abs(samples.astype(int)).max() > 100
