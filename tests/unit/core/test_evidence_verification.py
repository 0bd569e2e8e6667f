"""Whatever is done to a pack is found by who has the public key; what was signed is intact."""

import json
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from onprem.core.canary import Trial, Verdict
from onprem.core.evidence_verification import verify
from onprem.core.ledger import ChainName, EntryKind
from onprem.services.signing import Signer
from tests.support.chains import NOW, Chains, anchor_file
from tests.support.evidence import archive, made_at, members_of, pack, told, verified

RECEIPT = {
    "kind": "media",
    "reason": "deadline",
    "verified": True,
    "dueAt": NOW,
    "deletedAt": NOW + 20.0,
}


def chains() -> Chains:
    found = Chains()
    found.append(body=RECEIPT)
    found.append(body=RECEIPT | {"deletedAt": NOW + 90.5})
    found.append(body=RECEIPT | {"kind": "output", "reason": "requested", "verified": False})
    found.append(kind=EntryKind.ACT, body={"act": "purged", "actor": "user:0"})
    found.append(kind=EntryKind.CANARY, body=Trial(Verdict.GONE, ["a"], NOW, NOW, NOW))
    found.append(kind=EntryKind.CANARY, body=Trial(Verdict.LEFT, ["b"], NOW, NOW, NOW))
    found.append(ChainName.ACCESS_LOG, "read", {"who": "key:1"})
    found.append(ChainName.ACCESS_LOG, "read", {"who": "key:1", "result": "expired"})
    found.checkpoint()
    return found


PACK = pack(chains())


def test_what_was_signed_is_intact() -> None:
    report = verified(PACK)
    assert (report.intact, report.problems) == (True, [])
    assert report.parts == ["README.txt", "ledger.jsonl", "summary.json", "canary.json"]
    assert report.ledger is not None and report.ledger.checkpoints == 1
    assert report.canaries == {"gone": 1, "left": 1}


def test_what_is_counted() -> None:
    summary: dict[str, Any] = json.loads(members_of(PACK)["summary.json"])
    assert summary == {
        "entries": {"act": 1, "canary": 2, "deletion": 3},
        "deletions": {
            "media": {
                "count": 2,
                "reasons": {"deadline": 2},
                "unverified": 0,
                "late": 1,
                "longestDelay": 90.5,
            },
            "output": {
                "count": 1,
                "reasons": {"requested": 1},
                "unverified": 1,
                "late": 0,
                "longestDelay": 0.0,
            },
        },
        "acts": {"purged": 1},
        "actors": {"user:0": 1},
        "accesses": {"expired": 1, "read": 1},
    }
    canaries = json.loads(members_of(PACK)["canary.json"])
    assert canaries["verdicts"] == {"gone": 1, "left": 1}
    assert [(each["seq"], each["body"]["artefacts"]) for each in canaries["entries"]] == [
        (5, ["a"]),
        (6, ["b"]),
    ]


@settings(deadline=None, max_examples=300)
@given(st.integers(0, len(PACK) * 8 - 1))
def test_a_flipped_bit(bit: int) -> None:
    changed = bytearray(PACK)
    changed[bit // 8] ^= 1 << bit % 8
    assert not verified(bytes(changed)).intact


@settings(deadline=None, max_examples=100)
@given(st.integers(0, len(PACK) - 1), st.binary(min_size=1, max_size=1024))
def test_what_is_cut_off_or_goes_on(size: int, more: bytes) -> None:
    assert not verified(PACK[:size]).intact
    assert not verified(PACK + more).intact
    assert not verified(PACK[:size] + more + PACK[size:]).intact


@pytest.mark.parametrize("name", ["README.txt", "ledger.jsonl", "summary.json", "canary.json"])
def test_a_part_that_was_removed(name: str) -> None:
    members = members_of(PACK)
    del members[name]
    assert f"{name} is missing" in told(verified(archive(members, made_at(PACK))))


@pytest.mark.parametrize("place", range(1, 6))
def test_a_part_that_was_added(place: int) -> None:
    members = list(members_of(PACK).items())
    members.insert(place, ("more.txt", b"more"))
    found = verified(archive(dict(members), made_at(PACK)))
    assert told(found) == ["more.txt was added, or is not in its place"]
    assert len(found.parts) == 4


def test_a_part_that_was_changed_made_longer_or_moved() -> None:
    members, moment = members_of(PACK), made_at(PACK)
    assert archive(members, moment) == PACK
    changed = members | {"README.txt": b"Read it.\n"}
    assert told(verified(archive(changed, moment))) == [
        "README.txt was changed after it was signed"
    ]
    longer = members | {"README.txt": b"Read me not.\n"}
    assert told(verified(archive(longer, moment))) == ["README.txt has 13 bytes, and 9 were signed"]
    moved = {name: members[name] for name in ("manifest.json", "ledger.jsonl", "README.txt")}
    assert told(verified(archive(moved | members, moment))) == [
        "README.txt is missing",
        "README.txt was added, or is not in its place",
    ]
    assert not verified(archive(members, moment + 1)).intact


def test_another_installation() -> None:
    other = Signer(bytes(32))
    report = verified(PACK, other)
    assert not report.intact and "was signed by the installation" in told(report)[0]
    foreign = members_of(pack(Chains(other)))["manifest.json"]
    members = members_of(PACK) | {"manifest.json": foreign}
    assert not verified(archive(members, made_at(PACK))).intact


@pytest.mark.parametrize("raw", [b"", b"x" * 10_000, bytes(10_240)])
def test_what_is_no_pack(raw: bytes) -> None:
    report = verified(raw)
    assert not report.intact and report.manifest is None


def test_an_installation_that_signs_what_does_not_agree() -> None:
    """It can sign whatever it wants; what contradicts its ledger is found."""
    others = Chains()
    others.append(kind=EntryKind.ACT, body={"act": "purged", "actor": "user:0"})
    parts = members_of(pack(others))
    for name in ("summary.json", "canary.json"):
        found = told(verified(pack(chains(), {name: parts[name] + b" "})))
        assert found == [f"{name} is not that of ledger.jsonl"]
    found = told(verified(pack(chains(), {"ledger.jsonl": parts["ledger.jsonl"]})))
    assert found == ["ledger.jsonl is that of another interval"] + [
        f"{name} is not that of ledger.jsonl" for name in ("summary.json", "canary.json")
    ]
    broken = chains()
    del broken.entries[ChainName.LEDGER][2]
    assert told(verified(pack(broken))) == ["ledger.jsonl: ledger entry 3 is missing"]
    strange = Chains()
    strange.append(body={"kind": "media"})
    assert told(verified(pack(strange))) == ["ledger.jsonl has entries that cannot be counted"]


def test_anchors_show_what_an_installation_changed_before_it_signed() -> None:
    honest = chains()
    anchors = anchor_file(honest.checkpoints, honest.signer.public_key)
    assert verify([pack(honest)], honest.signer.public_key, anchors).intact
    forged = Chains()
    forged.append(body=RECEIPT)
    forged.now = honest.now
    report = verify([pack(forged)], forged.signer.public_key, anchors)
    assert [each for each in told(report) if "anchor line 1" in each]
