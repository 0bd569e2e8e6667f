"""Are known speakers named, and strangers left alone?

    python benchmarks/identification.py --data DIR [--models .models] [--conversations N] [--json]

DIR is a folder of speakers: `librispeech_train-clean-100/SPEAKER-*.flac` to fit the calibration,
`librispeech_test-other/SPEAKER/*.flac` to judge it. No speaker is in both.

Fit: cosines of pieces of 2 to 8 s, of one speaker and of two. A score of 50 lies in the middle
between the least cosine of one speaker and the greatest of two; those two score about 82 and 18.
That is what `engine/catalogue.py` holds.

Report: conversations are put together from utterances that nobody was enrolled with, some of known
speakers and some of strangers, in random order, each speaker more than once. They go through the
engine and the matching as a job does, at the default threshold, with voiceprints that were made of
other utterances as a job makes them. A turn is an utterance; its name is the one that the longest
part of it got. Exit status 1: fewer than 95 % of the known turns have the right name, or more than
1 % of the unknown ones have any.
"""

import argparse
import random
import sys
from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import av
import msgspec
import numpy as np
import numpy.typing as npt

from onprem.core.cancel import CancelToken
from onprem.core.enrolment import voice_of_one
from onprem.core.identification import Calibration, KnownVoice, identified
from onprem.core.speech import Analysis, Task, Turn
from onprem.engine.catalogue import calibration_of
from onprem.engine.engine import SpeechEngine
from onprem.engine.pcm import SAMPLE_RATE

MODEL = "campplus-zh-en"
PAUSE_SECONDS = 0.5
ENROLMENT_SECONDS = 20.0
LOG_ODDS_AT_THE_EDGES = 1.5
LEAST_NAMED, MOST_MISNAMED = 95.0, 1.0

Samples = npt.NDArray[np.int16]


class Conversation(NamedTuple):
    """`turns` are the truth, by speaker; `known` have a voiceprint."""

    samples: Samples
    turns: list[Turn]
    known: list[str]


class Counts(msgspec.Struct):
    known: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    named: int = 0

    def row(self) -> dict[str, float]:
        return {
            "knownTurns": self.known,
            "namedRight": round(100 * self.right / max(1, self.known), 2),
            "namedWrong": round(100 * self.wrong / max(1, self.known), 2),
            "unknownTurns": self.unknown,
            "strangersNamed": round(100 * self.named / max(1, self.unknown), 2),
        }


def read(path: Path) -> Samples:
    pieces = []
    resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
    with av.open(str(path)) as file:
        for frame in file.decode(audio=0):
            pieces += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    return np.concatenate(pieces)


def analysed(engine: SpeechEngine, samples: Samples) -> Analysis:
    task = Task(diarization_model="starter", voices=[MODEL])
    return engine.analyse(task, memoryview(samples), lambda *_: None, CancelToken())


def fitted(engine: SpeechEngine, folder: Path, luck: random.Random) -> dict[str, float]:
    """What cosines between pieces are like, and the calibration that follows."""
    voices: dict[str, list[Any]] = defaultdict(list)
    for path in sorted(folder.glob("*.flac")):
        whole = read(path)
        for piece in pieces_of(whole, luck):
            found = analysed(engine, piece).voices[MODEL]
            if len(found) == 1:
                voices[path.stem.split("-")[0]].append(np.array(*found.values()))
    same = [one @ other for own in voices.values() for one, other in combinations(own, 2)]
    different = [
        one @ other
        for first, second in combinations(voices, 2)
        for one in voices[first]
        for other in voices[second]
    ]
    least, most = float(np.min(same)), float(np.max(different))
    return {
        "pieces": sum(map(len, voices.values())),
        "sameMean": round(float(np.mean(same)), 3),
        "sameLeast": round(least, 3),
        "differentMean": round(float(np.mean(different)), 3),
        "differentMost": round(most, 3),
        "midpoint": round((least + most) / 2, 3),
        "slope": round(2 * LOG_ODDS_AT_THE_EDGES / (least - most), 1),
    }


