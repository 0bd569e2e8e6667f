"""Loading: the file, the environment above it, and every fault at once."""

import os
from pathlib import Path

import pytest

from onprem.config.load import find_config, load_settings
from onprem.config.settings import Settings
from onprem.errors import ConfigInvalid


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "onprem.toml"


def load(file: Path, text: str, **environment: str) -> Settings:
    file.write_text(text)
    return load_settings(file, environment)


def faults(file: Path, text: str, **environment: str) -> dict[str, str]:
    with pytest.raises(ConfigInvalid) as caught:
        load(file, text, **environment)
    assert caught.value.facts == {"count": len(caught.value.faults)}
    return {fault.field: fault.message for fault in caught.value.faults}


def test_an_empty_file_means_the_defaults(file: Path) -> None:
    settings = load(file, "")
    assert settings.source == file
    assert settings.retention == Settings().retention
    assert settings.server == Settings().server


def test_the_file_is_read(file: Path) -> None:
    settings = load(
        file,
        """
        [server]
        port = 0
        allowed_hosts = ["speech.corp"]
        [retention]
        media = "12h"
        [limits]
        media_size = "100MiB"
        [models]
        strict = true
        aliases = {"precision-2" = "starter"}
        """,
    )
    assert settings.server.port == 0
    assert settings.server.allowed_hosts == ["speech.corp"]
    assert settings.retention.media == 12 * 3600
    assert settings.limits.media_size == 100 << 20
    assert settings.models.strict
    assert settings.models.aliases == {"precision-2": "starter"}


def test_all_faults_of_file_and_environment_are_told_at_once(file: Path) -> None:
    found = faults(
        file,
        """
        colour = "red"
        [server]
        port = 70000
        prot = 8400
        [retention]
        media = "49h"
        output = 5
        [runner]
        device = "gpu"
        attempts = 0
        [wheels]
        count = 4
        [log]
        level = "loud"
        """,
        ONPREM_SERVER__HOST="[]",
        ONPREM_PORT="8400",
        ONPREM_LIMITS__NOTHING="1",
    )
    assert found == {
        "ONPREM_PORT": "Expected ONPREM_<SECTION>__<KEY>",
        "server.host": "Expected `str`, got `array`",
        "server.port": "Expected `int` <= 65535",
        "server.prot": "There is no such option",
        "retention.output": "Expected a duration such as 90s, 15m, 48h or 30d",
        "runner.device": found["runner.device"],
        "runner.attempts": "Expected `int` >= 1",
        "limits.nothing": "There is no such option",
        "log.level": "Invalid enum value 'loud'",
        "colour": "There is no such section",
        "wheels": "There is no such section",
        "retention.media": "May be shorter than 48h, never longer",
    }
    assert "regex" in found["runner.device"]


@pytest.mark.parametrize(("option", "ceiling"), [("media", "48h"), ("output", "24h")])
def test_a_deadline_may_be_shorter_and_never_longer(file: Path, option: str, ceiling: str) -> None:
    assert str(getattr(load(file, f'[retention]\n{option} = "{ceiling}"').retention, option))
    longer = f"{int(ceiling[:-1]) * 3600 + 1}s"
    message = f"May be shorter than {ceiling}, never longer"
    assert faults(file, f'[retention]\n{option} = "{longer}"') == {f"retention.{option}": message}
    variable = f"ONPREM_RETENTION__{option.upper()}"
    assert faults(file, "", **{variable: longer}) == {f"retention.{option}": message}


@pytest.mark.parametrize("zero", ["0", '"0"', '"0s"', '"0.0h"'])
@pytest.mark.parametrize("option", ["media", "metadata", "receipts", "access_log", "canary"])
def test_nothing_is_gone_before_it_can_be_read(file: Path, option: str, zero: str) -> None:
    expected = {f"retention.{option}": "Must be longer than 0"}
    assert faults(file, f"[retention]\n{option} = {zero}") == expected
    variable = f"ONPREM_RETENTION__{option.upper()}"
    assert faults(file, "", **{variable: zero.strip('"')}) == expected


