"""Where the kernel puts the memory of a process that crashes."""

from pathlib import Path

_HONOURS_LIMITS = "systemd-coredump"
"""It gets the limit on its command line, and stores nothing where that is 0."""


def dump_handler(root: Path = Path("/")) -> str | None:
    """The program that gets core dumps, whatever RLIMIT_CORE is; None: the limit decides.

    The server sets its own limit to 0, and core(5) ignores it for pipes.
    """
    try:
        pattern = (root / "proc/sys/kernel/core_pattern").read_text().strip()
    except OSError:
        return None
    if not pattern.startswith("|"):
        return None
    program = pattern.removeprefix("|").split()[0] if pattern.strip("| ") else "?"
    return None if Path(program).name == _HONOURS_LIMITS else program
