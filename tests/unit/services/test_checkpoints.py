"""Checkpoints: signed once an hour at most, brought out of the host, lost never."""

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from onprem.config.settings import Retention
from onprem.core.anchors import read_anchors
from onprem.core.checkpoint import Checkpoint
from onprem.core.signed import SignedDocument, open_signed
from onprem.errors import StorageFull
from onprem.media.addresses import AllowRule
from onprem.media.send import SendPolicy
from onprem.services.checkpoints import CHECKPOINT_SECONDS, Checkpoints
from onprem.services.signing import Signer
from onprem.store import checkpoints
from onprem.store.chain import ACCESS_LOG, LEDGER
from tests.support.clock import FakeClock
from tests.support.receiver import Receiver, receiving
from tests.support.store import OpenStore

SIGNER = Signer(bytes(range(32)))


def made(store: OpenStore, clock: FakeClock, **options: object) -> Checkpoints:
    policy = options.pop("policy", SendPolicy())
    assert isinstance(policy, SendPolicy)
    return Checkpoints(
        store.database,
        SIGNER,
        clock,
        Retention(**options),  # type: ignore[arg-type]
        policy,
    )


async def append(store: OpenStore, chain: object = LEDGER) -> None:
    async with store.database.write() as tx:
        await chain.append(tx, store.clock.stamp(), "act", {})  # type: ignore[attr-defined]


async def stored(store: OpenStore) -> list[Checkpoint]:
    found = await checkpoints.between(store.database, 1, 1000, limit=1000)
    return [open_signed(each.signed, Checkpoint, SIGNER.public_key) for each in found]


def anchored(path: Path) -> list[int]:
    file = read_anchors(path.read_bytes().splitlines(), SIGNER.public_key)
    assert not file.faults and not file.unreadable
    return [anchor.checkpoint.number for anchor in file.anchors]


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def test_nothing_is_signed_before_there_is_an_entry(
    store: OpenStore, clock: FakeClock
) -> None:
    await made(store, clock).run()
    assert await stored(store) == []


async def test_one_says_where_both_chains_stood(store: OpenStore, clock: FakeClock) -> None:
    for chain in (LEDGER, LEDGER, ACCESS_LOG):
        await append(store, chain)
    await made(store, clock).run()
    (checkpoint,) = await stored(store)
    assert checkpoint.ledger == (await LEDGER.tip(store.database)).said
    assert checkpoint.access_log == (await ACCESS_LOG.tip(store.database)).said
    assert (checkpoint.ledger.size, checkpoint.access_log.size) == (2, 1)
    assert (checkpoint.number, checkpoint.at) == (1, clock.now())


@pytest.mark.parametrize("chain", [LEDGER, ACCESS_LOG])
async def test_one_an_hour_and_only_if_something_was_appended(
    store: OpenStore, clock: FakeClock, chain: object
) -> None:
    service = made(store, clock)
    await append(store, chain)
    await service.run()
    clock.advance(CHECKPOINT_SECONDS)
    await service.run()
    assert len(await stored(store)) == 1
    await append(store, chain)
    await service.run()
    await append(store, chain)
    clock.advance(CHECKPOINT_SECONDS - 1)
    await service.run()
    assert [each.number for each in await stored(store)] == [1, 2]
    clock.advance(1)
    await service.run()
    assert [each.number for each in await stored(store)] == [1, 2, 3]


async def test_start_and_stop_sign_whatever_the_hour(
    store: OpenStore, clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "anchors"
    service = made(store, clock, checkpoint_file=path)
    await append(store)
    await service.started()
    await append(store)
    await service.stopped()
    await made(store, clock, checkpoint_file=path).started()
    assert len(await stored(store)) == 2
    assert anchored(path) == [1, 2]


async def test_they_are_appended_to_the_file_once(
    store: OpenStore, clock: FakeClock, tmp_path: Path
) -> None:
    path = tmp_path / "anchors"
    for _ in range(3):
        await append(store)
        service = made(store, clock, checkpoint_file=path)
        await service.make()
        await service.export()
        await service.export()
    assert anchored(path) == [1, 2, 3]


async def test_what_cannot_be_written_is_told_and_tried_again_after_a_restart(
    store: OpenStore, clock: FakeClock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "share" / "anchors"
    for _ in range(2):
        await append(store)
        service = made(store, clock, checkpoint_file=path)
        await service.make()
        await service.export()
    (first, second) = [each for each in caplog.records if each.levelno == logging.ERROR]
    assert first.getMessage() == second.getMessage()
    assert "retention.checkpoint_file cannot be written (No such file" in first.getMessage()
    path.parent.mkdir()
    await made(store, clock, checkpoint_file=path).run()
    assert anchored(path) == [1, 2]


async def test_a_webhook_gets_the_signed_document(
    store: OpenStore, clock: FakeClock, receiver: Receiver
) -> None:
    policy = SendPolicy(allow=(AllowRule.parse(receiver.rule),))
    service = made(store, clock, checkpoint_webhook=receiver.url("/in?token=1"), policy=policy)
    await append(store)
    await service.run()
    await service.run()
    (request,) = receiver.requests
    assert (request.method, request.target) == ("POST", "/in?token=1")
    document = msgspec.json.decode(request.body, type=SignedDocument)
    assert [open_signed(document, Checkpoint, SIGNER.public_key)] == await stored(store)


async def test_a_webhook_that_refuses_gets_all_later_in_their_order(
    store: OpenStore, clock: FakeClock, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    policy = SendPolicy(allow=(AllowRule.parse(receiver.rule),))
    service = made(store, clock, checkpoint_webhook=receiver.url("/in?token=1"), policy=policy)
    receiver.answers = [500, 500]
    for _ in range(2):
        await append(store)
        await service.make()
        await service.export()
    assert "takes no checkpoint" in caplog.text
    assert "token" not in caplog.text
    await service.run()
    numbers = [msgspec.json.decode(request.body)["body"]["number"] for request in receiver.requests]
    assert numbers == [1, 1, 1, 2]


async def test_one_way_out_does_not_wait_for_the_other(
    store: OpenStore, clock: FakeClock, tmp_path: Path, receiver: Receiver
) -> None:
    policy = SendPolicy(allow=(AllowRule.parse(receiver.rule),))
    path = tmp_path / "share" / "anchors"
    service = made(
        store, clock, checkpoint_file=path, checkpoint_webhook=receiver.url(), policy=policy
    )
    await append(store)
    await service.run()
    assert len(receiver.requests) == 1
    path.parent.mkdir()
    await service.run()
    assert anchored(path) == [1] and len(receiver.requests) == 1
    (kept,) = await checkpoints.between(store.database, 1, 1, limit=1)
    assert kept.exported_at == clock.now()


async def test_neither_start_nor_stop_is_kept_by_a_full_disk(
    store: OpenStore,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def full(*_: object) -> None:
        raise StorageFull()

    monkeypatch.setattr(checkpoints, "insert", full)
    await append(store)
    service = made(store, clock)
    await service.started()
    await service.stopped()
    assert len([each for each in caplog.records if each.levelno == logging.ERROR]) == 2
