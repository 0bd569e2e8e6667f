"""Known speakers are named and strangers are not, by the real models, at the default threshold."""

import random
from pathlib import Path

import pytest

from benchmarks.identification import LEAST_NAMED, MOST_MISNAMED, measured
from onprem.engine.engine import SpeechEngine

pytestmark = [pytest.mark.models, pytest.mark.ci]


def test_conversations_of_known_speakers_and_strangers(
    models_folder: Path, shared_data: Path
) -> None:
    engine = SpeechEngine(models_folder, "starter", "whisper-tiny.en", "cpu")
    folder = shared_data / "speakers" / "librispeech_test-other"
    row = measured(engine, folder, conversations=3, luck=random.Random(2)).row()
    assert row["knownTurns"] > 10 and row["unknownTurns"] > 10
    assert row["namedRight"] >= LEAST_NAMED
    assert row["strangersNamed"] <= MOST_MISNAMED
