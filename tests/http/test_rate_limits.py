"""Rate limits on the wire, as the contract's older page has them."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from onprem.config.settings import Limits
from onprem.services.keys import Scope
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.people import OPERATOR
from tests.support.server import Running, install, running, settings_in

HEADERS = ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "retry-after")


@pytest.fixture
async def limited(tmp_path: Path) -> AsyncIterator[Running]:
    """Three writes and five reads a minute; its minute does not pass by itself."""
    limits = Limits(writes_per_minute=3, reads_per_minute=5)
    settings, clock = settings_in(tmp_path, limits=limits), FakeClock()
    key = await install(settings, clock)
    async with running(settings, FakeEngine(), key, clock) as server:
        server.server.use.rate_limits._monotonic = lambda: 0
        yield server


async def statuses(
    server: Running, count: int, method: str, path: str, **more: object
) -> list[int]:
    return [
        (await server.client.request(method, path, **more)).status_code  # type: ignore[arg-type]
        for _ in range(count)
    ]


async def test_without_a_limit_no_answer_speaks_of_one(server: Running) -> None:
    answer = await server.client.get("/v1/test")
    assert not set(HEADERS) & set(answer.headers)


async def test_every_answer_says_what_is_left(limited: Running) -> None:
    for remaining in (4, 3):
        answer = await limited.client.get("/v1/test")
        assert answer.headers["x-ratelimit-limit"] == "5"
        assert answer.headers["x-ratelimit-remaining"] == str(remaining)
        assert not {"x-ratelimit-reset", "retry-after"} & set(answer.headers)
    refused = await limited.client.post("/v1/diarize", json={})
    assert (refused.status_code, refused.headers["x-ratelimit-remaining"]) == (400, "2")


async def test_the_request_beyond_it_is_a_429_that_says_when(limited: Running) -> None:
    body = {"url": "media://a.wav"}
    assert await statuses(limited, 3, "POST", "/v1/media/input", json=body) == [201] * 3
    limited.server.use.rate_limits._monotonic = lambda: 17 * 10**9 + 1
    answer = await limited.client.post("/v1/media/input", json=body)
    assert answer.status_code == 429
    assert set(answer.json()) == {"requestId", "message", "code"}
    assert answer.json()["code"] == "rate_limited"
    assert [answer.headers.get(name) for name in HEADERS] == ["3", "0", "1800000043", "43"]

    limited.server.use.rate_limits._monotonic = lambda: 60 * 10**9
    assert (await limited.client.post("/v1/media/input", json=body)).status_code == 201


async def test_each_endpoint_counts_alone_and_ids_do_not_make_new_ones(limited: Running) -> None:
    body = {"url": "media://a.wav"}
    assert (await statuses(limited, 4, "POST", "/v1/media/input", json=body))[-1] == 429
    assert (await statuses(limited, 1, "POST", "/v1/media/output", json=body)) == [400]
    jobs = [f"/v1/jobs/{number}" for number in range(6)]
    assert [(await limited.client.get(path)).status_code for path in jobs] == [404] * 5 + [429]


async def test_each_project_counts_alone_whatever_its_keys(limited: Running) -> None:
    second = {"authorization": f"Bearer {await limited.key()}"}
    await limited.create_project("other")
    other = {"authorization": f"Bearer {await limited.key('other')}"}
    assert await statuses(limited, 3, "GET", "/v1/test") == [200] * 3
    assert await statuses(limited, 3, "GET", "/v1/test", headers=second) == [200, 200, 429]
    assert await statuses(limited, 5, "GET", "/v1/test", headers=other) == [200] * 5


async def test_a_project_can_have_limits_of_its_own(limited: Running) -> None:
    async def per_minute(number: int | None) -> None:
        fields = {"requestsPerMinute": number}
        await limited.server.use.projects.change("default", fields, actor=OPERATOR)

    await per_minute(1)
    assert await statuses(limited, 2, "GET", "/v1/test") == [200, 429]
    await per_minute(2)
    assert await statuses(limited, 2, "GET", "/v1/test") == [200, 429]
    await per_minute(None)
    assert await statuses(limited, 4, "GET", "/v1/test") == [200] * 3 + [429]


async def test_a_limit_of_its_own_holds_where_the_server_has_none(server: Running) -> None:
    await server.server.use.projects.change("default", {"requestsPerMinute": 2}, actor=OPERATOR)
    assert await statuses(server, 3, "GET", "/v1/test") == [200, 200, 429]


async def test_strangers_and_health_count_for_nobody(limited: Running) -> None:
    wrong = {"authorization": "Bearer sk_00000000_" + "x" * 43}
    assert await statuses(limited, 8, "GET", "/v1/test", headers=wrong) == [401] * 8
    assert await statuses(limited, 8, "GET", "/healthz/live") == [200] * 8
    assert await statuses(limited, 1, "GET", "/v1/test") == [200]


async def test_what_a_key_may_not_do_counts_too(limited: Running) -> None:
    key = {"authorization": f"Bearer {await limited.key(scopes=[Scope.JOBS_READ])}"}
    found = await statuses(limited, 4, "POST", "/v1/diarize", json={}, headers=key)
    assert found == [403] * 3 + [429]
