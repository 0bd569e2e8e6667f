"""The option table, written out: the example and the reference say what the code does."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from onprem.config.load import load_settings
from onprem.config.render import digest, example, options, reference, shown, toml_value
from onprem.config.settings import SECTIONS, Auth, Settings
from tests.conftest import ROOT


def uncommented(text: str) -> str:
    """With every option of the example in force; those without a default stay away."""
    names = {option.name for option in options()}
    lines = []
    for line in text.splitlines():
        name, found, value = line.removeprefix("#").partition(" =")
        if line.startswith("#") and found and name in names:
            line = f"{name} ={value}" if value else ""
        lines.append(line)
    return "\n".join(lines)


def test_the_example_parses_and_changes_nothing(tmp_path: Path) -> None:
    assert set(tomllib.loads(example())) == set(SECTIONS)
    assert not any(tomllib.loads(example()).values())
    file = tmp_path / "onprem.toml"
    file.write_text(example())
    found = load_settings(file, {})
    assert msgspec.structs.replace(found, source=None) == Settings()


def test_the_example_uncommented_equals_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "onprem.toml"
    file.write_text(uncommented(example()))
    stated = [
        f"{section}.{name}"
        for section, table in tomllib.loads(file.read_text()).items()
        for name in table
    ]
    assert stated == [
        f"{each.section}.{each.name}" for each in options() if each.default is not None
    ]
    found = load_settings(file, {})
    assert msgspec.structs.replace(found, source=None) == Settings()


def test_the_example_at_the_root_is_fresh() -> None:
    assert (ROOT / "config.example.toml").read_text() == example(), (
        "run: onprem config example > config.example.toml"
    )


def test_the_example_tells_what_each_option_is_for() -> None:
    text = " ".join(line.removeprefix("# ") for line in example().splitlines())
    for option in options():
        assert option.help.endswith(".")
        assert option.help in text


def test_the_reference_lists_each_option_with_its_default() -> None:
    rows = reference().splitlines()
    for option in options():
        default = "" if option.default is None else f"`{toml_value(option.default)}`"
        assert f"| `{option.section}.{option.name}` | {default} | {option.help} |" in rows


def test_the_page_of_the_docs_is_fresh() -> None:
    assert reference() in (ROOT / "docs" / "configuration.md").read_text()


def test_lists_are_shown_as_plain_data() -> None:
    settings = Settings(auth=Auth(trusted_voiceprint_keys=[Path("/etc/onprem/other.key")]))
    assert shown(settings)["auth"]["trusted_voiceprint_keys"] == ["/etc/onprem/other.key"]
    assert digest(settings) != digest(Settings())


def test_shown_values_can_be_read_back(tmp_path: Path) -> None:
    lines = []
    for section, values in shown(Settings()).items():
        lines.append(f"[{section}]")
        lines += [
            f"{name} = {toml_value(each)}" for name, each in values.items() if each is not None
        ]
    file = tmp_path / "onprem.toml"
    file.write_text("\n".join(lines))
    assert msgspec.structs.replace(load_settings(file, {}), source=None) == Settings()


@pytest.mark.parametrize(
    "value",
    ['a"b\\c\nd\u00e9', True, 7, ["a", "b"], {"precision-2": "starter"}, {'quo"te\\d': "x"}, {}],
)
def test_a_toml_value_is_toml(value: object) -> None:
    assert tomllib.loads(f"value = {toml_value(value)}") == {"value": value}
