"""How long things live: everybody can shorten it, and nobody can lengthen it."""

from hypothesis import given, strategies as st

from onprem.core.retention import MEDIA_CEILING, OUTPUT_CEILING, OutputLife, media_life, output_life

OUTPUT = st.none() | st.integers(0, 3 * OUTPUT_CEILING)
MEDIA = st.none() | st.integers(1, 3 * MEDIA_CEILING)


def test_where_nobody_asks_the_promise_holds() -> None:
    assert output_life() == output_life(None, None) == OutputLife(OUTPUT_CEILING, False)
    assert media_life() == media_life(None) == MEDIA_CEILING


def test_until_delivered_is_no_time() -> None:
    assert output_life(0) == OutputLife(OUTPUT_CEILING, True)
    assert output_life(3600, 0, None) == output_life(0, 3600) == OutputLife(3600, True)


@given(st.lists(OUTPUT))
def test_an_output_lives_as_long_as_the_strictest_says(asked: list[int | None]) -> None:
    life = output_life(*asked)
    times = [each for each in asked if each]
    assert 0 < life.seconds <= OUTPUT_CEILING
    assert all(life.seconds <= each for each in times)
    assert life.seconds in (*times, OUTPUT_CEILING)
    assert life.until_delivered == (0 in asked)


@given(st.lists(OUTPUT), OUTPUT)
def test_one_more_wish_never_lengthens_the_life_of_an_output(
    asked: list[int | None], wish: int | None
) -> None:
    before, after = output_life(*asked), output_life(*asked, wish)
    assert after.seconds <= before.seconds
    assert after.until_delivered >= before.until_delivered


@given(st.lists(MEDIA))
def test_media_lives_as_long_as_the_least(asked: list[int | None]) -> None:
    assert media_life(*asked) == min([MEDIA_CEILING, *(each for each in asked if each)])
