"""Checkpoints that were kept elsewhere hold against the installation itself."""

import pytest
from hypothesis import given, settings, strategies as st

from onprem.core.anchors import read_anchors
from onprem.core.checkpoint import ChainTip
from onprem.core.ledger import ChainName
from onprem.core.ledger_verification import verify
from onprem.core.signed import SignedDocument
from onprem.services.signing import Signer
from tests.support.chains import Chains, anchor_file, told, verified

LEDGER, ACCESS_LOG = ChainName.LEDGER, ChainName.ACCESS_LOG
UNTIMED = settings(deadline=None)


def made(entries: int, *, checkpoint_each: bool = True) -> Chains:
    chains = Chains()
    for _ in range(entries):
        chains.append()
        chains.append(ACCESS_LOG, "read")
        if checkpoint_each:
            chains.checkpoint()
    return chains


def test_the_tail_behind_the_last_anchor_is_told() -> None:
    chains = made(3)
    chains.append()
    found = verified(chains.export(), chains.checkpoints)
    assert found.intact
    assert found.ledger is not None and found.access_log is not None and found.anchors is not None
    assert (found.ledger.anchored_up_to, found.ledger.last) == (3, 4)
    assert (found.access_log.anchored_up_to, found.access_log.last) == (3, 3)
    assert found.anchors.on_chain == 3


def test_without_anchors_nothing_is_called_anchored() -> None:
    found = verified(made(3).export())
    assert found.ledger is not None and found.ledger.anchored_up_to is None
    assert found.anchors is None


@pytest.mark.parametrize("chain", ChainName)
def test_a_tail_that_was_cut_off_after_an_anchor_is_found(chain: ChainName) -> None:
    chains = made(3)
    anchors = chains.checkpoints
    # With the signing key in hand, and all that it signed taken away:
    del chains.entries[chain][2:]
    chains.checkpoints = []
    assert verified(chains.export()).intact
    title = chain.replace("_", " ")
    assert told(verified(chains.export(), anchors)) == [
        f"anchor line 3 {title} entry 3 was anchored, and the chain ends before it"
    ]


def test_a_chain_that_was_written_anew_after_an_anchor_is_found() -> None:
    honest, forged = made(3), Chains()
    for n in range(5):
        forged.append(body={"n": n + 100})
        forged.append(ACCESS_LOG, "read")
    assert verified(forged.export()).intact
    problems = told(verified(forged.export(), honest.checkpoints))
    for n in (1, 2, 3):
        assert f"anchor line {n} ledger entry {n} is not the one that was anchored" in problems


@UNTIMED
@given(st.integers(0, 4), st.integers(0, 3))
def test_any_change_before_an_anchor_is_found(entry: int, checkpoint_age: int) -> None:
    """Whatever is written anew from `entry` on, an anchor that is no older holds against it."""
    chains = made(5)
    anchors = chains.checkpoints[: 5 - checkpoint_age]
    forged = chains.backup()
    forged.entries[LEDGER] = forged.entries[LEDGER][:entry]
    forged.checkpoints = forged.checkpoints[:entry]
    while forged.tip(LEDGER).size < 6:
        forged.append(body={"forged": True})
    found = verified(forged.export(), anchors)
    assert found.intact == (entry >= 5 - checkpoint_age)


def test_an_export_older_than_the_anchors_verifies() -> None:
    chains = made(2)
    export = chains.export()
    chains.append()
    chains.checkpoint()
    found = verified(export, chains.checkpoints)
    assert found.intact and found.anchors is not None
    assert (found.anchors.on_chain, found.anchors.newer) == (2, 1)


def test_anchors_of_entries_that_are_not_there_any_more_are_counted() -> None:
    chains = made(4)
    anchors = [*chains.checkpoints]
    chains.prune(LEDGER, 3)
    chains.prune(ACCESS_LOG, 3)
    del chains.checkpoints[:2]
    chains.first_checkpoint = 3
    found = verified(chains.export(), anchors)
    assert found.intact and found.anchors is not None, told(found)
    assert (found.anchors.on_chain, found.anchors.before) == (2, 2)


def test_an_anchor_that_was_tampered_with_or_is_of_another_is_a_fault() -> None:
    chains, stranger = made(2), Chains(Signer(bytes(32)))
    stranger.append()
    problems = told(verified(chains.export(), [*chains.checkpoints, stranger.checkpoint()]))
    assert len(problems) == 1
    assert problems[0].startswith("anchor line 3 was signed by the installation ")


