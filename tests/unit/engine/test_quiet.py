"""Warnings of the libraries: silent while any thread works, as before afterwards."""

import warnings

import pytest

from onprem.engine.quiet import Quiet


def warn_as(module: str) -> None:
    warnings.warn_explicit("for developers", UserWarning, f"{module}.py", 1, module=module)


def test_the_libraries_are_silent_and_others_are_not() -> None:
    with Quiet():
        warn_as("pyannote.audio")
        with pytest.warns(UserWarning):
            warn_as("elsewhere")


def test_who_leaves_first_takes_nothing_from_who_is_still_inside() -> None:
    quiet = Quiet()
    before = list(warnings.filters)
    quiet.__enter__()
    quiet.__enter__()
    quiet.__exit__(None, None, None)
    warn_as("pyannote.audio")
    quiet.__exit__(None, None, None)
    assert warnings.filters == before
    with pytest.warns(UserWarning):
        warn_as("pyannote.audio")
