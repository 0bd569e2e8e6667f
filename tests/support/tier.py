"""What only some machines can do: there a test is skipped, in `scripts/test --ci` it fails."""

import os

import pytest


def needed(there: bool, otherwise: str) -> None:
    """`otherwise`: what is missing."""
    if there:
        return
    if "CI_TIER" in os.environ:
        pytest.fail(otherwise)
    pytest.skip(otherwise)
