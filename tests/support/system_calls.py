"""Counting a process's calls that change files, and breaking the N-th, as `strace -e inject` does.

The process binds itself to a seccomp filter (seccomp_unotify(2)): each such call of any of its
threads waits until whoever holds the listener lets it go on, lets it fail, or kills the process.
So there is one count over all threads, which strace does not have, and no tracer to slow the rest.
"""

import ctypes
import fcntl
import os
import platform
import select
import signal
import socket
import struct
from collections import Counter

import msgspec

from onprem.media.seccomp import Instruction

# name: (x86_64, aarch64), None where there is no such call
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "pwrite64": (18, 68),
    "write": (1, 64),
    "fsync": (74, 82),
    "fdatasync": (75, 83),
    "ftruncate": (77, 46),
    "fallocate": (285, 47),
    "unlink": (87, None),
    "unlinkat": (263, 35),
    "rename": (82, None),
    "renameat": (264, 38),
    "renameat2": (316, 276),
}
CALLS = frozenset(_CALLS)
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_COLUMN = list(_SECCOMP).index(platform.machine()) if platform.machine() in _SECCOMP else 0
_NAMES = {numbers[_COLUMN]: name for name, numbers in _CALLS.items()}

_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_PERMIT, _ASK = 0x7FFF0000, 0x7FC00000
_SET_NO_NEW_PRIVS, _SET_MODE_FILTER, _FLAG_NEW_LISTENER = 38, 1, 8
_RECEIVE, _SEND, _GO_ON = 0xC0502100, 0xC0182101, 1
_QUESTION, _ANSWER = struct.Struct("QIIiIQ6Q"), struct.Struct("QqiI")

_STDERR = 2

KILL = -1
"""In place of an errno: SIGKILL, and the call is not made."""


def ask_before_calls() -> int:
    """Bind this process, which has one thread yet, and what it starts. Returns the listener.

    Raises OSError: the kernel does not do this.
    """
    numbers = [number for number in _NAMES if number is not None]
    code: list[Instruction] = [(_LOAD, 0, 0, 0)]
    for number in numbers:
        code += [(_EQUAL, 0, 1, number), (_RETURN, 0, 0, _ASK)]
    packed = b"".join(struct.pack("HBBI", *each) for each in [*code, (_RETURN, 0, 0, _PERMIT)])
    memory = ctypes.create_string_buffer(packed, len(packed))
    program = struct.pack("HxxxxxxP", len(packed) // 8, ctypes.addressof(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    listener = libc.syscall(
        ctypes.c_long(_SECCOMP.get(platform.machine(), -1)),
        ctypes.c_long(_SET_MODE_FILTER),
        ctypes.c_long(_FLAG_NEW_LISTENER),
        ctypes.create_string_buffer(program, len(program)),
    )
    if listener < 0:
        raise OSError(ctypes.get_errno(), "no seccomp listener")
    return int(listener)


class Injection(msgspec.Struct, frozen=True):
    """What happens at the N-th of these calls, or from there on: an errno, or `KILL`."""

    number: int
    fault: int
    calls: frozenset[str]
    lasting: bool = False


class CallsWatched:
    """What a process that asks before its calls did until it ended.

    `broken` is the name of the first call that was; None: there were not so many.
    """

    def __init__(self, pid: int, listener: int, injection: Injection | None) -> None:
        self._pid = pid
        self._listener = listener
        self._injection = injection
        self.counts: Counter[str] = Counter()
        self.broken: str | None = None

    def watch(self) -> None:
        """Returns once the process has ended."""
        poll = select.poll()
        poll.register(self._listener, select.POLLIN)
        while True:
            ((_, events),) = poll.poll()
            if events & select.POLLIN:
                self._answer()
            elif events & (select.POLLHUP | select.POLLERR):
                return

    def _answer(self) -> None:
        question = bytearray(_QUESTION.size)
        try:
            fcntl.ioctl(self._listener, _RECEIVE, question)
        except FileNotFoundError:  # it was killed while it asked
            return
        number, _, _, call, _, _, descriptor, *_ = _QUESTION.unpack(question)
        fault = 0
        if (_NAMES[call], descriptor) != ("write", _STDERR):
            fault = self._fault_of(_NAMES[call])
        if fault == KILL:
            os.kill(self._pid, signal.SIGKILL)
            return
        try:
            answer = _ANSWER.pack(number, 0, -fault, 0 if fault else _GO_ON)
            fcntl.ioctl(self._listener, _SEND, answer)
        except FileNotFoundError:
            pass

    def _fault_of(self, call: str) -> int:
        self.counts[call] += 1
        chosen = self._injection
        if chosen is None or call not in chosen.calls:
            return 0
        late = sum(self.counts[each] for each in chosen.calls) - chosen.number
        if late < 0 or (late > 0 and not chosen.lasting):
            return 0
        self.broken = self.broken or call
        return chosen.fault


def send_listener(channel: socket.socket, listener: int) -> None:
    socket.send_fds(channel, [str(os.getpid()).encode()], [listener])
    os.close(listener)


def receive_listener(channel: socket.socket) -> tuple[int, int]:
    """Process id and listener."""
    said, (listener,), _, _ = socket.recv_fds(channel, 20, 1)
    return int(said), listener
