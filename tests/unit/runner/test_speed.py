"""What is told about waiting times rests on what was measured, the latest most of all."""

import pytest

from onprem.runner.speed import Speed


def test_nothing_is_known_at_first() -> None:
    speed = Speed()
    assert speed.needed(None) is None
    assert speed.needed(60.0) is None


def test_a_recording_needs_what_others_needed_for_each_second() -> None:
    speed = Speed()
    speed.note(audio=100.0, compute=10.0)
    assert speed.needed(600.0) == pytest.approx(60.0)
    assert speed.needed(None) == pytest.approx(10.0)


def test_late_measurements_count_more() -> None:
    speed = Speed()
    for _ in range(50):
        speed.note(audio=100.0, compute=100.0)
    for _ in range(50):
        speed.note(audio=200.0, compute=20.0)
    needed, typical = speed.needed(100.0), speed.needed(None)
    assert needed is not None and typical is not None
    assert 10.0 < needed < 11.0
    assert 20.0 < typical < 21.0
