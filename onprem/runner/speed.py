"""How fast this server computes, from the jobs that it did lately: what waiting times rest on."""

_MEMORY = 0.9
"""Weight of all that was measured, against the next measurement."""


class Speed:
    """In memory: after a start nothing is known until a job is done."""

    def __init__(self) -> None:
        self._jobs = 0.0
        self._audio = 0.0
        self._compute = 0.0

    def note(self, audio: float, compute: float) -> None:
        """A recording of `audio` seconds took `compute` seconds."""
        self._jobs = _MEMORY * self._jobs + 1
        self._audio = _MEMORY * self._audio + audio
        self._compute = _MEMORY * self._compute + compute

    def needed(self, audio: float | None) -> float | None:
        """Seconds that a recording of `audio` seconds will compute; None: nothing is known yet.

        Without `audio`, as long as the recordings of late.
        """
        if not self._jobs:
            return None
        if audio is None:
            return self._compute / self._jobs
        return audio * self._compute / self._audio
