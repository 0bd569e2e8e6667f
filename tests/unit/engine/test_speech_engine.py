"""The whole engine on pyannote's sample: who spoke when, what was said, and how it stops."""

import mmap
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import fmean

import numpy as np
import pytest
from msgspec.structs import replace
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from onprem.core.cancel import Canceled, CancelReason, CancelToken
from onprem.core.speech import Analysis, Task, Turn, Word
from onprem.engine.engine import SpeechEngine
from onprem.errors import (
    DeviceUnavailable,
    EngineFailed,
    ModelMissing,
    ModelOfOtherKind,
    NoSpeech,
    TranslationUnsupported,
)
from tests.support.pyannote_sample import SAMPLE_RATE, sample_pcm, sample_reference

pytestmark = pytest.mark.models

PLAIN = Task(diarization_model="starter")
ALL_SCORES = {
    "confidence": True,
    "turn_confidence": True,
    "speech_probability": True,
    "crosstalk_probability": True,
    "speaker_probability": True,
}
DURATION = 30.0


@pytest.fixture(scope="module")
def engine(models_folder: Path) -> SpeechEngine:
    engine = SpeechEngine(models_folder, "starter", "whisper-tiny.en", "auto")
    engine.load()
    return engine


@pytest.fixture(scope="module")
def stages() -> list[tuple[str, float]]:
    return []


@pytest.fixture(scope="module")
def heard() -> list[Word]:
    return []


@pytest.fixture(scope="module")
def analysis(engine: SpeechEngine, stages: list[tuple[str, float]], heard: list[Word]) -> Analysis:
    task = replace(PLAIN, transcribe=True, **ALL_SCORES)
    return engine.analyse(
        task, sample_pcm(), lambda *progress: stages.append(progress), CancelToken(), heard.extend
    )


def ignore(stage: str, fraction: float) -> None:
    """No progress wanted."""


def analyse(engine: SpeechEngine, task: Task, seconds: float = DURATION) -> Analysis:
    return engine.analyse(task, sample_pcm()[: int(seconds * SAMPLE_RATE)], ignore, CancelToken())


def test_two_speakers_with_few_errors(analysis: Analysis) -> None:
    found = Annotation()
    for index, turn in enumerate(analysis.turns):
        found[Segment(turn.start, turn.end), index] = turn.speaker
    assert set(found.labels()) == {"SPEAKER_00", "SPEAKER_01"}
    whole = Segment(0, DURATION)
    assert DiarizationErrorRate()(sample_reference(), found, uem=whole) <= 0.08


def test_turns_are_in_order_rounded_and_within_the_recording(analysis: Analysis) -> None:
    for turns in (analysis.turns, analysis.exclusive):
        assert turns == sorted(turns, key=lambda turn: (turn.start, turn.end))
        assert all(0 <= turn.start < turn.end <= DURATION for turn in turns)
        assert all(turn.start == round(turn.start, 3) for turn in turns)
    assert analysis.turns[0].speaker == "SPEAKER_00"


def test_exclusive_turns_do_not_overlap(analysis: Analysis) -> None:
    turns = analysis.exclusive
    assert all(one.end <= two.start for one, two in zip(turns, turns[1:], strict=False))


def test_words_in_time(analysis: Analysis) -> None:
    assert analysis.words
    text = "".join(word.text for word in analysis.words)
    assert "New Jersey" in text
    assert analysis.language == "en"
    times = [time for word in analysis.words for time in (word.start, word.end)]
    assert times == sorted(times)
    assert times[0] >= 6.0  # nobody speaks before
    assert times[-1] <= DURATION


def test_words_are_heard_on_the_way_and_stand_in_segments(
    analysis: Analysis, heard: list[Word]
) -> None:
    assert heard == analysis.words
    assert analysis.segments
    written = "".join(segment.text for segment in analysis.segments)
    assert written == "".join(word.text for word in heard)


