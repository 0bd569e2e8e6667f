"""The filter's program, run by an interpreter of our own: also for machines that no test has."""

import pytest

from onprem.media.seccomp import Instruction, program

ALLOW, EPERM, ENOSYS = 0x7FFF0000, 0x00050001, 0x00050026
ARCH = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
PID = 4711


def run(code: list[Instruction], arch: int, number: int, *arguments: int) -> int:
    """What the kernel would do with this call."""
    data = {0: number, 4: arch} | {16 + 8 * index: value for index, value in enumerate(arguments)}
    position = accumulator = 0
    while True:
        operation, yes, no, constant = code[position]
        position += 1
        match operation:
            case 0x20:
                accumulator = data.get(constant, 0)
            case 0x15:
                position += yes if accumulator == constant else no
            case 0x45:
                position += yes if accumulator & constant else no
            case 0x06:
                return constant
            case _:
                raise AssertionError(f"unknown operation {operation:#x}")


CALLS = [
    # call, x86_64, aarch64, arguments, what becomes of it
    ("read", 0, 63, (), ALLOW),
    ("write", 1, 64, (), ALLOW),
    ("pread64", 17, 67, (), ALLOW),
    ("munmap", 11, 215, (), ALLOW),
    ("brk", 12, 214, (), ALLOW),
    ("futex", 202, 98, (), ALLOW),
    ("exit_group", 231, 94, (), ALLOW),
    ("mmap", 9, 222, (0, 4096, 3), ALLOW),
    ("mmap exec", 9, 222, (0, 4096, 7), EPERM),
    ("mprotect", 10, 226, (0, 4096, 3), ALLOW),
    ("mprotect exec", 10, 226, (0, 4096, 5), EPERM),
    ("clone thread", 56, 220, (0x3D0F00,), ALLOW),
    ("clone process", 56, 220, (17,), EPERM),
    ("clone3", 435, 435, (), ENOSYS),
    ("tgkill self", 234, 131, (PID,), ALLOW),
    ("tgkill other", 234, 131, (PID + 1,), EPERM),
    ("openat", 257, 56, (), EPERM),
    ("openat2", 437, 437, (), EPERM),
    ("socket", 41, 198, (), EPERM),
    ("connect", 42, 203, (), EPERM),
    ("bind", 49, 200, (), EPERM),
    ("sendto", 44, 206, (), EPERM),
    ("execve", 59, 221, (), EPERM),
    ("execveat", 322, 281, (), EPERM),
    ("kill", 62, 129, (PID,), EPERM),
    ("ptrace", 101, 117, (), EPERM),
    ("process_vm_readv", 310, 270, (), EPERM),
    ("process_vm_writev", 311, 271, (), EPERM),
    ("mount", 165, 40, (), EPERM),
    ("unlinkat", 263, 35, (), EPERM),
    ("renameat2", 316, 276, (), EPERM),
    ("memfd_create", 319, 279, (), EPERM),
    ("io_uring_setup", 425, 425, (), EPERM),
    ("bpf", 321, 280, (), EPERM),
    ("prctl", 157, 167, (), EPERM),
    ("ioctl", 16, 29, (), EPERM),
    ("fcntl", 72, 25, (), EPERM),
    ("not invented yet", 9999, 9999, (), EPERM),
]


@pytest.mark.parametrize("machine", ARCH)
def test_each_call_is_answered_as_intended(machine: str) -> None:
    code = program(machine, PID)
    column = list(ARCH).index(machine)
    for name, *numbers, arguments, wanted in CALLS:
        assert run(code, ARCH[machine], numbers[column], *arguments) == wanted, name


@pytest.mark.parametrize("machine", ARCH)
def test_another_architectures_numbers_are_denied(machine: str) -> None:
    code = program(machine, PID)
    assert run(code, 0x40000003, 0) == EPERM  # i386: 0 is restart_syscall there
    assert run(code, ARCH[machine], 0x40000000) == EPERM  # x32 read


@pytest.mark.parametrize("machine", ARCH)
def test_the_program_fits_the_kernels_limits(machine: str) -> None:
    code = program(machine, PID)
    assert len(code) < 4096
    for operation, yes, no, constant in code:
        assert max(yes, no) < 256
        assert 0 <= constant < 1 << 32
        assert operation in (0x20, 0x15, 0x45, 0x06)
