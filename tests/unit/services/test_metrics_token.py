"""The token of a monitoring system."""

from pathlib import Path

import pytest

from onprem.config.settings import Server, Settings
from onprem.errors import ConfigInvalid
from onprem.services.metrics_token import SHORTEST, MetricsToken
from onprem.wiring import metrics_token

TOKEN = "t" * SHORTEST


def test_only_the_whole_token_matches(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"  {TOKEN}\n")
    token = MetricsToken.read(tmp_path / "token")
    assert token.matches(TOKEN)
    for other in ("", TOKEN[:-1], TOKEN + "t", TOKEN.upper(), "ü" * SHORTEST):
        assert not token.matches(other)


def test_without_a_file_nothing_matches() -> None:
    assert not MetricsToken.read(None).matches("")
    assert not MetricsToken.read(None).matches("None")


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "cannot be read: No such file"), (b"", "shorter"), (b"\xff" * 20, "is not text")],
)
def test_a_file_without_a_token_is_a_fault_of_the_configuration(
    tmp_path: Path, content: bytes | None, reason: str
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigInvalid) as raised:
        metrics_token(Settings(server=Server(metrics_token_file=path)))
    (fault,) = raised.value.faults
    assert fault.field == "server.metrics_token_file"
    assert reason in fault.message