def test_confidence_of_frames_and_turns(analysis: Analysis) -> None:
    assert analysis.confidence
    assert analysis.confidence.resolution == 0.02
    assert len(analysis.confidence.score) == 1500
    assert all(0 <= score <= 100 for score in analysis.confidence.score)
    assert analysis.confidence.score[100] > 80  # plain silence
    for turn in (*analysis.turns, *analysis.exclusive):
        assert turn.confidence
        assert set(turn.confidence) == {"SPEAKER_00", "SPEAKER_01"}
    long = [turn for turn in analysis.turns if turn.end - turn.start > 3]
    for turn in long:
        assert turn.confidence and turn.confidence[turn.speaker] > 80
        assert turn.confidence[turn.speaker] == max(turn.confidence.values())


def test_probabilities_say_what_the_turns_say(analysis: Analysis) -> None:
    assert analysis.speech_probability and analysis.crosstalk_probability
    assert analysis.speaker_probability
    speech, crosstalk = analysis.speech_probability.score, analysis.crosstalk_probability.score
    speakers = analysis.speaker_probability.score
    assert set(speakers) == {"SPEAKER_00", "SPEAKER_01"}
    assert {len(score) for score in (speech, crosstalk, *speakers.values())} == {1500}
    assert speech[100] < 20  # plain silence
    # A turn of a few frames lies between two scores.
    for turn in (turn for turn in analysis.turns if turn.end - turn.start > 0.1):
        inside = slice(round(turn.start / 0.02) + 1, round(turn.end / 0.02))
        assert fmean(speech[inside]) > 50
        assert fmean(speakers[turn.speaker][inside]) > 40
    for one, other in pairwise(analysis.turns):
        shared = slice(round(other.start / 0.02), round(min(one.end, other.end) / 0.02))
        if shared.stop - shared.start > 5:
            assert fmean(crosstalk[shared]) > fmean(crosstalk)
    assert all(one <= two + 1 for one, two in zip(crosstalk, speech, strict=True))


def test_the_models_are_named_with_their_digests(analysis: Analysis) -> None:
    named = {part: model.id for part, model in analysis.engine.items()}
    assert named == {
        "diarization": "segmentation-3.0",
        "embedding": "campplus-zh-en",
        "transcription": "whisper-tiny.en",
    }
    assert all(len(model.digest) == 64 for model in analysis.engine.values())


def test_progress_goes_through_the_stages(
    analysis: Analysis, stages: list[tuple[str, float]]
) -> None:
    order = list(dict.fromkeys(stage for stage, _ in stages))
    assert order == ["segmentation", "embedding", "clustering", "transcription"]
    assert all(0 <= fraction <= 1 for _, fraction in stages)
    for stage in order:
        fractions = [fraction for name, fraction in stages if name == stage]
        assert fractions == sorted(fractions)
        assert fractions[-1] == 1


def test_only_what_was_asked_for(engine: SpeechEngine) -> None:
    plain = analyse(engine, PLAIN, seconds=15)
    assert plain.words is None and plain.language is None and plain.confidence is None
    assert plain.speech_probability is plain.crosstalk_probability is None
    assert plain.speaker_probability is None and plain.voices == {}
    assert all(turn.confidence is None for turn in plain.turns)
    assert set(plain.engine) == {"diarization", "embedding"}


def test_a_recording_is_the_same_twice(engine: SpeechEngine) -> None:
    assert analyse(engine, PLAIN, seconds=15) == analyse(engine, PLAIN, seconds=15)


@pytest.mark.parametrize("counts", [{"num_speakers": 1}, {"max_speakers": 1}])
def test_speaker_counts_are_obeyed(engine: SpeechEngine, counts: dict[str, int]) -> None:
    found = analyse(engine, replace(PLAIN, **counts), seconds=20)
    assert {turn.speaker for turn in found.turns} == {"SPEAKER_00"}
    assert found.warnings == []


def spoken(turns: list[Turn]) -> float:
    """Seconds in which anybody speaks."""
    return Timeline([Segment(turn.start, turn.end) for turn in turns]).support().duration()


@pytest.mark.parametrize("diarize", [True, False])
def test_vad_sensitivity_moves_how_much_speech_is_found(
    engine: SpeechEngine, diarize: bool
) -> None:
    found = [
        spoken(analyse(engine, replace(PLAIN, diarize=diarize, vad_sensitivity=by), 12).turns)
        for by in (-5.0, 0.0, 5.0)
    ]
    assert found == sorted(found)
    assert found[0] + 0.1 < found[1] < found[2] - 0.1


