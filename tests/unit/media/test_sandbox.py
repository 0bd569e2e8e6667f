"""A process that entered the sandbox tries what an exploit would try."""

import errno
import json
import os
import platform
import signal
import subprocess
import sys

import pytest

PROBE = """
import ctypes, json, os, signal, socket, sys, threading
from onprem.media import sandbox

libc = ctypes.CDLL(None, use_errno=True)
parent = os.getppid()

def call(number, *arguments):
    if libc.syscall(ctypes.c_long(number), *map(ctypes.c_long, arguments)) < 0:
        raise OSError(ctypes.get_errno(), "")

def thread():
    done = []
    started = threading.Thread(target=done.append, args=(1,))
    started.start()
    started.join()
    assert done

X86 = {"ptrace": (101, 16, parent), "process_vm_readv": (310, parent, 0, 0, 0, 0, 0),
       "openat2": (437, -100, 0, 0, 0), "io_uring_setup": (425, 1, 0), "bpf": (321, 0, 0, 0),
       "clone3": (435, 0, 0), "mmap_exec": (9, 0, 4096, 7, 0x22, -1, 0), "setns": (308, 0, 0),
       "clone_process": (56, 17, 0, 0, 0, 0), "userfaultfd": (323, 0), "keyctl": (250, 0, 0),
       "prctl": (157, 4, 1), "fcntl": (72, 1, 1, 0), "x32_open": (0x40000002, 0, 0)}
ATTEMPTS = {
    "inet": lambda: socket.socket(socket.AF_INET),
    "unix": lambda: socket.socket(socket.AF_UNIX),
    "read": lambda: os.open("/etc/passwd", os.O_RDONLY),
    "create": lambda: os.open("/tmp/probe", os.O_CREAT | os.O_WRONLY),
    "own_memory": lambda: os.open("/proc/self/mem", os.O_RDWR),
    "fork": os.fork,
    "exec": lambda: os.execv("/bin/true", ["/bin/true"]),
    "memfd": lambda: os.memfd_create("probe"),
    "kill": lambda: os.kill(parent, 0),
    "unlink": lambda: os.unlink("/tmp/probe"),
    "rename": lambda: os.rename("/tmp/probe", "/tmp/probe2"),
    "list": lambda: os.listdir("/"),
    "dup": lambda: os.dup(1),
    "write_past_limit": lambda: os.pwrite(int(sys.argv[1]), b"x", 4096),
    "thread": thread,
}
if os.uname().machine == "x86_64":
    ATTEMPTS |= {name: (lambda numbers=numbers: call(*numbers)) for name, numbers in X86.items()}
confined = sandbox.enter(
    parent_pid=parent, cpu_seconds=5, address_space=1 << 29, file_bytes=4096
)
results = {"confined": confined}
for name, attempt in ATTEMPTS.items():
    try:
        attempt()
        results[name] = None
    except OSError as error:
        results[name] = error.errno
os.write(1, json.dumps(results).encode())
"""


NEEDS = ("inet", "unix", "read", "create", "own_memory", "memfd", "list")
"""What needs a new descriptor."""


def probe(program: str, *, output: int | None = None) -> subprocess.CompletedProcess[bytes]:
    passed = () if output is None else (output,)
    command = [sys.executable, "-I", "-c", program, str(output)]
    return subprocess.run(command, capture_output=True, pass_fds=passed, timeout=30, check=False)


@pytest.fixture(scope="module")
def results() -> dict[str, int | None]:
    output = os.memfd_create("probe")
    done = probe(PROBE, output=output)
    os.close(output)
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, int | None] = json.loads(done.stdout)
    if not found.pop("confined"):
        pytest.skip(f"no seccomp filter on this kernel ({platform.machine()})")
    return found


def test_nothing_can_be_opened_started_or_reached(results: dict[str, int | None]) -> None:
    expected = {"thread": None, "clone3": errno.ENOSYS, "write_past_limit": errno.EFBIG}
    wanted = {name: expected.get(name, errno.EPERM) for name in results}
    assert results == wanted
    assert len(results) > 14


def test_without_seccomp_still_no_descriptor_can_be_had() -> None:
    program = PROBE.replace(
        "libc = ctypes", "sandbox.seccomp.install = lambda libc: False\nlibc = ctypes", 1
    )
    program = program.replace(
        "results = {", f"ATTEMPTS = {{n: ATTEMPTS[n] for n in {NEEDS}}}\nresults = {{", 1
    )
    output = os.memfd_create("probe")
    found = json.loads(probe(program, output=output).stdout)
    os.close(output)
    assert found["confined"] is False
    assert [found[name] for name in NEEDS] == [errno.EMFILE] * len(NEEDS)


ENTER = (
    "import os, sys\nfrom onprem.media import sandbox\n"
    "sandbox.enter(parent_pid={parent}, cpu_seconds=1, address_space=1 << 28, file_bytes=0)\n"
)


def test_abort_is_a_sigabrt() -> None:
    program = ENTER.format(parent="os.getppid()") + "os.abort()"
    assert probe(program).returncode == -signal.SIGABRT


def test_processor_time_is_limited() -> None:
    program = ENTER.format(parent="os.getppid()") + "while True: pass"
    assert probe(program).returncode == -signal.SIGXCPU


def test_memory_is_limited() -> None:
    program = ENTER.format(parent="os.getppid()") + (
        "try:\n    bytearray(1 << 29)\nexcept MemoryError:\n    os.write(1, b'refused')"
    )
    assert probe(program).stdout == b"refused"


def test_a_child_without_its_server_ends_at_once() -> None:
    program = ENTER.format(parent="1 << 30") + "os.write(1, b'lived')"
    assert probe(program).stdout == b""
