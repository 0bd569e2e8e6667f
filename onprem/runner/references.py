"""The voices of speakers whom a request names, from the seconds of speech that it brings."""

from contextlib import AsyncExitStack

from onprem.core.identification import KnownVoice
from onprem.core.openai.known_speakers import KnownSpeaker
from onprem.core.speech import Task
from onprem.core.work import TranscribeWork
from onprem.errors import JobFailure, ReferenceUnusable
from onprem.media.decode import Decoded, DecodeLimits, decode
from onprem.media.worker_copy import WorkerCopy
from onprem.runner.ports import Engine
from onprem.runner.turns import RunToken

LEAST_SECONDS, MOST_SECONDS = 2.0, 10.0
_ROUNDING = 0.2
"""Seconds by which a lossy format can differ from what was cut."""
_BYTES_PER_SECOND = 32_000
_LIMITS = DecodeLimits(
    audio_seconds=MOST_SECONDS + _ROUNDING,
    least_seconds=LEAST_SECONDS - _ROUNDING,
    # Four of them are a thousandth of the smallest budget for worker copies: none is reserved.
    pcm_bytes=int((MOST_SECONDS + _ROUNDING) * _BYTES_PER_SECOND),
    worker_memory=int((MOST_SECONDS + _ROUNDING) * _BYTES_PER_SECOND),
    wall_seconds=60.0,
    cpu_seconds=60,
)


class Reference:
    """One decoded reference; `number` counts from 1."""

    def __init__(self, number: int, speaker: KnownSpeaker, decoded: Decoded) -> None:
        self.number = number
        self.speaker = speaker
        self.decoded = decoded


async def decoded_references(held: AsyncExitStack, work: TranscribeWork) -> list[Reference]:
    """What `held` lets go of at its end. Raises ReferenceUnusable."""
    found = []
    for number, speaker in enumerate(work.known, start=1):
        with WorkerCopy.create("reference") as copy:
            copy.write(speaker.recording)
            try:
                decoded = await decode(copy, limits=_LIMITS)
            except JobFailure as failure:
                raise ReferenceUnusable(number=number, code=failure.code) from None
        held.enter_context(decoded.pcm)
        found.append(Reference(number, speaker, decoded))
    return found


def known_voices(
    engine: Engine, work: TranscribeWork, references: list[Reference], token: RunToken
) -> list[KnownVoice]:
    """On an accelerator thread. Raises Canceled, ReferenceUnusable."""
    task = Task(
        num_speakers=1,
        diarization_model=work.diarization_model,
        voices=[work.embedding_model],
    )
    found = []
    for reference in references:
        try:
            with reference.decoded.track(0) as pcm:
                analysis = engine.analyse(task, pcm, lambda *_: None, token)
        except JobFailure as failure:
            raise ReferenceUnusable(number=reference.number, code=failure.code) from None
        voices = analysis.voices.get(work.embedding_model, {})
        if not voices:
            raise ReferenceUnusable(number=reference.number, code="too_little_speech")
        (vector, *_) = voices.values()
        found.append(KnownVoice(reference.speaker.name, work.embedding_model, vector))
    return found
