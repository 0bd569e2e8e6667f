"""WebVTT: the subtitles of web pages. Players know who speaks, and can style it."""

from collections.abc import Sequence

from onprem.core.formats.cues import cues
from onprem.core.transcript import Said


def vtt(said: Sequence[Said], *, names: bool = True) -> str:
    """Each cue is the voice of its speaker, `<v Anna>`, unless `names` is false."""
    blocks = ["WEBVTT\n"]
    for cue in cues(said, names_in_line=False):
        text = "\n".join(map(_escaped, cue.lines))
        times = f"{_time(cue.start)} --> {_time(cue.end)}"
        voice = f"<v {_escaped(cue.speaker)}>" if names else ""
        blocks.append(f"{times}\n{voice}{text}\n")
    return "\n".join(blocks)


def _escaped(text: str) -> str:
    """That of `>` also covers `-->`, which must not be in a text."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _time(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"