def test_crosstalk_sensitivity_moves_how_much_overlap_is_found(engine: SpeechEngine) -> None:
    found = []
    for by in (-5.0, 0.0, 5.0):
        turns = analyse(engine, replace(PLAIN, crosstalk_sensitivity=by, num_speakers=2), 20).turns
        found.append(sum(turn.end - turn.start for turn in turns) - spoken(turns))
    assert found == sorted(found)
    assert found[0] < found[2] - 0.2


def test_without_diarization_all_speech_is_one_speakers(
    engine: SpeechEngine, analysis: Analysis
) -> None:
    seen: list[str] = []
    task = replace(PLAIN, diarize=False, **ALL_SCORES)
    found = engine.analyse(task, sample_pcm(), lambda stage, _: seen.append(stage), CancelToken())
    assert set(seen) == {"segmentation"}
    assert {turn.speaker for turn in found.turns} == {"SPEAKER_00"}
    assert found.exclusive == found.turns
    assert set(found.engine) == {"diarization"}
    speech = Timeline([Segment(turn.start, turn.end) for turn in analysis.turns]).support(0.3)
    bounds = [(turn.start, turn.end) for turn in found.turns]
    assert bounds == [pytest.approx((one.start, one.end), abs=0.02) for one in speech]
    assert found.speech_probability == analysis.speech_probability
    assert found.confidence == analysis.confidence
    assert found.speaker_probability and found.speech_probability
    assert found.speaker_probability.score == {"SPEAKER_00": found.speech_probability.score}
    assert all(turn.confidence and turn.confidence["SPEAKER_00"] > 50 for turn in found.turns)


def test_without_diarization_silence_is_no_speech(engine: SpeechEngine) -> None:
    with pytest.raises(NoSpeech):
        engine.analyse(
            replace(PLAIN, diarize=False), memoryview(bytes(320_000)), ignore, CancelToken()
        )


def test_voices_tell_speakers_apart(engine: SpeechEngine) -> None:
    own = "campplus-zh-en"
    whole = analyse(engine, replace(PLAIN, voices=[own])).voices[own]
    # The first speaker is alone in these five seconds.
    part = engine.analyse(
        replace(PLAIN, voices=[own]),
        sample_pcm()[int(7.5 * SAMPLE_RATE) : int(14.5 * SAMPLE_RATE)],
        ignore,
        CancelToken(),
    ).voices[own]
    assert set(whole) == {"SPEAKER_00", "SPEAKER_01"}
    assert all(
        len(voice) == 192 and np.linalg.norm(voice) == pytest.approx(1) for voice in whole.values()
    )
    same = max(np.dot(whole["SPEAKER_00"], voice) for voice in part.values())
    assert same > 0.6 > 0.5 > np.dot(whole["SPEAKER_00"], whole["SPEAKER_01"])


@pytest.mark.parametrize("model", ["whisper-tiny.en", "segmentation-3.0", "nobody"])
def test_a_voice_model_that_is_none_is_refused_first(engine: SpeechEngine, model: str) -> None:
    seen: list[str] = []
    with pytest.raises(ModelMissing if model == "nobody" else ModelOfOtherKind, match=model):
        engine.analyse(
            replace(PLAIN, voices=[model]),
            sample_pcm(),
            lambda stage, _: seen.append(stage),
            CancelToken(),
        )
    assert seen == []


def test_too_few_speakers_is_said(engine: SpeechEngine) -> None:
    found = analyse(engine, replace(PLAIN, min_speakers=9), seconds=12)
    [warning] = found.warnings
    assert "at least 9" in warning


@pytest.mark.parametrize("stage", ["segmentation", "embedding", "clustering", "transcription"])
def test_a_cancel_stops_at_the_next_point(engine: SpeechEngine, stage: str) -> None:
    cancel = CancelToken()
    seen: list[str] = []

    def progress(name: str, fraction: float) -> None:
        seen.append(name)
        if name == stage:
            cancel.cancel(CancelReason.USER)

    task = replace(PLAIN, transcribe=True)
    with pytest.raises(Canceled) as raised:
        engine.analyse(task, sample_pcm()[: 15 * SAMPLE_RATE], progress, cancel)
    assert raised.value.reason is CancelReason.USER
    assert seen.count(stage) == 1
    assert seen[-1] == stage


