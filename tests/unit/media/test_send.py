"""Sending to receivers of every kind: what counts as delivered, and what each failure is called."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from onprem.core.delivery import FailureReason
from onprem.media.addresses import AllowRule
from onprem.media.send import SendFailed, SendPolicy, destination_fault, send
from tests.support.authority import HOST, new_authority
from tests.support.receiver import Receiver, receiving


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ssl.SSLContext]:
    return new_authority(tmp_path_factory.mktemp("tls"))


async def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def policy(receiver: Receiver, **changes: Any) -> SendPolicy:
    settings: dict[str, Any] = {"allow": (AllowRule.parse(receiver.rule),)}
    return SendPolicy(**(settings | changes))


async def failure(url: str, policy: SendPolicy) -> SendFailed:
    with pytest.raises(SendFailed) as caught:
        await send("POST", url, {"X-Signature": "s"}, b"{}", policy=policy)
    return caught.value


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
async def test_any_2xx_is_an_arrival(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [status]
        url = receiver.url("/in?token=1")
        headers = {"X-Signature": "s"}
        assert await send("PUT", url, headers, b"body", policy=policy(receiver)) == status
    (request,) = receiver.requests
    assert (request.method, request.target, request.body) == ("PUT", "/in?token=1", b"body")
    assert request.headers == {
        "host": receiver.rule,
        "content-length": "4",
        "x-signature": "s",
    }


@pytest.mark.parametrize("status", [300, 303, 304, 400, 401, 404, 410, 429, 500, 503])
async def test_any_other_answer_is_an_error(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [(status, "/elsewhere") if status == 303 else status]
        failed = await failure(receiver.url(), policy(receiver))
    assert (failed.reason, failed.status) == (FailureReason.HTTP_ERROR, status)
    assert len(receiver.requests) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
async def test_two_redirects_are_followed_with_the_same_request(status: int) -> None:
    async with receiving() as receiver:
        receiver.answers = [(status, "/second"), (status, receiver.url("/third")), 200]
        url = receiver.url("/first")
        assert await send("POST", url, {"X-Signature": "s"}, b"{}", policy=policy(receiver)) == 200
    assert [request.target for request in receiver.requests] == ["/first", "/second", "/third"]
    assert {
        (each.method, each.body, each.headers["x-signature"]) for each in receiver.requests
    } == {("POST", b"{}", "s")}


async def test_a_third_redirect_is_one_too_many() -> None:
    async with receiving() as receiver:
        receiver.otherwise = (302, "/again")
        failed = await failure(receiver.url(), policy(receiver))
    assert (failed.reason, failed.status) == (FailureReason.TOO_MANY_REDIRECTS, 302)
    assert len(receiver.requests) == 3


@pytest.mark.parametrize(
    "place", ["http://10.0.0.1/in", "http://[::1", "ftp://127.0.0.1/", "http://u:p@127.0.0.1/"]
)
async def test_a_redirect_is_judged_like_the_first_address(place: str) -> None:
    async with receiving() as receiver:
        receiver.answers = [(302, place)]
        failed = await failure(receiver.url(), policy(receiver))
    assert failed.reason is FailureReason.CONNECTION_FAILED


async def test_no_answer_is_a_timeout() -> None:
    async with receiving() as receiver:
        receiver.otherwise = None
        failed = await failure(receiver.url(), policy(receiver, answer_seconds=0.5))
        assert len(receiver.requests) == 1
    assert (failed.reason, failed.status) == (FailureReason.HTTP_TIMEOUT, None)


async def test_a_long_body_has_more_time() -> None:
    async with receiving() as receiver:
        patient = policy(receiver, answer_seconds=0.0, least_rate=10)
        url = receiver.url()
        assert await send("PUT", url, {}, bytes(200), policy=patient) == 204
        assert (await failure(url, policy(receiver, answer_seconds=0.0))).reason is (
            FailureReason.HTTP_TIMEOUT
        )


async def test_nobody_there() -> None:
    async with receiving() as receiver:
        pass
    failed = await failure(receiver.url(), policy(receiver))
    assert failed.reason is FailureReason.CONNECTION_FAILED


async def test_one_who_hangs_up() -> None:
    async with receiving() as receiver:
        receiver.otherwise = None
        receiver.let_go()
        failed = await failure(receiver.url(), policy(receiver))
    assert failed.reason is FailureReason.CONNECTION_FAILED


@pytest.mark.parametrize(
    ("allow", "resolved"),
    [
        ((), "127.0.0.1"),
        ((), "169.254.169.254"),
        (("*.example",), "127.0.0.1"),
        (("10.0.0.0/8",), "192.168.1.1"),
    ],
)
async def test_private_destinations_are_not_connected_to(
    allow: tuple[str, ...], resolved: str
) -> None:
    denied: list[str] = []

    async def resolve(host: str, port: int) -> Sequence[str]:
        return [resolved]

    rules = tuple(AllowRule.parse(text) for text in allow)
    closed = SendPolicy(allow=rules, resolve=resolve, on_denied=lambda: denied.append(resolved))
    failed = await failure(f"https://{HOST}/s3cr3t", closed)
    assert failed.reason is FailureReason.CONNECTION_FAILED
    assert "webhooks.allow" in failed.why and "s3cr3t" not in str(failed)
    assert denied == [resolved]


async def test_plain_http_leads_only_to_what_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    async def resolve(host: str, port: int) -> Sequence[str]:
        return ["93.184.216.34"]

    rules = (AllowRule.parse("10.0.0.0/8"),)
    failed = await failure(f"http://{HOST}/", SendPolicy(allow=rules, resolve=resolve))
    assert failed.reason is FailureReason.CONNECTION_FAILED
    assert "plain http" in failed.why


async def test_a_private_authority_serves_once_it_is_named(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    ca_file, context = authority
    async with receiving(context) as receiver:
        trusting = policy(receiver, ca_file=ca_file, resolve=loopback)
        url = receiver.url("/in", HOST, "https")
        assert await send("POST", url, {}, b"{}", policy=trusting) == 204
        untrusting = policy(receiver, resolve=loopback)
        failed = await failure(url, untrusting)
        other = await failure(receiver.url("/in", "other.example", "https"), trusting)
    assert failed.reason is other.reason is FailureReason.SSL_ERROR
    assert "webhooks.ca_file" in failed.why
    assert len(receiver.requests) == 1


async def test_a_server_without_tls_is_a_tls_error() -> None:
    async with greeting(b"HTTP/1.1 400 X\r\n\r\n") as port:
        rules = (AllowRule.parse(f"127.0.0.1:{port}"),)
        failed = await failure(f"https://127.0.0.1:{port}/", SendPolicy(allow=rules))
    assert failed.reason is FailureReason.SSL_ERROR


async def test_a_handshake_without_an_end_is_a_timeout() -> None:
    async with receiving() as receiver:
        url = receiver.url("/", scheme="https")
        failed = await failure(url, policy(receiver, answer_seconds=0.5))
    assert failed.reason is FailureReason.HTTP_TIMEOUT


async def test_a_signature_never_goes_from_https_to_http(
    authority: tuple[Path, ssl.SSLContext],
) -> None:
    ca_file, context = authority
    async with receiving() as plain, receiving(context) as receiver:
        receiver.answers = [(307, plain.url())]
        rules = (AllowRule.parse(receiver.rule), AllowRule.parse(plain.rule))
        trusting = policy(receiver, allow=rules, ca_file=ca_file)
        failed = await failure(receiver.url(scheme="https"), trusting)
    assert failed.reason is FailureReason.CONNECTION_FAILED
    assert plain.requests == []


@pytest.mark.parametrize("content", [None, "no certificate"])
async def test_a_ca_file_that_cannot_be_used_is_named(tmp_path: Path, content: str | None) -> None:
    ca_file = tmp_path / "ca.pem"
    if content is not None:
        ca_file.write_text(content)
    failed = await failure(f"https://{HOST}/", SendPolicy(ca_file=ca_file))
    assert failed.reason is FailureReason.SSL_ERROR
    assert "webhooks.ca_file" in failed.why


@asynccontextmanager
async def greeting(words: bytes) -> AsyncIterator[int]:
    """A server that speaks first, whatever it hears; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(words)
        await writer.drain()
        await reader.read(1)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_what_does_not_speak_http() -> None:
    async with greeting(b"220 mail.example ESMTP\r\n\r\n") as port:
        rules = (AllowRule.parse(f"127.0.0.1:{port}"),)
        failed = await failure(f"http://127.0.0.1:{port}/", SendPolicy(allow=rules))
    assert failed.reason is FailureReason.CONNECTION_FAILED


@pytest.mark.parametrize(
    ("url", "allow", "sound"),
    [
        ("https://hooks.example/in?token=1", [], True),
        ("https://10.0.0.1/in", [], True),
        ("http://hooks.example/in", [], False),
        ("http://hooks.corp/in", ["hooks.corp"], True),
        ("http://hooks.corp:8080/in", ["hooks.corp"], False),
        ("http://hooks.corp:8080/in", ["*.corp:8080"], True),
        ("http://10.1.2.3/in", ["10.0.0.0/8"], True),
        ("http://11.1.2.3/in", ["10.0.0.0/8"], False),
        ("http://[fd00::1]/in", ["fd00::/8"], True),
        ("http://hooks.corp/in", ["10.0.0.0/8"], True),
        ("ftp://hooks.corp/in", ["hooks.corp"], False),
        ("https://user:pw@hooks.example/", [], False),
        ("hooks.example", [], False),
        ("", [], False),
    ],
)
def test_which_urls_are_taken(url: str, allow: list[str], sound: bool) -> None:
    fault = destination_fault(url, tuple(AllowRule.parse(text) for text in allow))
    assert (fault is None) is sound
    assert fault is None or "token" not in fault and "pw" not in fault
