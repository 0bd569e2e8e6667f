"""The data inventory leaves nothing out that the code has, and adds nothing that it has not."""

import re
from importlib import resources
from pathlib import Path

import pytest

from onprem.config.settings import Settings, Storage
from onprem.core.inventory import PLACES, TEXTS, Facts, told
from onprem.core.receipt import ArtefactKind
from onprem.services.evidence.facts import configured, documented
from onprem.store.data_directory import DataDirectory

SETTINGS = Settings(storage=Storage(data_dir=Path("/data"), keys_dir=Path("/keys")))
CONFIGURED = configured(SETTINGS, Path("/secrets/master.key"))


def test_every_kind_of_artefact_has_one_place() -> None:
    assert sorted(kind for place in PLACES for kind in place.kinds) == sorted(ArtefactKind)


def test_every_table_of_the_database_has_one_place() -> None:
    schema = (resources.files("onprem.store") / "schema.sql").read_text()
    tables = re.findall(r"^CREATE TABLE (\w+)", schema, re.MULTILINE)
    assert sorted(name for place in PLACES for name in place.tables) == sorted(tables)


def test_every_file_of_the_data_directory_has_a_place() -> None:
    directory = DataDirectory(SETTINGS.storage.data_dir, SETTINGS.keys_dir)
    files = {*directory.known_files(), directory.blobs, directory.staging}
    named = " ".join(place.where for place in told(CONFIGURED))
    assert not [path for path in files if not re.search(rf"{path}\b", named)]


@pytest.mark.parametrize("facts", [CONFIGURED, documented()], ids=["configured", "documented"])
def test_every_text_is_filled_and_every_fact_used(facts: Facts) -> None:
    texts = " ".join(getattr(place, name) for place in told(facts) for name in TEXTS)
    assert not re.search(r"\{(?!jobId)\w+\}", texts)
    assert not [name for name, value in facts.items() if value not in texts]
    assert not [place for place in PLACES if not all(getattr(place, name) for name in TEXTS)]


def test_what_is_configured_is_told() -> None:
    media = next(place for place in told(CONFIGURED) if ArtefactKind.MEDIA in place.kinds)
    assert media.where == "/data/blobs"
    assert media.until == "48h after the end of the upload, 48 h at most, used or not"
    assert "/keys/record.slots" in {place.where for place in told(CONFIGURED)}
