"""Two lanes: recordings known to be long have a place of their own, and keep nobody from work."""

import enum

from onprem.store.jobs import Job
from onprem.store.queue import Places


class Lane(enum.Enum):
    SHORT = "short"
    """Also for recordings whose length is not known yet."""
    LONG = "long"


class Lanes:
    """Which runs are in work, and what there is room for."""

    def __init__(self, *, short_recording: float, jobs_in_work: int) -> None:
        """`short_recording`: seconds of the longest one in the short lane, which has
        `jobs_in_work` places; the long one has a single place."""
        self._short_recording = short_recording
        self._jobs_in_work = jobs_in_work
        self._lanes: dict[str, Lane] = {}

    def places(self) -> Places:
        in_work = list(self._lanes.values())
        return Places(
            short=self._short_recording,
            for_long=Lane.LONG not in in_work,
            for_others=in_work.count(Lane.SHORT) < self._jobs_in_work,
        )

    def begin(self, job: Job) -> None:
        """A job was claimed for one of the `places`."""
        self._lanes[job.id] = self._lane(job.duration or 0.0)

    def settle(self, job_id: str, audio: float) -> Lane | None:
        """The lane of a recording, now that its length is known, in seconds.

        None: it is long and that place is taken. A job that was claimed for no place, because
        somebody waits on the line for it, takes none either: it waits for its lane's turn.
        """
        lane = self._lane(audio)
        if job_id not in self._lanes:
            return lane
        taken = any(other != job_id and each is lane for other, each in self._lanes.items())
        if lane is Lane.LONG and taken:
            return None
        self._lanes[job_id] = lane
        return lane

    def end(self, job_id: str) -> None:
        self._lanes.pop(job_id, None)

    def _lane(self, audio: float) -> Lane:
        return Lane.LONG if audio > self._short_recording else Lane.SHORT
