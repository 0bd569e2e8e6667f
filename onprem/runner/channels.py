"""Analysing the channels of a recording one by one."""

from onprem.core.cancel import CancelToken
from onprem.core.channels import side_by_side
from onprem.core.speech import Analysis, Task
from onprem.errors import NoSpeech
from onprem.media.decode import Decoded
from onprem.runner.ports import Engine, ProgressCallback


def analyse_channels(
    engine: Engine, task: Task, decoded: Decoded, progress: ProgressCallback, cancel: CancelToken
) -> Analysis:
    """On the accelerator thread: `task` on each track of `decoded`, put side by side.

    A stage's progress is that of all channels together.

    Raises:
        NoSpeech: nobody speaks on any channel.
        Canceled, JobFailure: as `Engine.analyse`.
    """
    found: list[Analysis | None] = []
    for index in range(decoded.tracks):

        def overall(stage: str, fraction: float, before: int = index) -> None:
            progress(stage, (before + fraction) / decoded.tracks)

        with decoded.track(index) as pcm:
            try:
                found.append(engine.analyse(task, pcm, overall, cancel))
            except NoSpeech:
                found.append(None)
    if not any(found):
        raise NoSpeech()
    return side_by_side(found)
