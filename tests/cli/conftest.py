"""Commands run in this process, as the entry point runs them."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from onprem.cli.main import run


class Done(NamedTuple):
    """What a command left: its exit code, what it printed, what it said to the person."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Onprem = Callable[..., Done]


@pytest.fixture
def onprem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Onprem:
    """Runs `onprem …` in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Done:
        out, err = io.StringIO(), io.StringIO()
        code = run(list(arguments), out, err)
        return Done(code, out.getvalue(), err.getvalue())

    return command
