"""What the decoder child takes away from itself before it touches a stranger's bytes.

Everything is irrevocable, and inherited by nothing, since nothing can be started any more.
The order matters: seccomp comes last, because it forbids the calls that set up the rest.
"""

import ctypes
import os
import resource
import signal

from onprem.media import seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38


def enter(*, parent_pid: int, cpu_seconds: int, address_space: int, file_bytes: int) -> bool:
    """Confine this process for good.

    Args:
        parent_pid: die at once if that process is not the parent any more.
        cpu_seconds: processor seconds until SIGXCPU.
        address_space: bytes of virtual memory; beyond it allocations fail.
        file_bytes: bytes that any file may grow to, which bounds the PCM in its memfd.

    Returns:
        Whether the kernel took the seccomp filter. Without it no descriptor can be opened either
        (RLIMIT_NOFILE is 0), but calls that need none, such as kill, stay possible.

    Raises:
        OSError: the kernel refused one of the other measures, which every Linux has.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    _prctl(libc, _PR_SET_NO_NEW_PRIVS, 1)
    # Linux means the thread that started us: the server's event loop, which lives as long.
    _prctl(libc, _PR_SET_PDEATHSIG, signal.SIGKILL)
    _prctl(libc, _PR_SET_DUMPABLE, 0)  # neither a core file nor a debugger gets the audio
    if os.getppid() != parent_pid:  # the server died before the death signal was asked for
        os._exit(0)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, cpu_seconds, cpu_seconds + 1)
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_AS, address_space)
    _limit(resource.RLIMIT_NOFILE, 0)  # what is open stays open; nothing else can be
    return seccomp.install(libc)


def _prctl(libc: ctypes.CDLL, option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    if libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _limit(which: int, soft: int, hard: int | None = None) -> None:
    """Lower a limit; one that is already stricter stays."""
    ceiling = resource.getrlimit(which)[1]
    wanted = soft if hard is None else hard
    if ceiling != resource.RLIM_INFINITY:
        soft, wanted = min(soft, ceiling), min(wanted, ceiling)
    resource.setrlimit(which, (soft, wanted))
