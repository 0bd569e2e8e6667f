"""`onprem config`, and what all commands say about a faulty one."""

from pathlib import Path

from onprem.config.render import example
from tests.cli.conftest import Onprem


def test_check_names_every_fault_at_once(onprem: Onprem, tmp_path: Path) -> None:
    (tmp_path / "onprem.toml").write_text(
        '[server]\nport = "x"\ncolour = "red"\n[retention]\noutput = "25h"\n[nonsense]\n'
    )
    done = onprem("config", "check")
    assert done.code == 3
    for name in ("server.port", "server.colour", "retention.output", "nonsense"):
        assert name in done.err
    assert onprem("keys", "list").code == 3


def test_check_reads_the_rules_of_fetch_allow(onprem: Onprem, tmp_path: Path) -> None:
    (tmp_path / "onprem.toml").write_text('[fetch]\nallow = ["10.0.0.0/99", "minio.corp:9000"]\n')
    done = onprem("config", "check")
    assert done.code == 3
    assert "fetch.allow" in done.err


def test_check_reads_where_checkpoints_are_sent(onprem: Onprem, tmp_path: Path) -> None:
    url = 'checkpoint_webhook = "http://siem.corp/in?token=SECRET"'
    (tmp_path / "onprem.toml").write_text(f"[retention]\n{url}\n")
    done = onprem("config", "check")
    assert done.code == 3
    assert "retention.checkpoint_webhook" in done.err and "SECRET" not in done.err
    allow = '[webhooks]\nallow = ["siem.corp:80"]'
    (tmp_path / "onprem.toml").write_text(f"[retention]\n{url}\n{allow}\n")
    assert onprem("config", "check").code == 0
    shown = onprem("config", "show").out
    assert 'checkpoint_webhook = "http://siem.corp/…"' in shown and "SECRET" not in shown


def test_show_prints_what_holds(onprem: Onprem, tmp_path: Path) -> None:
    (tmp_path / "onprem.toml").write_text('[retention]\noutput = "1h"\n')
    shown = onprem("config", "show", "--json").json
    assert shown["retention"]["output"] == "1h"
    assert shown["retention"]["media"] == "48h"
    assert 'output = "1h"' in onprem("config", "show").out


def test_example_is_the_example(onprem: Onprem) -> None:
    assert onprem("config", "example").out == example()


def test_a_missing_data_directory_says_what_to_do(onprem: Onprem) -> None:
    done = onprem("keys", "list", "--config", "/dev/null")
    assert done.code == 4
    assert "onprem init" in done.err


def test_an_unknown_command_is_a_usage_error(onprem: Onprem) -> None:
    assert onprem("nonsense").code == 2
    assert onprem("--help").code == 0
