"""Are known speakers named, and strangers left alone?

    python benchmarks/identification.py --data DIR [--models .models] [--conversations N]
        [--seeds N] [--svg FILE] [--json]

DIR is a folder of speakers: `librispeech_train-clean-100/SPEAKER-*.flac` to fit the calibration,
`librispeech_test-other/SPEAKER/*.flac` to judge it. No speaker is in both.

Fit: cosines of pieces of 2 to 8 s, of one speaker and of two. A score of 50 lies in the middle
between the least cosine of one speaker and the greatest of two; those two score about 82 and 18.
That is what `engine/catalogue.py` holds.

Enrolment: every recording of both folders alone, all of one speaker each; and recordings that were
put together of two speakers, one of whom speaks for 8 s and the other for 2 to 8 s.

Report: N conversations for each of the seeds, put together from utterances that nobody was enrolled
with, some of known speakers and some of strangers, in random order, each speaker more than once.
They go through the engine and the matching as a job does, at the default threshold, with
voiceprints that were made of other utterances as a job makes them. A turn is an utterance; its name
is the one that the longest part of it got. `--svg` draws all scores.

Exit status 1: fewer than 95 % of the known turns have the right name, or more than 1 % of the
unknown ones have any.
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
from onprem.core.identification import Calibration, KnownVoice, SpeakerMatch, identified
from onprem.core.speech import Analysis, Task, Turn
from onprem.engine.catalogue import calibration_of
from onprem.engine.engine import SpeechEngine
from onprem.engine.pcm import SAMPLE_RATE
from onprem.errors import SeveralSpeakers, TooLittleSpeech

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
    """Turns, and the scores of labels that are a speaker's own or another's."""

    known: int = 0
    right: int = 0
    wrong: int = 0
    unknown: int = 0
    named: int = 0
    own: list[int] = []
    others: list[int] = []

    def add(self, more: "Counts") -> None:
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(more, name))

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


def enrolment(engine: SpeechEngine, folders: list[Path], luck: random.Random) -> dict[str, int]:
    """How many recordings of one speaker make a voiceprint, and how many of two."""
    utterances: dict[str, list[Samples]] = defaultdict(list)
    for folder in folders:
        for path in sorted(folder.rglob("*.flac")):
            utterances[path.stem.split("-")[0]].append(read(path))
    alone = [said for own in utterances.values() for said in own]
    talkative = {name: max(own, key=len) for name, own in utterances.items()}
    long = sorted(name for name, said in talkative.items() if len(said) >= 8 * SAMPLE_RATE)
    two = []
    for seconds in (2, 4, 8):
        for _ in range(10):
            one, other = (talkative[name] for name in luck.sample(long, 2))
            two.append(np.concatenate([one[: 8 * SAMPLE_RATE], other[: seconds * SAMPLE_RATE]]))
    return {
        "ofOneSpeaker": len(alone),
        "ofOneTaken": sum(is_taken(engine, said) for said in alone),
        "ofTwoSpeakers": len(two),
        "ofTwoTaken": sum(is_taken(engine, said) for said in two),
    }


def is_taken(engine: SpeechEngine, samples: Samples) -> bool:
    try:
        voice_of_one(analysed(engine, samples), MODEL)
    except (SeveralSpeakers, TooLittleSpeech):
        return False
    return True


def enrolled(engine: SpeechEngine, label: str, utterances: list[Samples]) -> KnownVoice:
    samples = np.concatenate(utterances)[: round(ENROLMENT_SECONDS * SAMPLE_RATE)]
    return KnownVoice(label, MODEL, voice_of_one(analysed(engine, samples), MODEL))


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


def note_scores(
    counts: Counts, truth: Conversation, found: list[Turn], matches: list[SpeakerMatch]
) -> None:
    """A speaker of the diarization is whom most of the speech belongs to."""
    for match in matches:
        turns = [turn for turn in found if turn.speaker == match.speaker]
        seconds: dict[str, float] = defaultdict(float)
        for real in truth.turns:
            seconds[real.speaker] += sum(
                max(0.0, min(turn.end, real.end) - max(turn.start, real.start)) for turn in turns
            )
        speaker = max(seconds, key=seconds.__getitem__)
        for label, score in match.confidence.items():
            (counts.own if label == speaker else counts.others).append(score)


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
        note_scores(counts, truth, found.turns, matches)
        names = {match.speaker: match.match or match.speaker for match in matches}
        judge(
            counts, truth, [Turn(names[turn.speaker], turn.start, turn.end) for turn in found.turns]
        )
        print(f"{number + 1}/{conversations} {counts.row()}", file=sys.stderr)
    return counts


def picture(counts: Counts) -> str:
    """The scores as SVG: bars in pairs for each twentieth of the scale, shares of their kind."""
    bars = []
    for scores, colour, shift in ((counts.others, "#9a9a9a", 0), (counts.own, "#2f6fb5", 13)):
        heights, starts = np.histogram(scores, bins=range(0, 101, 5))
        for start, height in zip(starts, 200 * heights / max(1, len(scores)), strict=False):
            bars.append(
                f'<rect x="{40 + start * 6 + shift}" y="{230 - height:.1f}" width="13" '
                f'height="{height:.1f}" fill="{colour}"/>'
            )
    marks = [
        f'<text x="{40 + score * 6}" y="248" text-anchor="middle">{score}</text>'
        for score in range(0, 101, 10)
    ]
    words = [
        '<text x="60" y="20" fill="#6a6a6a">another person</text>',
        '<text x="640" y="20" fill="#2f6fb5" text-anchor="end">the same person</text>',
        '<text x="340" y="268" text-anchor="middle">score; the dashed line is the default '
        "threshold</text>",
        '<path d="M40 230H640" stroke="#6a6a6a"/>',
        '<path d="M340 30V230" stroke="#6a6a6a" stroke-dasharray="4 4"/>',
    ]
    head = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 680 280" font-family="sans-serif" '
        'font-size="13" fill="#6a6a6a">'
    )
    return "\n".join([head, *bars, *marks, *words, "</svg>"]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--models", type=Path, default=Path(".models"))
    parser.add_argument("--conversations", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--svg", type=Path)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    engine = SpeechEngine(given.models, "starter", "whisper-tiny.en", "cpu")
    fit_folder = given.data / "librispeech_train-clean-100"
    folder = given.data / "librispeech_test-other"
    report: dict[str, dict[str, float]] = {
        "fit": fitted(engine, fit_folder, random.Random(1)),
        "enrolment": dict(enrolment(engine, [fit_folder, folder], random.Random(1))),
    }
    total = Counts()
    for seed in range(2, 2 + given.seeds):
        counts = measured(engine, folder, given.conversations, random.Random(seed))
        report[f"seed {seed}"] = counts.row()
        total.add(counts)
    report["report"] = total.row()
    report["scores"] = {
        "own, under 50": sum(score < 50 for score in total.own),
        "own": len(total.own),
        "others, from 50": sum(score >= 50 for score in total.others),
        "others": len(total.others),
    }
    if given.svg is not None:
        given.svg.write_text(picture(total))
    if given.json:
        print(msgspec.json.format(msgspec.json.encode(report)).decode())
    else:
        for name, rows in report.items():
            print(name)
            for key, value in rows.items():
                print(f"  {key:<16} {value}")
    row = total.row()
    return int(row["namedRight"] < LEAST_NAMED or row["strangersNamed"] > MOST_MISNAMED)


if __name__ == "__main__":
    sys.exit(main())
