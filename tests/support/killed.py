"""A command that is killed at its N-th step: `python -m tests.support.killed N backup restore …`.

Steps are what Python tells its auditors of files (opening, renaming, removing, making folders,
connecting to SQLite) and every call of SQLite. Prints their number where it comes to its end.
"""

import os
import signal
import sys
from typing import Any

import aiosqlite

from onprem.cli.main import run

STEPS = {
    *("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate"),
    *("shutil.rmtree", "sqlite3.connect", "sqlite3.connect/handle", "fcntl.flock"),
}


def main(last: int, *command: str) -> int:
    taken = 0

    def step() -> None:
        nonlocal taken
        taken += 1
        if taken == last:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(event: str, arguments: tuple[object, ...]) -> None:
        if event in STEPS and not str(arguments[0]).endswith((".py", ".pyc", "__pycache__")):
            step()

    call = aiosqlite.Connection._execute

    async def called(self: aiosqlite.Connection, *arguments: Any, **options: Any) -> Any:
        step()
        return await call(self, *arguments, **options)

    aiosqlite.Connection._execute = called  # type: ignore[method-assign]
    sys.addaudithook(heard)
    code = run(list(command), sys.stderr, sys.stderr)
    sys.stdout.write(f"{taken}\n")
    return code


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), *sys.argv[2:]))
