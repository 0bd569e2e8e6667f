"""Whatever is done to an export is found, and what nobody touched verifies."""

from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings, strategies as st

from onprem.core.ledger import ChainName
from onprem.core.verification_report import MOST_PROBLEMS, Beginning
from onprem.services.signing import Signer
from tests.support.chains import Chains, told, verified

LEDGER, ACCESS_LOG = ChainName.LEDGER, ChainName.ACCESS_LOG
UNTIMED = settings(deadline=None)
STEPS = st.lists(
    st.one_of(
        st.sampled_from(["entry", "access", "checkpoint"]),
        st.tuples(st.sampled_from(ChainName), st.integers(1, 3)),
    ),
    max_size=12,
)


def chains_of(steps: list[str | tuple[ChainName, int]]) -> Chains:
    """What an installation has after these steps; a chain and a number prune it."""
    chains = Chains()
    chains.append()
    for step in steps:
        if step == "entry":
            chains.append()
        elif step == "access":
            chains.append(ACCESS_LOG, "read")
        elif step == "checkpoint":
            chains.checkpoint()
        elif isinstance(step, tuple) and len(chains.entries[step[0]]) > step[1]:
            chains.prune(*step)
    return chains


HISTORIES = STEPS.map(chains_of)


@UNTIMED
@given(HISTORIES)
def test_an_honest_export_verifies(chains: Chains) -> None:
    found = verified(chains.export(), chains.checkpoints)
    assert (found.intact, told(found)) == (True, [])
    assert found.ledger is not None and found.ledger.last == chains.tip(LEDGER).size
    assert found.checkpoints == len(chains.checkpoints)


@UNTIMED
@given(HISTORIES, st.data())
def test_so_does_a_part_of_it(chains: Chains, data: st.DataObject) -> None:
    since = {
        name: data.draw(st.integers(0, len(entries))) for name, entries in chains.entries.items()
    }
    found = verified(chains.export(since))
    assert (found.intact, told(found)) == (True, [])
    assert found.since is not None


