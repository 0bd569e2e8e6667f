"""An installation whose server does not outlive the test, even if that fails."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.crash import CrashSite

MakeSite = Callable[..., CrashSite]
"""Installs in the test's folder, or in a named one below it, with the options of `CrashSite`."""


@pytest.fixture
def make_site(tmp_path: Path) -> Iterator[MakeSite]:
    sites: list[CrashSite] = []

    def make(name: str = "", **options: object) -> CrashSite:
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        site = CrashSite(folder, **options)  # type: ignore[arg-type]
        sites.append(site)
        return site

    yield make
    for site in sites:
        site.kill()
