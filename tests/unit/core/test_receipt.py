"""The chain of digests: whatever is done to one entry shows in all that follow."""

from typing import NamedTuple

import pytest
from hypothesis import assume, given, strategies as st

from onprem.core.receipt import (
    GENESIS,
    ArtefactKind,
    DeletionMethod,
    DeletionReason,
    Receipt,
    canonical,
    chain_digest,
)


class Entry(NamedTuple):
    at: float
    kind: str
    body: bytes


RECEIPT = Receipt(
    artefact_id="00ff",
    kind=ArtefactKind.OUTPUT,
    created_at=1.0,
    due_at=2.0,
    deleted_at=3.0,
    reason=DeletionReason.DEADLINE,
    method=DeletionMethod.KEY_OVERWRITTEN,
    verified=True,
    region="here",
    project_id="prj_1",
)
ENTRIES = st.lists(
    st.builds(
        Entry,
        st.floats(0, 4e9),
        st.sampled_from(["deletion", "key"]),
        st.dictionaries(st.text("ab", max_size=2), st.integers()).map(canonical),
    ),
    min_size=2,
    max_size=8,
)


def tip(entries: list[Entry]) -> bytes:
    digest = GENESIS
    for seq, entry in enumerate(entries, start=1):
        digest = chain_digest(digest, seq, *entry)
    return digest


@given(ENTRIES, st.data())
def test_one_flipped_bit_breaks_the_chain(entries: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    body = bytearray(entries[at].body)
    body[data.draw(st.integers(0, len(body) - 1))] ^= 1
    forged = [*entries]
    forged[at] = entries[at]._replace(body=bytes(body))
    assert tip(forged) != tip(entries)


@given(ENTRIES, st.data())
def test_a_removed_entry_breaks_the_chain(entries: list[Entry], data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(entries) - 1))
    assert tip(entries[:at] + entries[at + 1 :]) != tip(entries)


@given(ENTRIES, st.data())
def test_swapped_entries_break_the_chain(entries: list[Entry], data: st.DataObject) -> None:
    one, two = (data.draw(st.integers(0, len(entries) - 1)) for _ in range(2))
    assume(entries[one] != entries[two])
    swapped = [*entries]
    swapped[one], swapped[two] = entries[two], entries[one]
    assert tip(swapped) != tip(entries)


@pytest.mark.parametrize("change", [{"at": 5.0}, {"kind": "other"}, {"body": b"{}"}])
def test_each_part_of_an_entry_counts(change: dict[str, object]) -> None:
    entry = Entry(1.0, "deletion", canonical(RECEIPT))
    assert tip([entry._replace(**change)]) != tip([entry])  # type: ignore[arg-type]


def test_the_same_entries_give_the_same_digest_everywhere() -> None:
    # Held down: a server of a later version must still verify the ledger of this one.
    assert tip([Entry(1.5, "deletion", b'{"a":1}')]).hex() == (
        "1a8dfc2233e379df0910b49f7739989798113310e0fb513a369a7448096ab9e6"
    )


def test_a_body_has_one_form_only() -> None:
    assert canonical({"b": 1, "a": {"d": 1, "c": 2}}) == b'{"a":{"c":2,"d":1},"b":1}'
    assert canonical({"a": {"c": 2, "d": 1}, "b": 1}) == canonical({"b": 1, "a": {"d": 1, "c": 2}})


def test_a_receipt_names_ids_and_times_and_nothing_else() -> None:
    assert canonical(RECEIPT) == (
        b'{"artefactId":"00ff","createdAt":1.0,"deletedAt":3.0,"dueAt":2.0,"kind":"output",'
        b'"method":"key_overwritten","projectId":"prj_1","reason":"deadline","region":"here",'
        b'"verified":true}'
    )
