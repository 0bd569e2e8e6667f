"""Which device the models run on."""

import os

import torch

from onprem.errors import DeviceUnavailable


def resolve_device(asked: str) -> torch.device:
    """The device for `runner.device`: "auto", "cpu" or "cuda:N".

    Raises:
        DeviceUnavailable: a device was asked for by name that torch does not see.
    """
    if asked == "cpu":
        return torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda:0" if asked == "auto" else asked)
        if (device.index or 0) < torch.cuda.device_count():
            _prepare_cuda()
            return device
    if asked == "auto":
        return torch.device("cpu")
    raise DeviceUnavailable(device=asked)


def use_all_cores() -> int:
    """Let torch compute on every core that this process may use; returns their number."""
    cores = len(os.sched_getaffinity(0))
    torch.set_num_threads(cores)
    return cores


def _prepare_cuda() -> None:
    # pyannote switches it off too, with a warning at each recording: results must not depend on it.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
