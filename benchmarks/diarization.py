"""How well and how fast do we diarize, beside stock pyannote.audio with the same weights?

    python benchmarks/diarization.py --data DIR [--models .models] [--only NAME ...] [--json]

DIR holds recordings (`*.wav`) with references of the same name (`*.rttm`) and, where only a part
was labelled, that part (`*.uem`). Diarization error rate in percent of the labelled speech, without
collar, overlap scored. RTF is processing time by the recording's duration. Both run in this one
process, on the CPU, one after the other. Exit status 1: ours is more than 0.5 points worse
in total.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import av
import msgspec
import numpy as np
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.util import load_rttm, load_uem
from pyannote.metrics.diarization import DiarizationErrorRate

from onprem.core.cancel import CancelToken
from onprem.core.speech import Task
from onprem.engine.embedding import SpeakerEmbedding
from onprem.engine.engine import SpeechEngine
from onprem.engine.libraries import SpeakerDiarization
from onprem.engine.pcm import SAMPLE_RATE, as_tensor, to_float
from onprem.engine.pipeline import STARTER_PARAMETERS, InertPLDA
from onprem.engine.weights import load_campplus, load_pyannote_model
from onprem.errors import NoSpeech

TOLERATED = 0.5  # points of DER that ours may be worse than stock in total


class Score(msgspec.Struct):
    """Seconds of speech, of each kind of error, of the recording and of processing."""

    speech: float = 0.0
    missed: float = 0.0
    false_alarm: float = 0.0
    confused: float = 0.0
    recording: float = 0.0
    processing: float = 0.0

    def add(self, other: "Score") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def row(self) -> dict[str, float]:
        """Percentages of the speech, and the real-time factor."""
        share = 100 / self.speech if self.speech else 0.0
        wrong = self.missed + self.false_alarm + self.confused
        return {
            "der": round(wrong * share, 2),
            "miss": round(self.missed * share, 2),
            "falseAlarm": round(self.false_alarm * share, 2),
            "confusion": round(self.confused * share, 2),
            "rtf": round(self.processing / self.recording, 3) if self.recording else 0.0,
        }


class Clip(NamedTuple):
    name: str
    pcm: memoryview
    reference: Annotation
    labelled: Timeline


Diarize = Callable[[memoryview], Annotation]


def ours(models: Path) -> Diarize:
    engine = SpeechEngine(models, "starter", "whisper-tiny.en", "cpu")

    def diarize(pcm: memoryview) -> Annotation:
        annotation = Annotation()
        try:
            task = Task(diarization_model="starter")
            analysis = engine.analyse(task, pcm, lambda *_: None, CancelToken())
        except NoSpeech:
            return annotation
        for index, turn in enumerate(analysis.turns):
            annotation[Segment(turn.start, turn.end), index] = turn.speaker
        return annotation

    return diarize


def stock(models: Path) -> Diarize:
    campplus = models / "campplus-zh-en" / "campplus_cn_en_common.pt"
    checkpoint = models / "segmentation-3.0" / "pytorch_model.bin"
    pipeline = SpeakerDiarization(
        segmentation=load_pyannote_model(checkpoint, model_id="segmentation-3.0"),
        embedding=SpeakerEmbedding(load_campplus(campplus, model_id="campplus-zh-en")),
        plda=InertPLDA(),
        clustering="AgglomerativeClustering",
        embedding_exclude_overlap=True,
        segmentation_batch_size=32,
        embedding_batch_size=32,
    )
    pipeline.instantiate(STARTER_PARAMETERS)

    def diarize(pcm: memoryview) -> Annotation:
        waveform = to_float(as_tensor(pcm))
        file: dict[str, Any] = {"waveform": waveform, "sample_rate": SAMPLE_RATE}
        return pipeline(file).speaker_diarization

    return diarize


def clips(folder: Path, only: list[str]) -> Iterator[Clip]:
    for rttm in sorted(folder.rglob("*.rttm")):
        wav = rttm.with_suffix(".wav")
        if not wav.is_file() or (only and rttm.stem not in only):
            continue
        pcm = decode(wav)
        uem = rttm.with_suffix(".uem")
        whole = Timeline([Segment(0, len(pcm) / SAMPLE_RATE)])
        labelled = next(iter(load_uem(uem).values())) if uem.is_file() else whole
        yield Clip(rttm.stem, pcm, next(iter(load_rttm(rttm).values())), labelled)


def decode(path: Path) -> memoryview:
    """Mono int16 samples at 16 kHz."""
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(path)) as container:
        frames = [out for frame in container.decode(audio=0) for out in resampler.resample(frame)]
        frames += resampler.resample(None)
    return memoryview(np.concatenate([frame.to_ndarray()[0] for frame in frames]))


def measure(diarize: Diarize, clip: Clip) -> Score:
    begun = time.perf_counter()
    found = diarize(clip.pcm)
    processing = time.perf_counter() - begun
    details = DiarizationErrorRate()(clip.reference, found, uem=clip.labelled, detailed=True)
    return Score(
        speech=details["total"],
        missed=details["missed detection"],
        false_alarm=details["false alarm"],
        confused=details["confusion"],
        recording=len(clip.pcm) / SAMPLE_RATE,
        processing=processing,
    )


COLUMNS = ("der", "miss", "falseAlarm", "confusion", "rtf")


def line(clip: str, system: str, row: Mapping[str, object]) -> str:
    return f"{clip:20}{system:8}" + "".join(f"{row[name]!s:>12}" for name in COLUMNS)


def main() -> int:
    parser = argparse.ArgumentParser(description="Diarization error and speed, beside stock.")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path(".models"))
    parser.add_argument("--only", nargs="*", default=[], metavar="NAME")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    say = (lambda text: None) if given.json else (lambda text: print(text, flush=True))
    systems = {"ours": ours(given.models), "stock": stock(given.models)}
    totals = {system: Score() for system in systems}
    results: dict[str, dict[str, dict[str, float]]] = {}
    say(line("", "", {name: name for name in COLUMNS}))
    for clip in clips(given.data, given.only):
        results[clip.name] = {}
        for system, diarize in systems.items():
            score = measure(diarize, clip)
            totals[system].add(score)
            results[clip.name][system] = score.row()
            say(line(clip.name, system, score.row()))
    results["total"] = {system: score.row() for system, score in totals.items()}
    for system, row in results["total"].items():
        say(line("total", system, row))
    if given.json:
        print(msgspec.json.encode(results).decode())
    worse = results["total"]["ours"]["der"] - results["total"]["stock"]["der"]
    return int(worse > TOLERATED)


if __name__ == "__main__":
    sys.exit(main())
