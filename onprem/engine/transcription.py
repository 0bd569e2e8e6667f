"""What is said: Whisper on the speech that the segmentation found."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import Turn, Word
from onprem.core.windows import Window, pack_regions, widen
from onprem.engine.libraries import WhisperModel
from onprem.engine.pcm import SAMPLE_RATE, slice_as_float
from onprem.errors import ModelFolderUnrecognised

LONGEST_WINDOW = 30.0
MARGIN = 0.2  # seconds of silence kept around speech: words begin before they are loud
LANGUAGE_WINDOWS = 3

# faster-whisper's own guards (compression ratio 2.4, log probability -1, no speech 0.6) stay on.
GUARDS = {
    "vad_filter": False,  # the segmentation has found the speech
    "condition_on_previous_text": False,  # one invented sentence would breed the next
    "hallucination_silence_threshold": 2.0,
}


class Transcription(NamedTuple):
    """`language` is an ISO 639-1 code."""

    words: list[Word]
    language: str
    warnings: list[str]


class Transcriber:
    """One Whisper model in CTranslate2 form, from a local folder.

    Raises ModelFolderUnrecognised where CTranslate2 cannot load it.
    """

    def __init__(self, folder: Path, device: torch.device, threads: int) -> None:
        try:
            self._model = WhisperModel(
                str(folder),
                device=device.type,
                device_index=device.index or 0,
                compute_type="int8" if device.type == "cpu" else "float16",
                cpu_threads=threads,
                local_files_only=True,
            )
        except (OSError, RuntimeError, ValueError) as error:
            why = f"CTranslate2 cannot load it ({type(error).__name__})"
            raise ModelFolderUnrecognised(folder=folder, why=why) from error

    def transcribe(
        self,
        pcm: memoryview,
        turns: Sequence[Turn],
        language: str | None,
        progress: Callable[[float], None],
        cancel: CancelToken,
    ) -> Transcription:
        """The words of mono int16 samples at 16 kHz, in order, none beyond the recording's end.

        Args:
            turns: where there is speech; the rest is never looked at.
            language: ISO 639-1, or None to detect it once for the whole recording.

        Raises:
            Canceled: after the segment in work.
        """
        duration = len(pcm) / SAMPLE_RATE
        regions = ((turn.start, turn.end) for turn in turns)
        windows = widen(
            pack_regions(regions, longest=LONGEST_WINDOW - 2 * MARGIN),
            by=MARGIN,
            duration=duration,
        )
        spoken, notes = self._language(pcm, windows, language, cancel)
        words: list[Word] = []
        for index, window in enumerate(windows):
            progress(index / len(windows))
            words.extend(self._words(pcm, window, spoken, cancel))
        progress(1.0)
        return Transcription(in_order(words, duration), spoken, notes)

    def _language(
        self, pcm: memoryview, windows: list[Window], asked: str | None, cancel: CancelToken
    ) -> tuple[str, list[str]]:
        supported = self._model.supported_languages
        if supported == ["en"]:
            note = "The model knows English only, so the recording was taken for English."
            return "en", [note] if asked not in (None, "en") else []
        if asked in supported:
            return str(asked), []
        probabilities: Counter[str] = Counter()
        for window in windows[:LANGUAGE_WINDOWS]:
            cancel.check()
            _, _, ranked = self._model.detect_language(slice_as_float(pcm, *window))
            probabilities.update(dict(ranked))
        detected = probabilities.most_common(1)[0][0]
        note = f"The model does not know the language asked for; {detected} was detected."
        return detected, [note] if asked else []

    def _words(
        self, pcm: memoryview, window: Window, language: str, cancel: CancelToken
    ) -> Iterator[Word]:
        cancel.check()
        segments, _ = self._model.transcribe(
            slice_as_float(pcm, *window), language=language, word_timestamps=True, **GUARDS
        )
        for segment in segments:
            cancel.check()
            for word in segment.words or []:
                yield _placed(word, window)


def in_order(words: Sequence[Word], duration: float) -> list[Word]:
    """Words with times that never run backwards, within 0..`duration` seconds."""
    ordered: list[Word] = []
    earliest = 0.0
    for word in words:
        start = min(max(word.start, earliest), duration)
        end = min(max(word.end, start), duration)
        ordered.append(Word(round(start, 3), round(end, 3), word.text))
        earliest = end
    return ordered


def _placed(word: Any, window: Window) -> Word:
    """Whisper times words from its window's start, at times beyond its end."""
    start = min(window.start + word.start, window.end)
    end = min(window.start + word.end, window.end)
    return Word(float(start), float(end), word.word)
