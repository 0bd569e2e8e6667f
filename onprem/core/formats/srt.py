"""SubRip: the subtitles that everything plays."""

from collections.abc import Sequence

from onprem.core.formats.cues import cues
from onprem.core.transcript import Said


def srt(said: Sequence[Said], *, names: bool = True) -> str:
    """Each cue begins with its speaker's name, unless `names` is false."""
    blocks = []
    for number, cue in enumerate(cues(said, names_in_line=names), 1):
        lead = f"{cue.speaker}: " if names else ""
        text = lead + "\n".join(cue.lines)
        # The format has no escapes, and an arrow would pass for a line of times.
        text = text.replace("-->", "->")
        blocks.append(f"{number}\n{_time(cue.start)} --> {_time(cue.end)}\n{text}\n")
    return "\n".join(blocks)


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02},{ms:03}"
