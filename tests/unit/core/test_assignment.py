"""The optimal assignment, held against scipy's."""

import numpy as np
from hypothesis import given, strategies as st
from scipy.optimize import linear_sum_assignment

from onprem.core.assignment import best_pairs

sizes = st.integers(1, 7)
gains = st.tuples(sizes, sizes).flatmap(
    lambda size: st.lists(
        st.lists(st.floats(-5, 5, width=16), min_size=size[1], max_size=size[1]),
        min_size=size[0],
        max_size=size[0],
    )
)


@given(gains)
def test_it_gains_as_much_as_can_be_gained(table: list[list[float]]) -> None:
    pairs = best_pairs(table)
    rows, columns = zip(*pairs, strict=True) if pairs else ((), ())
    assert len(set(rows)) == len(set(columns)) == len(pairs)
    assert all(table[row][column] > 0 for row, column in pairs)
    clipped = np.maximum(table, 0)
    best = clipped[linear_sum_assignment(clipped, maximize=True)].sum()
    assert np.isclose(sum(table[row][column] for row, column in pairs), best)


def test_it_is_not_greedy() -> None:
    assert best_pairs([[9.0, 8.0], [7.0, 1.0]]) == [(0, 1), (1, 0)]


def test_nothing_and_nobody() -> None:
    assert best_pairs([]) == []
    assert best_pairs([[], []]) == []
    assert best_pairs([[0.0, -1.0]]) == []


def test_the_most_labels_and_very_many_speakers() -> None:
    table = np.random.default_rng(0).normal(size=(400, 50))
    assert len(best_pairs(table.tolist())) == 50
