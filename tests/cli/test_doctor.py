"""`onprem doctor` on a directory that `init` made: what it says, and how it exits."""

import asyncio
import shutil
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from onprem.clock import SystemSources, system_clock
from onprem.core.receipt import ArtefactKind
from onprem.store import free_slots
from onprem.store.artefacts import ArtefactStore
from onprem.store.blobs import BlobFolder
from onprem.store.data_directory import DataDirectory
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.slots import SlotFile
from tests.cli.conftest import Done, Onprem
from tests.support.model_folders import make_whisper_folder

DATA = Path("onprem-data")
BLOB = b"what was said at length. " * 10_000


@pytest.fixture
def installed(onprem: Onprem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Onprem:
    """An installation without models, for which a doctor's findings are filtered."""
    assert onprem("init").code == 0
    return onprem


def broken(done: Done) -> set[str]:
    """Codes of what is broken, but for the models, which a test does not need."""
    return {
        finding["code"]
        for finding in done.json["findings"]
        if finding["severity"] == "broken" and finding["code"] != "model_unusable"
    }


def codes(done: Done) -> set[str]:
    return {finding["code"] for finding in done.json["findings"]}


def execute(*statements: str) -> None:
    with closing(sqlite3.connect(DATA / "onprem.sqlite3", isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def keep(*contents: bytes, now: float | None = None) -> list[Path]:
    """Media of the first project; returns their blobs."""

    async def kept() -> list[Path]:
        directory = DataDirectory(DATA, DATA / "keys")
        database = Database(directory.database)
        await database.open()
        wrapping = MasterKey.read(Path("secrets/master.key")).derive("record keys")
        slots = SlotFile(directory.slots, wrapping, await free_slots.known(database))
        store = ArtefactStore(
            database, slots, BlobFolder(directory.blobs), region="here", clock=system_clock()
        )
        made = time.time() if now is None else now
        paths = []
        for content in contents:
            async with database.write() as tx:
                (project,) = await tx.fetchall("SELECT id FROM project")
                record = await store.keep(
                    tx,
                    ArtefactKind.MEDIA,
                    content,
                    project_id=project[0],
                    job_id="job",
                    now=made,
                    due_at=made + 3600,
                )
            paths.append(directory.blobs / record.hex())
        slots.close()
        await database.close()
        return paths

    return asyncio.run(kept())


def test_an_installation_without_models_is_broken_and_nothing_else_is(installed: Onprem) -> None:
    done = installed("doctor", "--json")
    assert done.code == 1
    assert (done.json["verdict"], done.json["serverRuns"]) == ("broken", False)
    assert "model_unusable" in codes(done)
    assert broken(done) == set()
    for finding in done.json["findings"]:
        assert set(finding) == {"code", "severity", "what", "remedy"}


def test_what_is_at_risk_fails_only_the_strict(
    installed: Onprem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONPREM_MODELS__DIARIZATION", "mine")
    monkeypatch.setattr("onprem.services.doctor.models._needed", lambda settings: set())
    assert installed("doctor").code == 0
    strict = installed("doctor", "--strict", "--json")
    assert (strict.code, strict.json["verdict"]) == (1, "at_risk")
    assert "no_checkpoint_export" in codes(strict)


def test_people_get_a_list_and_a_last_line(installed: Onprem) -> None:
    lines = installed("doctor").out.splitlines()
    assert lines[0].startswith("BROKEN   model_unusable")
    assert lines[-1].startswith("broken: a promise is violated now (")
    assert all(len(line) <= 96 for line in lines[:-1])


def chmod_data() -> None:
    DATA.chmod(0o755)


def chmod_key() -> None:
    Path("secrets/master.key").chmod(0o644)


def open_secrets() -> None:
    Path("secrets").chmod(0o777)


def other_key() -> None:
    Path("secrets/master.key").write_text("00" * 32)


def no_key() -> None:
    Path("secrets/master.key").unlink()


def no_blob() -> None:
    keep(BLOB)[0].unlink()


def no_slots() -> None:
    (DATA / "keys" / "record.slots").unlink()


def no_database_any_more() -> None:
    with (DATA / "onprem.sqlite3").open("r+b") as file:
        file.write(b"no database")


def stray_file() -> None:
    (DATA / "blobs" / "recording.wav").write_bytes(b"audio")


def overdue() -> None:
    keep(b"audio", now=time.time() - 7200)


def forged_ledger() -> None:
    execute("DROP TRIGGER ledger_entries_never_change", "UPDATE ledger SET body = '{}'")


@pytest.mark.parametrize(
    ("breaks", "found"),
    [
        (chmod_data, "open_to_others"),
        (chmod_key, "master_key_unusable"),
        (open_secrets, "open_to_others"),
        (other_key, "master_key_unusable"),
        (no_key, "master_key_unusable"),
        (no_blob, "store_inconsistent"),
        (no_slots, "store_inconsistent"),
        (no_database_any_more, "store_unreadable"),
        (stray_file, "ciphertext_broken"),
        (overdue, "deadline_missed"),
        (forged_ledger, "receipt_broken"),
    ],
)
def test_what_was_broken_on_purpose_is_found(
    installed: Onprem, breaks: Callable[[], None], found: str
) -> None:
    breaks()
    done = installed("doctor", "--json")
    assert (done.code, broken(done)) == (1, {found})


def test_a_changed_byte_of_a_record_is_found_by_the_deep_look(installed: Onprem) -> None:
    (blob, _) = keep(BLOB, b"short")
    assert broken(installed("doctor", "--deep", "--json")) == set()
    with blob.open("r+b") as file:
        file.seek(1000)
        (byte,) = file.read(1)
        file.seek(1000)
        file.write(bytes([byte ^ 1]))
    assert broken(installed("doctor", "--json")) == set()
    deep = installed("doctor", "--deep", "--json")
    assert broken(deep) == {"record_unreadable"}
    assert blob.name in deep.out


def test_a_model_that_was_cut_changed_or_joined(installed: Onprem, tmp_path: Path) -> None:
    folder = make_whisper_folder(tmp_path)
    assert installed("models", "import", str(folder)).code == 0
    model = DATA / "models" / folder.name

    def faults(*arguments: str) -> list[str]:
        found = installed("doctor", "--json", *arguments).json["findings"]
        return [each["what"] for each in found if model.name in each["what"]]

    assert faults() == faults("--deep") == []
    weights = model / "model.bin"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-1])
    assert "another size" in faults()[0]
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert faults() == []
    assert "does not have the digest" in faults("--deep")[0]
    weights.write_bytes(whole)
    (model / "code.py").write_text("")
    assert "does not list it" in faults()[0]


def test_what_a_kill_leaves_is_at_risk(installed: Onprem) -> None:
    (DATA / "blobs" / ("ab" * 16)).write_bytes(b"ciphertext")
    done = installed("doctor", "--json")
    assert broken(done) == set()
    assert "unclean_stop" in codes(done)


def test_many_of_a_code_are_counted(installed: Onprem) -> None:
    for number in range(13):
        (DATA / f"stray-{number:02}").write_bytes(b"audio")
    found = installed("doctor", "--json").json["findings"]
    told = [finding for finding in found if finding["code"] == "ciphertext_broken"]
    (more,) = [finding for finding in found if finding["code"] == "more_of_it"]
    assert len(told) == 10
    assert more["what"] == "3 more findings of the code ciphertext_broken."


def test_nobody_who_sweeps_is_noticed(installed: Onprem) -> None:
    keep(b"audio")
    now, sources = time.time(), SystemSources()
    mark = (
        "INSERT INTO clock_mark (id, time, boot_id, boottime, swept_at)"
        f" VALUES (1, {now}, '{sources.boot_id}', {sources.boottime()}, {{}})"
    )
    execute(mark.format(now))
    assert "nothing_sweeps" not in codes(installed("doctor", "--json"))
    execute("DELETE FROM clock_mark", mark.format(now - 600))
    assert "nothing_sweeps" in codes(installed("doctor", "--json"))


def test_faults_of_the_configuration_are_findings(
    installed: Onprem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONPREM_FETCH__ALLOW", '["not a rule !"]')
    done = installed("doctor", "--json")
    assert (done.code, broken(done)) == (1, {"config_invalid"})


def test_a_public_address_without_tls(installed: Onprem, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONPREM_SERVER__HOST", "0.0.0.0")
    assert "plain_http" in codes(installed("doctor", "--json"))
    monkeypatch.setenv("ONPREM_SERVER__PUBLIC_URL", "https://speech.example.com")
    assert "plain_http" not in codes(installed("doctor", "--json"))


def test_a_master_key_among_the_data(installed: Onprem, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy("secrets/master.key", DATA / "keys" / "master.key")
    monkeypatch.setenv("ONPREM_STORAGE__MASTER_KEY_FILE", str(DATA / "keys" / "master.key"))
    assert "master_key_with_data" in codes(installed("doctor", "--json"))


def test_without_a_data_directory_there_is_nothing_to_look_at(onprem: Onprem) -> None:
    assert onprem("doctor").code == 4
