"""The sliding window: never more than the limit in any minute, and never less without need."""

from hypothesis import given, strategies as st

from onprem.core.sliding_window import WINDOW, SlidingWindow

SECOND = 10**9

STEPS = st.lists(
    st.tuples(st.integers(0, 70 * SECOND), st.sampled_from("ab"), st.integers(1, 4)), max_size=60
)


@given(STEPS)
def test_it_admits_exactly_what_the_last_minute_leaves_room_for(
    steps: list[tuple[int, str, int]],
) -> None:
    window, now = SlidingWindow(), 0
    admitted: dict[str, list[int]] = {"a": [], "b": []}
    for pause, key, limit in steps:
        now += pause
        recent = [moment for moment in admitted[key] if moment + WINDOW > now]
        remaining, wait = window.admit(key, limit, now)
        if len(recent) < limit:
            assert (remaining, wait) == (limit - len(recent) - 1, 0)
            admitted[key].append(now)
        else:
            assert remaining == 0
            # Then, and not a nanosecond earlier, fewer than the limit are in the window.
            for moment, room in ((now + wait - 1, False), (now + wait, True)):
                left = [each for each in recent if each + WINDOW > moment]
                assert (len(left) < limit) is room


def test_after_the_wait_it_admits() -> None:
    window = SlidingWindow()
    window.admit("a", 1, 7)
    wait = window.admit("a", 1, 20 * SECOND).wait
    assert wait == 40 * SECOND + 7
    assert window.admit("a", 1, 20 * SECOND + wait - 1).wait == 1
    assert window.admit("a", 1, 20 * SECOND + wait).wait == 0


def test_a_limit_that_was_lowered_waits_for_more_than_one_to_leave() -> None:
    window = SlidingWindow()
    for second in range(5):
        window.admit("a", 5, second * SECOND)
    assert window.admit("a", 2, 10 * SECOND).wait == 53 * SECOND
    assert window.admit("a", 2, 63 * SECOND).wait == 0


@given(st.integers(1, 200))
def test_keys_that_nobody_uses_any_more_are_forgotten(keys: int) -> None:
    window = SlidingWindow()
    for key in range(keys):
        window.admit(key, 10, 0)
    assert len(window) == keys
    window.admit("later", 10, 2 * WINDOW)
    assert len(window) == 1