def test_a_line_that_a_crash_broke_off_is_only_counted() -> None:
    chains = made(2)
    one, two = (document.encoded() for document in chains.checkpoints)
    file = read_anchors(
        [one + b"\n", two[:50] + b"\n", b"\n", two + b"\n"], chains.signer.public_key
    )
    found = verify(chains.export(), chains.signer.public_key, file)
    assert found.intact and found.anchors is not None
    assert (found.anchors.on_chain, found.anchors.unreadable) == (2, [2])


def restored(lost: int, *, knows: bool = True) -> tuple[Chains, list[SignedDocument]]:
    """A backup after 2 entries, `lost` more that were anchored, then a restore that goes on."""
    chains = made(2)
    backup = chains.backup()
    for _ in range(lost):
        chains.append(body={"lost": True})
        chains.append(ACCESS_LOG, "read", {"lost": True})
        chains.checkpoint()
    anchors = [*chains.checkpoints]
    backup.now = chains.now
    backup.note_restore(chains.tip(LEDGER) if knows else None)
    backup.append()
    return backup, anchors


@pytest.mark.parametrize("lost", [1, 2, 5])
def test_what_a_restore_lost_is_explained_by_its_entry(lost: int) -> None:
    chains, anchors = restored(lost)
    anchors.append(chains.checkpoint())
    found = verified(chains.export(), anchors)
    assert told(found) == []
    assert found.anchors is not None and found.ledger is not None
    assert (found.anchors.on_chain, found.anchors.lost) == (3, lost)
    assert found.restored == [3]
    assert found.ledger.anchored_up_to == 4


def test_a_restore_that_knew_of_nothing_explains_nothing() -> None:
    chains, anchors = restored(2, knows=False)
    assert len(told(verified(chains.export(), anchors))) >= 2


def test_a_restore_explains_no_anchor_that_is_newer_than_what_it_knew() -> None:
    chains, anchors = restored(2)
    later = chains.checkpoint()
    del chains.entries[LEDGER][3:], chains.checkpoints[2:]
    (problem,) = told(verified(chains.export(), [*anchors, later]))
    assert problem == "anchor line 5 ledger entry 4 was anchored, and the chain ends before it"


def test_a_restore_explains_no_change_before_its_backup() -> None:
    chains, anchors = restored(2)
    forged = Chains()
    forged.append(body={"forged": True})
    forged.append()
    for _ in range(2):
        forged.append(ACCESS_LOG, "read")
    last = anchor_file(anchors, chains.signer.public_key).anchors[-1].checkpoint.ledger
    forged.now = chains.now
    forged.note_restore(last)
    problems = told(verified(forged.export(), anchors))
    assert "anchor line 1 ledger entry 1 is not the one that was anchored" in problems


def test_a_restore_of_which_nothing_can_be_read_is_told() -> None:
    chains = made(2)
    chains.append(kind="restored", body={})
    (problem,) = told(verified(chains.export()))
    assert problem == "ledger entry 3 is not one of the kind restored"


def test_a_restore_must_tell_of_the_backup_that_it_follows() -> None:
    chains = made(2)
    chains.append(
        kind="restored",
        body={
            "backupTip": {"seq": 2, "digest": "00" * 32},
            "lastKnown": None,
            "backupCreatedAt": 1.0,
            "by": "user:0",
        },
    )
    (problem,) = told(verified(chains.export()))
    assert problem == "ledger entry 3 tells of another backup than the one that it follows"


def test_a_second_restore_of_the_same_backup_is_explained_too() -> None:
    chains, anchors = restored(3)
    backup = made(2)
    anchors.append(chains.checkpoint())
    backup.now = chains.now
    backup.note_restore(chains.tip(LEDGER))
    anchors.append(backup.checkpoint())
    found = verified(backup.export(), anchors)
    assert told(found) == []
    assert found.anchors is not None and found.anchors.lost == 4


def test_a_restore_that_lost_reads_only_is_explained() -> None:
    chains = made(2)
    backup = chains.backup()
    chains.append(ACCESS_LOG, "read", {"lost": True})
    anchors = [*chains.checkpoints, chains.checkpoint()]
    backup.now = chains.now
    backup.note_restore(ChainTip(2, chains.tip(LEDGER).digest))
    found = verified(backup.export(), anchors)
    assert told(found) == []
    assert found.anchors is not None and found.anchors.lost == 1