def pieces_of(whole: Samples, luck: random.Random) -> Iterator[Samples]:
    start = 0
    while len(whole) - start >= 2 * SAMPLE_RATE:
        length = round(luck.uniform(2.0, 8.0) * SAMPLE_RATE)
        yield np.ascontiguousarray(whole[start : start + length])
        start += length


def enrolled(engine: SpeechEngine, label: str, utterances: list[Samples]) -> KnownVoice:
    calibration = calibration_of(MODEL)
    assert calibration is not None
    samples = np.concatenate(utterances)[: round(ENROLMENT_SECONDS * SAMPLE_RATE)]
    return KnownVoice(label, MODEL, voice_of_one(analysed(engine, samples), MODEL, calibration))


def conversation(
    utterances: dict[str, list[Samples]], known: int, strangers: int, luck: random.Random
) -> Conversation:
    speakers = luck.sample(sorted(utterances), known + strangers)
    said = [
        (speaker, each)
        for speaker in speakers
        for each in luck.sample(utterances[speaker], min(3, len(utterances[speaker])))
    ]
    luck.shuffle(said)
    samples: list[Samples] = []
    turns: list[Turn] = []
    at = 0.0
    for speaker, each in said:
        turns.append(Turn(speaker, at, at + len(each) / SAMPLE_RATE))
        samples += [each, np.zeros(round(PAUSE_SECONDS * SAMPLE_RATE), dtype=np.int16)]
        at += len(each) / SAMPLE_RATE + PAUSE_SECONDS
    return Conversation(np.concatenate(samples), turns, speakers[:known])


def judge(counts: Counts, truth: Conversation, named: list[Turn]) -> None:
    for turn in truth.turns:
        seconds: dict[str, float] = defaultdict(float)
        for each in named:
            seconds[each.speaker] += max(0.0, min(turn.end, each.end) - max(turn.start, each.start))
        name = max(seconds, key=seconds.__getitem__, default="")
        anybody = not name.startswith("SPEAKER_")
        if turn.speaker in truth.known:
            counts.known += 1
            counts.right += name == turn.speaker
            counts.wrong += anybody and name != turn.speaker
        else:
            counts.unknown += 1
            counts.named += anybody


def measured(engine: SpeechEngine, folder: Path, conversations: int, luck: random.Random) -> Counts:
    everything = {
        each.name: [read(path) for path in sorted(each.glob("*.flac"))]
        for each in sorted(folder.iterdir())
    }
    enrolment = {name: said[:3] for name, said in everything.items()}
    rest = {name: said[3:] for name, said in everything.items()}
    voices = {name: enrolled(engine, name, said) for name, said in enrolment.items()}
    calibration: dict[str, Calibration] = {MODEL: calibration_of(MODEL)}  # type: ignore[dict-item]
    counts = Counts()
    for number in range(conversations):
        truth = conversation(rest, 1 + number % 3, 1 + number % 2, luck)
        found = analysed(engine, truth.samples)
        # Whoever is known and not there has a voiceprint in the request as well.
        absent = sorted(set(everything) - {turn.speaker for turn in truth.turns})
        matches = identified(
            sorted({turn.speaker for turn in found.turns}),
            found.voices,
            [voices[name] for name in [*truth.known, *absent]],
            calibration,
            threshold=0.0,
            exclusive=True,
        )
        names = {match.speaker: match.match or match.speaker for match in matches}
        judge(
            counts, truth, [Turn(names[turn.speaker], turn.start, turn.end) for turn in found.turns]
        )
        print(f"{number + 1}/{conversations} {counts.row()}", file=sys.stderr)
    return counts


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path(".models"))
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    engine = SpeechEngine(arguments.models, "starter", "whisper-tiny.en", "cpu")
    fit = fitted(engine, arguments.data / "librispeech_train-clean-100", random.Random(1))
    counts = measured(
        engine, arguments.data / "librispeech_test-other", arguments.conversations, random.Random(2)
    )
    report = {"fit": fit, "report": counts.row()}
    if arguments.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        for name, rows in report.items():
            print(name)
            for key, value in rows.items():
                print(f"  {key:<16} {value}")
    row = counts.row()
    return int(row["namedRight"] < LEAST_NAMED or row["strangersNamed"] > MOST_MISNAMED)


if __name__ == "__main__":
    sys.exit(main())
