"""Optimal assignment: pairs of rows and columns, each used at most once, of greatest total gain."""

import math
from collections.abc import Sequence


def best_pairs(gains: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Pairs (row, column) with the greatest sum of `gains`, in the order of the rows.

    Only pairs with a gain above 0 come about: nobody is paired for the sake of others. The
    Hungarian method in the form of shortest augmenting paths, O(n² m) for n <= m.
    """
    if not gains or not gains[0]:
        return []
    if len(gains) > len(gains[0]):
        flipped = best_pairs(list(zip(*gains, strict=True)))
        return sorted((row, column) for column, row in flipped)
    costs = [[-max(gain, 0.0) for gain in row] for row in gains]
    return [(row, column) for row, column in enumerate(_assigned(costs)) if gains[row][column] > 0]


def _assigned(costs: list[list[float]]) -> list[int]:
    """Each row's column at the least total cost; there are at least as many columns as rows."""
    width = len(costs[0])
    row_price = [0.0] * len(costs)
    column_price = [0.0] * width
    holder: list[int | None] = [None] * width
    for start in range(len(costs)):
        _augment(start, costs, row_price, column_price, holder)
    taken = {row: column for column, row in enumerate(holder) if row is not None}
    return [taken[row] for row in range(len(costs))]


def _augment(
    start: int,
    costs: list[list[float]],
    row_price: list[float],
    column_price: list[float],
    holder: list[int | None],
) -> None:
    """Give row `start` a column, and other rows other ones, along the cheapest path (Dijkstra)."""
    distance = [math.inf] * len(column_price)
    came_from: list[int | None] = [None] * len(column_price)
    open_columns = set(range(len(column_price)))
    row, column, passed = start, None, 0.0
    tree: list[tuple[int, float]] = [(start, 0.0)]
    settled: list[tuple[int, float]] = []
    while True:
        for other in open_columns:
            length = passed + costs[row][other] - row_price[row] - column_price[other]
            if length < distance[other]:
                distance[other], came_from[other] = length, column
        column = min(open_columns, key=distance.__getitem__)
        open_columns.remove(column)
        passed = distance[column]
        following = holder[column]
        if following is None:
            break
        settled.append((column, passed))
        tree.append((following, passed))
        row = following
    for each, at in tree:
        row_price[each] += passed - at
    for each, at in settled:
        column_price[each] -= passed - at
    while column is not None:
        previous = came_from[column]
        holder[column] = start if previous is None else holder[previous]
        column = previous
