"""The end of a project: nothing but an id and receipts is left, and a certificate says so."""

import msgspec
import pytest

from onprem.core.certificate import ErasureCertificate, text
from onprem.core.project import ProjectSettings
from onprem.core.purge import Selection, What
from onprem.core.signed import NotSigned, SignedDocument, open_signed
from onprem.errors import MasterKeyUnusable, NotFound, PurgeFailed, StorageFull, Unauthenticated
from onprem.services.keys import USUAL_SCOPES, Keys
from onprem.services.projects import Projects
from onprem.services.purge import Purge, Purged
from onprem.services.webhook_secrets import WebhookSecrets
from onprem.store import ledger
from onprem.store.secrets import SecretStore
from tests.support.population import JobRecipe, MediaRecipe, Population, populate
from tests.support.purging import ACTOR, SIGNER, purge_of
from tests.support.store import OpenStore, bytes_below

NAME = "other"


@pytest.fixture
def purge(store: OpenStore) -> Purge:
    return purge_of(store)


@pytest.fixture
async def made(store: OpenStore) -> Population:
    jobs = [JobRecipe(1, "edited", webhook=True), JobRecipe(1, "waiting"), JobRecipe(0, "waiting")]
    return await populate(store, [MediaRecipe(1), MediaRecipe(0)], jobs)


async def erased(purge: Purge, name: str = NAME, **options: bool) -> Purged:
    plan = await purge.plan(Selection(What.PROJECT, name))
    return await purge.carry_out(plan, ACTOR, wait=0, **options)


def opened(document: SignedDocument | None) -> ErasureCertificate:
    assert document is not None
    sent = msgspec.json.decode(document.encoded(), type=SignedDocument)
    return open_signed(sent, ErasureCertificate, SIGNER.public_key)


async def count(store: OpenStore, sql: str, project: str) -> int:
    row = await store.database.fetchone(
        f"SELECT count(*) FROM {sql} WHERE project_id = ?", [project]
    )
    assert row is not None
    return int(row[0])


