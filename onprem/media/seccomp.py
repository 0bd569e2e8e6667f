"""A seccomp filter that leaves a process memory, its open descriptors, and nothing else.

A list of what is allowed, not of what is forbidden: a decoder that has loaded its libraries needs
some thirty calls, and a call that next year's kernel invents is denied without anybody's doing.
Denied calls fail with EPERM, so that a library's harmless attempt is no crash.
"""

import ctypes
import os
import platform
import struct
from collections.abc import Iterable

# name: (x86_64, aarch64)
_ALLOWED = {
    "read": (0, 63),
    "write": (1, 64),
    "close": (3, 57),
    "fstat": (5, 80),
    "lseek": (8, 62),
    "munmap": (11, 215),
    "brk": (12, 214),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "sched_yield": (24, 124),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "nanosleep": (35, 101),
    "getpid": (39, 172),
    "exit": (60, 93),
    "gettid": (186, 178),
    "futex": (202, 98),
    "sched_getaffinity": (204, 123),
    "restart_syscall": (219, 128),
    "clock_gettime": (228, 113),
    "clock_nanosleep": (230, 115),
    "exit_group": (231, 94),
    "set_robust_list": (273, 99),
    "getrandom": (318, 278),
    "rseq": (334, 293),
}
_MMAP, _MPROTECT = (9, 222), (10, 226)
_CLONE, _CLONE3, _TGKILL = (56, 220), (435, 435), (234, 131)
_SECCOMP = (317, 277)
_AUDIT_ARCH = (0xC000003E, 0xC00000B7)
_MACHINES = ("x86_64", "aarch64")

_LOAD, _EQUAL, _ANY_BIT, _RETURN = 0x20, 0x15, 0x45, 0x06
_PERMIT, _ERRNO, _EPERM, _ENOSYS = 0x7FFF0000, 0x00050000, 1, 38
_AT_NUMBER, _AT_ARCH, _AT_ARGUMENTS = 0, 4, 16
_PROT_EXEC, _CLONE_THREAD = 0x4, 0x10000
_SET_MODE_FILTER, _FLAG_TSYNC = 1, 1

Instruction = tuple[int, int, int, int]
"""A BPF instruction: operation, jump if true, jump if false, constant."""


def install(libc: ctypes.CDLL) -> bool:
    """Bind all threads of this process to the filter; no_new_privs must be set already.

    Returns:
        Whether the kernel took it: False on another architecture, or without seccomp.
    """
    machine = platform.machine()
    if machine not in _MACHINES:
        return False
    packed = _pack(program(machine, os.getpid()))
    memory = ctypes.create_string_buffer(packed, len(packed))
    fprog = ctypes.create_string_buffer(
        struct.pack("HxxxxxxP", len(packed) // 8, ctypes.addressof(memory))
    )
    answer = libc.syscall(
        ctypes.c_long(_SECCOMP[_MACHINES.index(machine)]),
        ctypes.c_long(_SET_MODE_FILTER),
        ctypes.c_long(_FLAG_TSYNC),
        fprog,
    )
    return int(answer) == 0


def program(machine: str, pid: int) -> list[Instruction]:
    """The filter for an architecture; the process `pid` may signal its own threads."""
    column = _MACHINES.index(machine)
    code: list[Instruction] = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_EQUAL, 1, 0, _AUDIT_ARCH[column]),  # else the numbers below mean something else
        _deny(_EPERM),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for numbers in _ALLOWED.values():
        code += _call(numbers[column], [_allow()])
    for numbers in (_MMAP, _MPROTECT):
        code += _call(numbers[column], _argument_has(2, _PROT_EXEC, _deny(_EPERM), _allow()))
    code += _call(_CLONE[column], _argument_has(0, _CLONE_THREAD, _allow(), _deny(_EPERM)))
    # Its flags lie behind a pointer that a filter cannot read; ENOSYS makes glibc use clone.
    code += _call(_CLONE3[column], [_deny(_ENOSYS)])
    # abort() signals the process itself; that shall be a clean SIGABRT.
    code += _call(_TGKILL[column], _argument_is(0, pid, _allow(), _deny(_EPERM)))
    return [*code, _deny(_EPERM)]


def _call(number: int, then: list[Instruction]) -> list[Instruction]:
    """`then`, which must return on every path, for one system call."""
    return [(_EQUAL, 0, len(then), number), *then]


def _argument_has(index: int, bit: int, yes: Instruction, no: Instruction) -> list[Instruction]:
    return [(_LOAD, 0, 0, _AT_ARGUMENTS + 8 * index), (_ANY_BIT, 0, 1, bit), yes, no]


def _argument_is(index: int, value: int, yes: Instruction, no: Instruction) -> list[Instruction]:
    return [(_LOAD, 0, 0, _AT_ARGUMENTS + 8 * index), (_EQUAL, 0, 1, value), yes, no]


def _allow() -> Instruction:
    return (_RETURN, 0, 0, _PERMIT)


def _deny(errno: int) -> Instruction:
    return (_RETURN, 0, 0, _ERRNO | errno)


def _pack(code: Iterable[Instruction]) -> bytes:
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)
