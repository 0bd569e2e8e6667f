import gzip
from collections.abc import AsyncIterator

import pytest

from onprem.errors import (
    AudioTooLarge,
    FetchFailed,
    FetchRefused,
    JobFailure,
    WorkerMemoryExceeded,
)
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.worker_copy import WorkerCopy, WorkerMemory
from tests.support.web_source import Answer, WebSource, redirects, says, serving, trickles

SECRET = "s3cr3t"


@pytest.fixture
async def source() -> AsyncIterator[WebSource]:
    async with serving() as running:
        yield running


async def fetched(url: str, policy: FetchPolicy) -> bytes:
    with WorkerCopy.create("test") as copy:
        await fetch(url, copy, policy=policy)
        assert copy.sealed
        with copy.view() as view:
            return bytes(view)


async def failure(url: str, policy: FetchPolicy) -> JobFailure:
    """The error of a fetch, which never tells more of the URL than its host."""
    with pytest.raises(JobFailure) as caught:
        await fetched(f"{url}?signature={SECRET}", policy)
    assert SECRET not in caught.value.sentence
    assert "/recording" not in caught.value.sentence
    assert caught.value.__cause__ is None
    return caught.value


async def test_a_recording_is_fetched_as_it_is(source: WebSource) -> None:
    source.answers["/recording"] = says(b"RIFF" * 50_000)
    assert await fetched(source.url("/recording?a=b"), source.policy()) == b"RIFF" * 50_000
    head = source.requests[0]
    assert head.startswith("GET /recording?a=b HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{source.port}\r\n" in head
    assert "Accept-Encoding: identity\r\n" in head


async def test_a_name_keeps_its_host_header(source: WebSource) -> None:
    source.answers["/recording"] = says(b"x")

    async def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    policy = source.policy(resolve=resolve)
    await fetched(source.url("/recording", host="files.example"), policy)
    assert f"Host: files.example:{source.port}\r\n" in source.requests[0]


async def test_the_environments_proxy_is_not_used(
    source: WebSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    source.answers["/recording"] = says(b"x")
    assert await fetched(source.url("/recording"), source.policy()) == b"x"


async def test_a_declared_size_over_the_limit_is_refused_at_once(source: WebSource) -> None:
    source.answers["/recording"] = says(b"", length=1001)
    error = await failure(source.url("/recording"), source.policy(max_bytes=1000))
    assert isinstance(error, AudioTooLarge)
    assert error.facts == {"limit": 1000}


async def test_an_undeclared_size_is_counted(source: WebSource) -> None:
    source.answers["/recording"] = trickles(b"x" * 600, 0.01)
    error = await failure(source.url("/recording"), source.policy(max_bytes=1000))
    assert isinstance(error, AudioTooLarge)


async def test_a_recording_of_exactly_the_limit_passes(source: WebSource) -> None:
    source.answers["/recording"] = says(b"x" * 1000)
    assert len(await fetched(source.url("/recording"), source.policy(max_bytes=1000))) == 1000


@pytest.mark.parametrize("answer", [says(b"", length=1001), trickles(b"x" * 600, 0.01)])
async def test_no_more_is_written_than_the_lease_holds(source: WebSource, answer: Answer) -> None:
    source.answers["/recording"] = answer
    async with WorkerMemory(1000).reserve(5000) as lease:
        with WorkerCopy.create("test", lease) as copy:
            with pytest.raises(WorkerMemoryExceeded, match="1000 bytes"):
                await fetch(source.url("/recording"), copy, policy=source.policy())
            assert copy.size <= 1000


async def test_a_compressed_answer_is_refused(source: WebSource) -> None:
    bomb = gzip.compress(bytes(20_000_000))
    source.answers["/recording"] = says(bomb, "200 OK", "Content-Encoding: gzip")
    error = await failure(source.url("/recording"), source.policy())
    assert isinstance(error, FetchFailed)
    assert "Content-Encoding" in str(error)


@pytest.mark.parametrize("status", ["403 Forbidden", "404 Not Found", "500 Oops", "206 Partial"])
async def test_another_status_fails_with_its_number(source: WebSource, status: str) -> None:
    source.answers["/recording"] = says(SECRET.encode(), status)
    error = await failure(source.url("/recording"), source.policy())
    assert isinstance(error, FetchFailed)
    assert f"fetching from 127.0.0.1 failed (it answered {status[:3]})" in str(error)


async def test_a_body_that_breaks_off_is_no_recording(source: WebSource) -> None:
    source.answers["/recording"] = says(b"half", length=8)
    error = await failure(source.url("/recording"), source.policy())
    assert isinstance(error, FetchFailed)
    assert "broke off" in str(error)


async def test_what_is_not_http_fails(source: WebSource) -> None:
    async def answer(writer: object) -> None:
        writer.write(b"SSH-2.0-OpenSSH\r\n")

    source.answers["/recording"] = answer
    assert isinstance(await failure(source.url("/recording"), source.policy()), FetchFailed)


async def test_a_source_that_stops_sending_is_given_up(source: WebSource) -> None:
    source.answers["/recording"] = trickles(b"x", 5)
    error = await failure(source.url("/recording"), source.policy(read_seconds=0.2))
    assert "stopped sending" in str(error)


async def test_a_source_that_sends_too_slowly_is_given_up(source: WebSource) -> None:
    source.answers["/recording"] = trickles(b"x", 0.02)
    error = await failure(source.url("/recording"), source.policy(window_seconds=0.2))
    assert "too slowly" in str(error)


async def test_the_whole_fetch_has_a_time_limit(source: WebSource) -> None:
    source.answers["/recording"] = trickles(b"x", 0.02)
    error = await failure(source.url("/recording"), source.policy(total_seconds=0.3))
    assert "longer than 0.3 s" in str(error)


async def test_two_redirects_are_followed_and_no_third(source: WebSource) -> None:
    source.answers |= {
        "/recording": redirects("/once"),
        "/once": redirects(source.url("/twice")),
        "/twice": says(b"there"),
    }
    assert await fetched(source.url("/recording"), source.policy()) == b"there"
    source.answers["/twice"] = redirects("/thrice")
    error = await failure(source.url("/recording"), source.policy())
    assert "redirects more than 2 times" in str(error)


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2/",
        "http://169.254.169.254/latest/meta-data/",
        "http://[::ffff:a9fe:a9fe]/",
        "http://2130706433/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "http://user:word@127.0.0.1/",
    ],
)
async def test_a_redirect_is_judged_like_a_first_url(source: WebSource, to: str) -> None:
    source.answers["/recording"] = redirects(to)
    assert isinstance(await failure(source.url("/recording"), source.policy()), FetchRefused)


@pytest.mark.parametrize("to", ["http://[", "http://a:b:c/", "", "//", "http://"])
async def test_a_redirect_to_nonsense_fails(source: WebSource, to: str) -> None:
    source.answers["/recording"] = redirects(to)
    error = await failure(source.url("/recording"), source.policy())
    assert isinstance(error, FetchFailed | FetchRefused)


async def test_nobody_listening_is_a_failure_and_names_the_host(source: WebSource) -> None:
    policy = source.policy()
    async with serving() as other:
        policy = other.policy()
        url = other.url("/recording")
    error = await failure(url, policy)
    assert isinstance(error, FetchFailed)
    assert error.facts["host"] == "127.0.0.1"