def test_zero_needs_neither_a_unit_nor_quotes(file: Path) -> None:
    limits = load(file, "[limits]\nqueue_ttl = 0\nmedia_size = 0").limits
    assert (limits.queue_ttl, limits.media_size) == (0, 0)
    assert load(file, "", ONPREM_LIMITS__QUEUE_TTL="0").limits.queue_ttl == 0


@pytest.mark.parametrize("odd", ["5", "true", "1.5", "-1"])
def test_any_other_number_needs_a_unit(file: Path, odd: str) -> None:
    assert set(faults(file, f"[limits]\nqueue_ttl = {odd}")) == {"limits.queue_ttl"}


def test_the_environment_stands_above_the_file(file: Path) -> None:
    settings = load(
        file,
        '[server]\nport = 8401\nhost = "10.0.0.1"',
        ONPREM_SERVER__PORT="9000",
        ONPREM_MODELS__STRICT="true",
        ONPREM_FETCH__ALLOW='["10.0.0.0/8"]',
        ONPREM_RETENTION__OUTPUT="1h",
        ONPREM_NODE__REGION="2026-01-01",
        PATH="/bin",
    )
    assert (settings.server.port, settings.server.host) == (9000, "10.0.0.1")
    assert settings.models.strict
    assert settings.fetch.allow == ["10.0.0.0/8"]
    assert settings.retention.output == 3600
    assert settings.node.region == "2026-01-01"


@pytest.mark.parametrize("line", ['region = ""', 'region = "e u"', 'eu_regions = ["a/b"]'])
def test_a_region_has_a_name_that_a_project_can_ask_for(file: Path, line: str) -> None:
    (field,) = faults(file, f"[node]\n{line}\n")
    assert field.startswith(f"node.{line.split()[0]}")


def test_relative_paths_count_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.chdir(tmp_path)
    (folder / "onprem.toml").write_text(
        '[storage]\ndata_dir = "data"\nkeys_dir = "/keys"\n[models]\ndir = "../models"\n'
    )
    settings = load_settings(Path("etc/onprem.toml"), {})
    assert settings.storage.data_dir == folder / "data"
    assert settings.keys_dir == Path("/keys")
    assert settings.models_dir == folder / ".." / "models"
    assert settings.source == folder / "onprem.toml"


def test_folders_follow_the_data_directory(file: Path) -> None:
    settings = load(file, '[storage]\ndata_dir = "/srv/onprem"')
    assert settings.keys_dir == Path("/srv/onprem/keys")
    assert settings.models_dir == Path("/srv/onprem/models")


@pytest.mark.parametrize(
    ("text", "part"), [("[server", "Is not valid TOML"), ("a = 1\na = 2", "Is not valid TOML")]
)
def test_a_broken_file_is_one_fault(file: Path, text: str, part: str) -> None:
    found = faults(file, text)
    assert list(found) == [str(file)]
    assert part in found[str(file)]


def test_a_file_that_is_not_text_is_one_fault(file: Path) -> None:
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(file, {})
    ((field, message),) = caught.value.faults
    assert (field, message[:17]) == (str(file), "Is not valid TOML")


def test_a_named_file_that_is_missing_is_a_fault(file: Path) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        load_settings(file, {})
    assert caught.value.faults == [(str(file), "Cannot be read: No such file or directory")]


def test_a_value_where_a_section_belongs_is_a_fault(file: Path) -> None:
    assert faults(file, "server = 8400", ONPREM_SERVER__PORT="1") == {
        "server": "Expected a section"
    }


def test_where_the_file_is_looked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    given, named = Path("given.toml"), Path("named.toml")
    assert find_config(given, {"ONPREM_CONFIG": str(named)}) == given
    assert find_config(None, {"ONPREM_CONFIG": str(named)}) == named
    Path("onprem.toml").touch()
    assert find_config(None, {}) == Path("onprem.toml")
    assert find_config(None, {"ONPREM_CONFIG": ""}) == Path("onprem.toml")


def test_the_process_s_own_environment_is_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(os.environ, "ONPREM_SERVER__PORT", "9123")
    file.write_text("")
    assert load_settings(file).server.port == 9123
