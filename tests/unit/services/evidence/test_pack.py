"""Packs of a real store: of any interval of its life they verify, and the same state gives the
same bytes."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings as hypothesis_settings, strategies as st

from onprem.config.quantities import Duration
from onprem.config.settings import Retention, Settings, Storage
from onprem.core.access import Access, Means
from onprem.core.act import Act, ActKind
from onprem.core.evidence_interval import Interval
from onprem.core.ledger_verification import verify as verify_ledger
from onprem.core.project import ProjectSettings
from onprem.core.receipt import ArtefactKind, DeletionReason
from onprem.errors import LedgerMoved, StorageFull
from onprem.media.send import SendPolicy
from onprem.services import ledger_export
from onprem.services.checkpoints import Checkpoints
from onprem.services.doctor.finding import Report
from onprem.services.evidence.gauges import StoredGauges, stored_gauges
from onprem.services.evidence.pack import EvidencePacks, Pack
from onprem.services.ledger_retention import LedgerRetention
from onprem.services.signing import Signer
from onprem.services.sweep import Sweep
from onprem.store import access_log, ledger, media, projects
from tests.support.evidence import MEMBERS, members_of, verified
from tests.support.store import NOW, OpenStore, opened_store

SIGNER = Signer(bytes(range(32)))
DAY = 24 * 3600.0
ACTOR = "user:7"


def settings_of(store: OpenStore) -> Settings:
    return Settings(
        storage=Storage(data_dir=store.directory.root),
        retention=Retention(media=Duration.parse("36h"), receipts=Duration.parse("30d")),
    )


def packs(store: OpenStore) -> EvidencePacks:
    async def gauges() -> StoredGauges:
        return await stored_gauges(store.database, store.clock)

    async def examined() -> Report:
        return Report.of([], server_runs=False)

    key_file = Path("/secrets/master.key")
    settings = settings_of(store)
    return EvidencePacks(store.database, SIGNER, store.clock, settings, key_file, gauges, examined)


async def written(pack: Pack) -> bytes:
    raw = b"".join([piece async for page in pack.pages for piece in page])
    assert len(raw) == pack.size
    return raw


async def made(store: OpenStore, since: float, until: float, *, access_log: bool = True) -> bytes:
    interval = Interval(since, until)
    return await written(await packs(store).pack(interval, access_log=access_log, actor=ACTOR))


def part(raw: bytes, name: str) -> Any:
    return json.loads(members_of(raw)[name])


async def act(store: OpenStore) -> None:
    async with store.database.write() as tx:
        await ledger.append_act(tx, store.clock.stamp(), Act(ActKind.SHARED, ACTOR))


async def read(store: OpenStore) -> None:
    access = Access(ACTOR, ArtefactKind.OUTPUT, Means.API, store.project_id, "ab" * 16)
    await access_log.note(store.database, store.clock, access)


async def checkpoint(store: OpenStore) -> None:
    retention = settings_of(store).retention
    await Checkpoints(store.database, SIGNER, store.clock, retention, SendPolicy()).make()


async def live(store: OpenStore, steps: list[str]) -> None:
    for step in steps:
        if step == "act":
            await act(store)
        elif step == "read":
            await read(store)
        elif step == "checkpoint":
            await checkpoint(store)
        elif step == "prune":
            retention = Retention(receipts=Duration.parse("3d"), access_log=Duration.parse("2d"))
            await LedgerRetention(store.database, store.clock, retention).run(store.clock.now())
        store.clock.advance(DAY if step == "day" else 1.0)


STEPS = st.lists(st.sampled_from(["act", "read", "checkpoint", "day", "prune"]), max_size=20)


@hypothesis_settings(deadline=None, max_examples=40)
@given(STEPS, st.integers(0, 5), st.integers(1, 3), st.booleans())
async def test_of_any_interval_of_any_life_it_verifies(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], day: int, page: int, log: bool
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ledger_export, "_PAGE", page)
        async with opened_store(tmp_path_factory.mktemp("store") / "data") as store:
            await live(store, steps)
            now = store.clock.now()
            for until in (now, min(now, NOW + day * DAY + DAY / 2)):
                report = verified(await made(store, NOW + day * DAY, until, access_log=log))
                assert (report.intact, report.problems) == (True, [])


async def test_the_same_state_and_interval_give_the_same_bytes(store: OpenStore) -> None:
    await live(store, ["act", "read", "checkpoint", "day"] * 2)
    first, second = [await made(store, NOW, NOW + 60) for _ in range(2)]
    assert first == second
    assert list(members_of(first)) == list(MEMBERS)


async def test_what_is_about_the_interval_does_not_change_any_more(store: OpenStore) -> None:
    await live(store, ["act", "read", "checkpoint", "day"])
    before = members_of(await made(store, NOW, NOW + 60))
    await live(store, ["act", "read", "checkpoint", "day"])
    after = members_of(await made(store, NOW, NOW + 60))
    interval = {
        each["name"]
        for each in json.loads(after["manifest.json"])["body"]["parts"]
        if each["about"] == "interval"
    }
    assert interval == {"README.txt", "ledger.jsonl", "summary.json", "canary.json"}
    assert all(before[name] == after[name] for name in interval)
    assert before["manifest.json"] != after["manifest.json"]


async def test_entries_of_the_interval_and_no_others(store: OpenStore) -> None:
    await live(store, ["act", "day", "act", "act", "read", "checkpoint", "day", "act", "read"])
    raw = await made(store, NOW + 2, NOW + DAY + 30)
    lines = [json.loads(line) for line in members_of(raw)["ledger.jsonl"].splitlines()]
    entries = [(line["chain"], line["seq"]) for line in lines if line["line"] == "entry"]
    assert entries == [("ledger", 2), ("ledger", 3), ("access_log", 1)]
    assert [line["line"] for line in lines].count("checkpoint") == 1
    assert part(raw, "summary.json")["acts"] == {"shared": 2}
    alone = members_of(raw)["ledger.jsonl"].splitlines(keepends=True)
    assert verify_ledger(alone, SIGNER.public_key, None).intact


async def test_the_access_log_only_where_it_is_asked_for(store: OpenStore) -> None:
    await live(store, ["act", "read", "checkpoint"])
    raw = await made(store, NOW, store.clock.now(), access_log=False)
    assert b'"access_log","seq"' not in raw
    assert part(raw, "summary.json")["accesses"] == {}
    assert part(raw, "manifest.json")["body"]["accessLog"] is False
    report = verified(raw)
    assert report.intact and report.ledger is not None and report.ledger.checkpoints == 1


async def test_deletions_are_counted(store: OpenStore) -> None:
    await store.keep(b"one")
    await store.keep(b"two")
    record = await store.keep(b"three")
    await store.artefacts.delete([record], DeletionReason.REQUESTED, now=NOW)
    store.clock.advance(3600 + 90)
    await Sweep(store.database, store.artefacts, store.clock, settings_of(store)).run()
    raw = await made(store, NOW, store.clock.now())
    assert part(raw, "summary.json")["deletions"] == {
        "output": {
            "count": 3,
            "reasons": {"deadline": 2, "requested": 1},
            "unverified": 0,
            "late": 2,
            "longestDelay": 90.0,
        }
    }
    assert part(raw, "compliance.json")["lastSweepAgeSeconds"] == 0.0


async def test_what_is_overdue_is_told(store: OpenStore) -> None:
    await store.keep(b"one")
    store.clock.advance(3600 + 61)
    gauges = part(await made(store, NOW, store.clock.now()), "compliance.json")
    assert gauges["overdue"] == gauges["kinds"]["output"]["overdue"] == 1


async def test_the_policy_of_each_project(store: OpenStore) -> None:
    async with store.database.write() as tx:
        project = await projects.get(tx, store.project_id)
        assert project is not None
        own = ProjectSettings(media_retention=60, output_retention=0)
        await projects.change(tx, project, own)
        other = await projects.insert(tx, "Doctor Who", now=NOW)
    store.clock.advance(1.0)
    raw = await made(store, NOW, NOW + 1)
    policy = part(raw, "policy.json")
    assert policy["life"] == {"media": 36 * 3600, "output": DAY, "untilDelivered": False}
    assert (policy["mediaCeiling"], policy["outputCeiling"]) == (48 * 3600, DAY)
    lives = {each["id"]: each["life"] for each in policy["projects"]}
    assert lives == {
        store.project_id: {"media": 60, "output": DAY, "untilDelivered": True},
        other.id: policy["life"],
    }
    assert b"Doctor Who" not in raw


async def test_its_entry_comes_first_and_holds_its_digest(store: OpenStore) -> None:
    store.clock.advance(60)
    pack = await packs(store).pack(Interval(NOW, NOW + 60), access_log=True, actor=ACTOR)
    (entry,) = await ledger.newest(store.database, limit=1)
    noted = json.loads(entry.body)
    assert (noted["act"], noted["actor"]) == ("evidence_created", ACTOR)
    raw = await written(pack)
    assert noted["details"] == {
        "from": "2027-01-15T08:00:00+00:00",
        "to": "2027-01-15T08:01:00+00:00",
        "accessLog": True,
        "manifestSha256": sha256(members_of(raw)["manifest.json"]).hexdigest(),
    }


async def test_what_cannot_be_noted_is_not_made(
    store: OpenStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object, **__: object) -> int:
        raise StorageFull()

    store.clock.advance(60)
    monkeypatch.setattr(ledger, "append_act", full)
    with pytest.raises(StorageFull):
        await packs(store).pack(Interval(NOW, NOW + 60), access_log=True, actor=ACTOR)


async def test_entries_that_outlive_their_retention_meanwhile(store: OpenStore) -> None:
    await live(store, ["act", "day", "day", "day", "day"])
    pack = await packs(store).pack(Interval(NOW, NOW + 60), access_log=True, actor=ACTOR)
    await live(store, ["prune"])
    with pytest.raises(LedgerMoved):
        await written(pack)


async def test_it_holds_nothing_that_somebody_chose(store: OpenStore) -> None:
    recording = await store.keep(b"I feel better", ArtefactKind.MEDIA)
    async with store.database.write() as tx:
        other = await projects.insert(tx, "Doctor Who", now=NOW)
        await media.put(tx, other.id, "sessions/jane.wav", recording)
    store.clock.advance(10)
    raw = await made(store, NOW, NOW + 10)
    assert other.id.encode() in raw
    assert not [each for each in (b"Doctor", b"jane", b"better") if each in raw]