@UNTIMED
@given(HISTORIES, st.data())
def test_one_flipped_bit_is_found(chains: Chains, data: st.DataObject) -> None:
    export = bytearray(b"".join(chains.export()))
    export[data.draw(st.integers(0, len(export) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert not verified(bytes(export)).intact


def test_a_flipped_bit_is_found_at_every_byte() -> None:
    export = b"".join(chains_of(["access", "checkpoint"]).export())
    for place in range(len(export)):
        flipped = bytearray(export)
        flipped[place] ^= 1 << place % 8
        assert not verified(bytes(flipped)).intact, place


@UNTIMED
@given(HISTORIES, st.data())
def test_a_removed_line_is_found(chains: Chains, data: st.DataObject) -> None:
    lines = chains.export()
    del lines[data.draw(st.integers(0, len(lines) - 1))]
    assert not verified(lines).intact


@UNTIMED
@given(HISTORIES, st.data())
def test_swapped_lines_are_found(chains: Chains, data: st.DataObject) -> None:
    lines = chains.export()
    one, two = (data.draw(st.integers(0, len(lines) - 1)) for _ in range(2))
    assume(lines[one] != lines[two])
    lines[one], lines[two] = lines[two], lines[one]
    assert not verified(lines).intact


@UNTIMED
@given(HISTORIES, st.data())
def test_a_truncated_export_is_found(chains: Chains, data: st.DataObject) -> None:
    export = b"".join(chains.export())
    assert not verified(export[: data.draw(st.integers(0, len(export) - 1))]).intact


@UNTIMED
@given(HISTORIES, st.data())
def test_a_repeated_line_is_found(chains: Chains, data: st.DataObject) -> None:
    lines = chains.export()
    again = data.draw(st.sampled_from(lines))
    lines.insert(data.draw(st.integers(0, len(lines))), again)
    assert not verified(lines).intact


@UNTIMED
@given(HISTORIES, HISTORIES, st.data())
def test_a_line_of_another_export_is_found(
    chains: Chains, other: Chains, data: st.DataObject
) -> None:
    other.now += 0.5
    lines, strange = chains.export(), data.draw(st.sampled_from(other.export()))
    place = data.draw(st.integers(0, len(lines) - 1))
    assume(lines[place] != strange)
    lines[place] = strange
    assert not verified(lines).intact


FIVE = ["entry", "entry", "checkpoint", "entry", "entry", "access", "access", "checkpoint"]
"""Header, 2 checkpoints, ledger entries 1 to 5, access log entries 1 and 2, end."""
Forge = Callable[[list[bytes]], object]


def replaced(place: int, old: bytes, new: bytes) -> Forge:
    def forge(lines: list[bytes]) -> None:
        assert old in lines[place]
        lines[place] = lines[place].replace(old, new)

    return forge


def swapped(one: int, two: int) -> Forge:
    def forge(lines: list[bytes]) -> None:
        lines[one], lines[two] = lines[two], lines[one]

    return forge


@pytest.mark.parametrize(
    ("forge", "problems"),
    [
        (
            replaced(5, b'"n":2', b'"n":3'),
            ["ledger entry 3 was changed, or does not follow from the one before it"],
        ),
        (
            replaced(8, b'"read"', b'"rear"'),
            ["access log entry 1 was changed, or does not follow from the one before it"],
        ),
        (
            replaced(5, b'"line":"entry"', b'"line":"entri"'),
            ["line 6 cannot be read: it was changed, or broken off", "ledger entry 3 is missing"],
        ),
        (
            replaced(5, b'"seq":3', b'"seq": 3'),
            ["line 6 cannot be read: it was changed, or broken off", "ledger entry 3 is missing"],
        ),
        (lambda lines: lines.pop(5), ["ledger entry 3 is missing"]),
        (lambda lines: lines.pop(7), ["ledger entry 5 is missing"]),
        (lambda lines: lines.pop(9), ["access log entry 2 is missing"]),
        (lambda lines: lines.pop(1), ["checkpoint 1 is missing"]),
        (lambda lines: lines.pop(2), ["checkpoint 2 is missing"]),
        (
            swapped(5, 6),
            [
                "ledger entry 3 is missing",
                "ledger entry 3 stands a second time, or not in its place",
            ],
        ),
        (swapped(7, 8), ["line 9 is not in its place"]),
        (
            swapped(1, 2),
            [
                "checkpoint 1 is missing",
                "checkpoint 1 stands a second time, or not in its place",
            ],
        ),
        (
            lambda lines: lines.insert(5, lines[5]),
            ["ledger entry 3 stands a second time, or not in its place"],
        ),
        (
            replaced(1, b'"number":1', b'"number":7'),
            ["line 2, a checkpoint, was changed after it was signed", "checkpoint 1 is missing"],
        ),
        (
            replaced(0, b'"since":null', b'"since":1.0'),
            ["the header was changed after it was signed"],
        ),
        (replaced(10, b'"wall":1', b'"wall":2'), ["the end was changed after it was signed"]),
        (lambda lines: lines.pop(0), ["line 1 is not the header that an export begins with"]),
        (lambda lines: lines.pop(), ["the export is cut off: it has no end"]),
        (lambda lines: lines.append(lines[4]), ["line 12 comes after the end"]),
        (lambda lines: lines.clear(), ["the export is empty"]),
    ],
)
def test_the_record_is_named(forge: Forge, problems: list[str]) -> None:
    lines = chains_of(FIVE).export()
    assert len(lines) == 11
    forge(lines)
    found = verified(lines)
    assert told(found) == problems
    assert not found.intact


def test_a_broken_off_line_is_named() -> None:
    lines = chains_of(FIVE).export()
    assert told(verified(b"".join(lines[:7])[:-9])) == [
        "line 7 cannot be read: it was changed, or broken off",
        "the export is cut off: it has no end",
        "ledger entries 4 to 5 are missing",
        "access log entries 1 to 2 are missing",
    ]


def test_whoever_garbles_everything_gets_no_endless_list() -> None:
    chains = chains_of(["entry"] * 3 * MOST_PROBLEMS)
    lines = [line.replace(b'"boot"', b'"toob"') for line in chains.export()]
    found = verified(lines)
    assert len(found.problems) == MOST_PROBLEMS
    assert found.unlisted == 2 * MOST_PROBLEMS + 1


def test_the_key_that_an_export_brings_proves_nothing() -> None:
    forger = Chains(Signer(bytes(32)))
    forger.append()
    assert verified(forger.export(), signer=forger.signer).intact
    (problem,) = told(verified(forger.export()))
    assert problem.startswith("the header was signed by the installation ")


def test_what_was_signed_as_something_else_is_no_checkpoint() -> None:
    chains = chains_of(["checkpoint"])
    lines = chains.export()
    lines[1] = lines[0].replace(b'"line":"header"', b'"line":"checkpoint"')
    problem, *_ = told(verified(lines))
    assert problem == "line 2, a checkpoint, was changed after it was signed"


def test_a_head_that_went_without_an_entry_is_found() -> None:
    for chain in ChainName:
        chains = chains_of(["entry", "access", "access"])
        chains.prune(chain, 1, told=False)
        (problem,) = told(verified(chains.export()))
        assert problem.endswith(
            "entries 1 to 1 are missing, and no entry says that they outlived their retention"
        )


def test_a_pruned_head_is_told() -> None:
    chains = chains_of(["entry", "access", "checkpoint", (LEDGER, 1)])
    found = verified(chains.export())
    assert found.intact
    assert found.ledger is not None and found.access_log is not None
    assert (found.ledger.begins, found.ledger.after) == (Beginning.PRUNED, 1)
    assert (found.access_log.begins, found.access_log.after) == (Beginning.START, 0)


def test_a_checkpoint_that_the_chain_contradicts_is_found() -> None:
    """As where somebody with the signing key, but not with the checkpoints, wrote a new chain."""
    honest, forged = chains_of(["entry", "checkpoint"]), Chains()
    for n in (7, 8):
        forged.append(body={"n": n})
    forged.checkpoints = honest.checkpoints
    assert told(verified(forged.export())) == ["checkpoint 1 does not agree with ledger entry 2"]