@pytest.mark.parametrize("seconds", [0.5, 12.0])
def test_silence_is_no_speech(engine: SpeechEngine, seconds: float) -> None:
    silence = memoryview(bytes(2 * int(seconds * SAMPLE_RATE)))
    with pytest.raises(NoSpeech):
        engine.analyse(PLAIN, silence, ignore, CancelToken())


def test_a_second_of_speech_is_enough(engine: SpeechEngine) -> None:
    speech = sample_pcm()[11 * SAMPLE_RATE : 12 * SAMPLE_RATE]
    found = engine.analyse(PLAIN, speech, ignore, CancelToken())
    assert {turn.speaker for turn in found.turns} == {"SPEAKER_00"}


def test_a_failure_of_the_libraries_carries_no_content(
    engine: SpeechEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object) -> None:
        raise RuntimeError("what was said")

    monkeypatch.setattr(engine._diarizers.get("starter").diarizer, "diarize", fail)
    with pytest.raises(EngineFailed) as raised:
        analyse(engine, PLAIN)
    assert "RuntimeError" in str(raised.value)
    assert "what was said" not in raised.value.sentence
    assert raised.value.__context__ is None


@pytest.mark.parametrize("model", ["whisper-tiny.en", "segmentation-3.0", "nobody"])
def test_what_diarizes_not_is_refused_and_evicts_nothing(engine: SpeechEngine, model: str) -> None:
    loaded = engine._diarizers.get("starter")
    with pytest.raises(ModelMissing if model == "nobody" else ModelOfOtherKind, match=model):
        analyse(engine, replace(PLAIN, diarization_model=model))
    assert engine._diarizers.get("starter") is loaded


def test_what_transcribes_not_is_refused(models_folder: Path) -> None:
    engine = SpeechEngine(models_folder, "starter", "segmentation-3.0", "cpu")
    with pytest.raises(ModelOfOtherKind, match="segmentation-3.0 is a segmentation model"):
        engine._transcribers.get("segmentation-3.0")


def test_an_english_model_does_not_translate(engine: SpeechEngine) -> None:
    with pytest.raises(TranslationUnsupported, match=r"whisper-tiny\.en cannot translate"):
        analyse(engine, replace(PLAIN, transcribe=True, translate=True))


def fails(stage: str, fraction: float) -> None:
    raise RuntimeError("what was said")


def cancels(stage: str, fraction: float) -> None:
    raise Canceled(CancelReason.USER)


@pytest.mark.parametrize(
    "progress, ends_with", [(ignore, None), (fails, EngineFailed), (cancels, Canceled)]
)
def test_the_samples_are_let_go_however_it_ends(
    engine: SpeechEngine, progress: Callable[[str, float], None], ends_with: type[Exception] | None
) -> None:
    task = replace(PLAIN, transcribe=True, voices=["campplus-zh-en"], **ALL_SCORES)
    content = sample_pcm()[: 12 * SAMPLE_RATE].tobytes()
    ended: Exception | None = None
    with mmap.mmap(-1, len(content)) as room:
        room[:] = content
        view = memoryview(room)
        try:
            engine.analyse(task, view, progress, CancelToken())
        except (EngineFailed, Canceled) as error:
            ended = error
        view.release()  # BufferError while anything still holds a part of it
    assert ended is None if ends_with is None else isinstance(ended, ends_with)


def test_a_model_that_is_not_there(engine: SpeechEngine) -> None:
    with pytest.raises(ModelMissing):
        analyse(engine, replace(PLAIN, diarization_model="precision-9"))


def test_a_device_that_is_not_there(models_folder: Path, no_cuda: None) -> None:
    with pytest.raises(DeviceUnavailable):
        SpeechEngine(models_folder, "starter", "whisper-tiny.en", "cuda:0")


@pytest.fixture
def no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
