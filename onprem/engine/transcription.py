"""What is said: Whisper on the speech that the segmentation found."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch

from onprem.core.cancel import CancelToken
from onprem.core.speech import Segment, Task, Turn, Word
from onprem.core.windows import Window, pack_regions, widen
from onprem.engine.hints import hints
from onprem.engine.libraries import WhisperModel
from onprem.engine.pcm import SAMPLE_RATE, slice_as_float
from onprem.errors import ModelFolderUnrecognised

LONGEST_WINDOW = 30.0
MARGIN = 0.2  # seconds of silence kept around speech: words begin before they are loud
LANGUAGE_WINDOWS = 3
_TRANSLATED_TO = "en"

# faster-whisper's own guards (compression ratio 2.4, log probability -1, no speech 0.6) stay on.
GUARDS = {
    "vad_filter": False,  # the segmentation has found the speech
    "condition_on_previous_text": False,  # one invented sentence would breed the next
    "hallucination_silence_threshold": 2.0,
}


class Transcription(NamedTuple):
    """`language` is the ISO 639-1 code of the one spoken, whatever was translated."""

    words: list[Word]
    segments: list[Segment]
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
        task: Task,
        pcm: memoryview,
        turns: Sequence[Turn],
        progress: Callable[[float], None],
        cancel: CancelToken,
        heard: Callable[[list[Word]], None] | None = None,
    ) -> Transcription:
        """The words of mono int16 samples at 16 kHz, in order, none beyond the recording's end.

        Args:
            task: its `language` (detected once for the whole recording where None), `translate`,
                `vocabulary` and `prompt` count here.
            turns: where there is speech; the rest is never looked at.
            heard: given the words of each segment, as they will be in the result.

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
        spoken, notes = self._language(pcm, windows, task.language, cancel)
        told = hints(task.vocabulary, task.prompt, self._model.hf_tokenizer)
        options = {
            "language": spoken,
            "task": "translate" if task.translate and spoken != _TRANSLATED_TO else "transcribe",
            # Told anew wherever the model begins again amid a window. The prompt is not: there,
            # where often nobody speaks any more, it would be written down as if it was said.
            "hotwords": told.vocabulary,
            "initial_prompt": told.prompt,
        }
        result = Transcription([], [], spoken, [*notes, *told.warnings])
        timeline = Timeline(duration)
        for index, window in enumerate(windows):
            progress(index / len(windows))
            for written in self._written(pcm, window, options, cancel):
                words = [_placed(word, window, timeline) for word in written.words]
                result.words.extend(words)
                result.segments.append(_segment(len(result.segments), written, words, window))
                if heard is not None:
                    heard(words)
        progress(1.0)
        return result

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

    def _written(
        self, pcm: memoryview, window: Window, options: dict[str, Any], cancel: CancelToken
    ) -> Iterator[Any]:
        """faster-whisper's segments that have words; the others have no text either."""
        cancel.check()
        segments, _ = self._model.transcribe(
            slice_as_float(pcm, *window), word_timestamps=True, **options, **GUARDS
        )
        for segment in segments:
            cancel.check()
            if segment.words:
                yield segment


class Timeline:
    """Times that never run backwards, within 0..`duration` seconds, whatever it is given."""

    def __init__(self, duration: float) -> None:
        self._duration = duration
        self._earliest = 0.0

    def place(self, start: float, end: float) -> tuple[float, float]:
        start = min(max(start, self._earliest), self._duration)
        end = min(max(end, start), self._duration)
        self._earliest = end
        return round(start, 3), round(end, 3)


def _placed(word: Any, window: Window, timeline: Timeline) -> Word:
    """Whisper times words from its window's start, at times beyond its end."""
    start = min(window.start + float(word.start), window.end)
    end = min(window.start + float(word.end), window.end)
    return Word(*timeline.place(start, end), word.word)


def _segment(number: int, written: Any, words: Sequence[Word], window: Window) -> Segment:
    return Segment(
        id=number,
        seek=round(window.start * 100) + written.seek,
        start=words[0].start,
        end=words[-1].end,
        text=written.text,
        tokens=list(written.tokens),
        temperature=float(written.temperature),
        avg_logprob=float(written.avg_logprob),
        compression_ratio=float(written.compression_ratio),
        no_speech_prob=float(written.no_speech_prob),
    )