async def test_only_an_id_and_receipts_are_left(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    mine, database = made.projects[1], store.database
    keys, projects = Keys(database, store.clock), Projects(database, store.clock)
    await projects.change(NAME, {"mediaBytes": 12345678}, actor=ACTOR)
    issued = await keys.issue(NAME, "the-name-of-a-key", USUAL_SCOPES, actor=ACTOR)
    await WebhookSecrets(database, SecretStore(database, bytes(32)), store.clock).live(mine)
    async with database.write() as tx:
        await tx.execute(
            "INSERT INTO idempotency VALUES (?, X'01', X'02', 'job', ?)", (mine, store.clock.now())
        )

    (await erased(purge)).check()

    for table in ("artefact", "job", "media", "secret", "idempotency"):
        assert await count(store, table, mine) == 0, table
    assert await count(store, "artefact", made.projects[0]) == 2
    assert await database.fetchall("SELECT id FROM delivery") == []
    row = await database.fetchone("SELECT name, settings FROM project WHERE id = ?", (mine,))
    assert row == (mine, "{}")
    with pytest.raises(Unauthenticated):
        await keys.authenticate(issued.secret)
    assert [each.id for each in await projects.every()] == [made.projects[0]]
    assert [key.id for key in await keys.every()] == []
    with pytest.raises(NotFound):
        await projects.get(mine)
    assert b"the-name-of-a-key" not in bytes_below(store.directory.root)
    assert b"12345678" not in bytes_below(store.directory.blobs)
    assert (await projects.create(NAME, actor=ACTOR)).settings == ProjectSettings()


async def test_the_certificate_says_what_was_deleted(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    done = await erased(purge)
    said = opened(done.certificate)
    assert (said.project_id, said.erased_by) == (made.projects[1], ACTOR)
    counts = {kind.value: total.count for kind, total in said.artefacts.items()}
    assert counts == {"destination": 1, "edits": 1, "media": 1, "output": 1, "request": 2}
    assert said.artefacts["media"].bytes == len(b"what was said")  # type: ignore[index]
    assert (said.records.jobs, said.records.deliveries, said.records.media_names) == (2, 1, 1)
    assert said.receipts.first is not None and said.receipts.last is not None
    assert said.receipts.count == said.verified.read_back == 6
    assert said.receipts.first.digest == done.receipts[0].digest.hex()
    assert said.receipts.last.number == done.receipts[-1].number
    assert said.verified.found_on_disk == 0 and said.verified.log_emptied
    assert done.certificate is not None
    shown = text(said, done.certificate)
    for told in (made.projects[1], ACTOR, said.receipts.last.digest, said.installation):
        assert told in shown


async def test_a_certificate_that_was_changed_is_none(purge: Purge, made: Population) -> None:
    document = (await erased(purge)).certificate
    assert document is not None
    forged = bytes(document.body).replace(b'"count":6', b'"count":7')
    assert forged != bytes(document.body)
    changed = msgspec.structs.replace(document, body=msgspec.Raw(forged))
    with pytest.raises(NotSigned):
        opened(changed)


async def test_it_is_issued_again_for_a_project_that_is_gone(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    first = opened((await erased(purge)).certificate)
    store.clock.advance(3600)
    again = await erased(purge, made.projects[1])
    assert again.receipts == []
    second = opened(again.certificate)
    assert second.issued.at == first.issued.at + 3600
    assert msgspec.structs.replace(second, issued=first.issued) == first


async def test_without_the_master_key_nothing_is_done(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unusable() -> None:
        raise MasterKeyUnusable(path="key", why="test")

    monkeypatch.setattr(purge, "signer", unusable)
    before = await store.database.fetchall("SELECT id FROM artefact")
    with pytest.raises(MasterKeyUnusable):
        await erased(purge)
    assert await store.database.fetchall("SELECT id FROM artefact") == before
    done = await erased(purge, certified=False)
    done.check()
    assert done.certificate is None


async def test_there_is_no_certificate_while_a_key_is_still_on_the_disk(
    store: OpenStore, purge: Purge, made: Population
) -> None:
    receipt = (await erased(purge)).receipts[0].receipt
    store.slots.write(7, bytes.fromhex(receipt.artefact_id), bytes(32))
    again = await erased(purge, made.projects[1])
    assert (again.certificate, again.failures) == (None, ["deletion_unverified"])
    assert store.artefacts.verification.count() == 1


async def test_there_is_no_certificate_while_a_record_of_it_lives(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    await erased(purge)
    monkeypatch.setattr(store, "project_id", made.projects[1])
    plan = await purge.plan(Selection(What.PROJECT, made.projects[1]))
    monkeypatch.setattr(purge, "_delete", lambda *_: store.keep(b"came late"))
    again = await purge.carry_out(plan, ACTOR, wait=0)
    assert (again.certificate, again.failures) == (None, ["deletion_unverified"])


async def test_there_is_no_certificate_while_a_reader_came_to_hold_the_log(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [True] * 20

    async def truncate_log() -> bool:
        return answers.pop()

    monkeypatch.setattr(store.database, "truncate_log", truncate_log)
    await erased(purge)
    used = 20 - len(answers)
    assert used > 0
    answers[:] = [False, True]  # the purge itself empties it, and then somebody reads
    again = await erased(purge, made.projects[1])
    assert (again.certificate, again.failures) == (None, ["purge_incomplete"])
    assert await store.artefacts.verification.unresolved(store.database) == 1


async def test_an_erasure_that_broke_off_goes_on_and_is_certified_as_a_whole(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_receipt", full)
        broken_off = await erased(purge)
    with pytest.raises(PurgeFailed):
        broken_off.check()
    assert broken_off.certificate is None and store.slots.occupants() != {}
    with pytest.raises(NotFound):
        await purge.plan(Selection(What.PROJECT, NAME))  # its name is gone already
    said = opened((await erased(purge, made.projects[1])).certificate)
    assert said.receipts.count == 6 and sum(each.count for each in said.artefacts.values()) == 6


async def test_a_sweep_completes_what_broke_off(
    store: OpenStore, purge: Purge, made: Population, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    with monkeypatch.context() as patch:
        patch.setattr(ledger, "append_receipt", full)
        await erased(purge)
    due = await purge.plan(Selection(What.DUE))
    assert {item.reason for item in due.items} == {"project_erased"}
    (await purge.carry_out(due, ACTOR, wait=0)).check()
    assert await count(store, "job", made.projects[1]) == 0
    assert opened((await erased(purge, made.projects[1])).certificate).receipts.count == 6
