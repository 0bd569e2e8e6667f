"""How far each running job is. In memory only: it means nothing after a restart."""

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """`stage` is fetch, decode, segmentation, embedding, clustering or transcription."""

    stage: str
    percent: int


class ProgressBoard:
    """Written by the runner, from any thread; read by the API."""

    def __init__(self) -> None:
        self._progress: dict[str, Progress] = {}

    def report(self, job_id: str, stage: str, fraction: float) -> None:
        """`fraction` of the stage, 0..1."""
        percent = round(100 * min(1.0, max(0.0, fraction)))
        self._progress[job_id] = Progress(stage, percent)

    def of(self, job_id: str) -> Progress | None:
        return self._progress.get(job_id)

    def forget(self, job_id: str) -> None:
        self._progress.pop(job_id, None)
