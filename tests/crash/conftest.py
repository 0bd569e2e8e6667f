"""An installation whose server does not outlive the test, even if that fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.crash import CrashSite

MakeSite = Callable[..., CrashSite]
"""Installs in the test's folder, with the options of `CrashSite`."""


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[CrashSite] = []

    def make(**options: object) -> CrashSite:
        sites.append(CrashSite(tmp_path, **options))  # type: ignore[arg-type]
        return sites[-1]

    yield make
    for site in sites:
        site.kill()
