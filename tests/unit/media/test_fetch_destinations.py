"""SSRF: however an internal address is spelled, the guard sees what is connected to."""

import asyncio
import socket
import threading

import pytest

from onprem.errors import FetchFailed, FetchRefused
from onprem.media.addresses import AllowRule
from onprem.media.fetch import FetchPolicy, fetch
from onprem.media.guarded_transport import DestinationDenied, GuardedBackend, resolve
from onprem.media.worker_copy import WorkerCopy


async def attempt(url: str, policy: FetchPolicy) -> None:
    with WorkerCopy.create("test") as copy:
        await fetch(url, copy, policy=policy)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.1", "127.0.1", "0x7f.1", "0x7f000001", "2130706433"),
        *("017700000001", "0", "0.0.0.0", "localhost", "LOCALHOST"),
        *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:7f00:1]", "[::ffff:127.0.0.1]"),
        *("[::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b::10.0.0.1]", "[2002:7f00:1::]"),
        *("[2001:0:7f00:1::]", "[fd00:ec2::254]", "[fe80::1]", "169.254.169.254", "0xa9fea9fe"),
        *("2852039166", "100.100.100.200", "192.0.0.192", "10.0.0.1", "172.16.0.1", "224.0.0.1"),
        *("255.255.255.255",),
    ],
)
async def test_no_spelling_of_an_internal_address_gets_through(host: str) -> None:
    denied: list[None] = []
    policy = FetchPolicy(on_denied=lambda: denied.append(None))
    with pytest.raises(FetchRefused):
        await attempt(f"http://{host}/recording", policy)
    assert len(denied) == 1


@pytest.mark.parametrize(
    "host",
    ["[fe80::1%25eth0]", "127%2e0.0.1", "0177.0.0.1", "①②⑦.⓪.⓪.①", "localhost.", "127.0.0.1."],
)
async def test_no_odd_spelling_gets_anywhere(host: str) -> None:
    with pytest.raises((FetchRefused, FetchFailed)):
        await attempt(f"http://{host}/", FetchPolicy())


async def test_all_answers_must_pass() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1", "10.0.0.1"]

    with pytest.raises(FetchRefused, match="files.example .it is a private address"):
        await attempt("http://files.example/recording", FetchPolicy(resolve=resolve))


async def test_a_name_is_resolved_once_so_that_rebinding_finds_no_second_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = iter([["1.1.1.1"], ["127.0.0.1"]])
    connected: list[str] = []

    async def resolve(host: str, port: int) -> list[str]:
        return next(answers)

    class Network:
        async def connect_tcp(self, host: str, *_: object) -> str:
            connected.append(host)
            return "stream"

    backend = GuardedBackend((), resolve=resolve)
    monkeypatch.setattr(backend, "_network", Network())
    await backend.connect_tcp("rebinding.example", 80)
    with pytest.raises(DestinationDenied):
        await backend.connect_tcp("rebinding.example", 80)
    assert connected == ["1.1.1.1"]


async def test_a_name_without_an_address_fails_and_is_no_denial() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        raise OSError(-2, "Name or service not known")

    with pytest.raises(FetchFailed, match="does not resolve"):
        await attempt("http://nowhere.example/", FetchPolicy(resolve=resolve))


async def test_another_port_of_a_public_host_needs_a_rule() -> None:
    async def resolve(host: str, port: int) -> list[str]:
        return ["1.1.1.1"]

    policy = FetchPolicy(resolve=resolve, allow=(AllowRule.parse("other.example:8443"),))
    with pytest.raises(FetchRefused, match="port 8443 is not allowed"):
        await attempt("https://files.example:8443/", policy)


async def test_there_are_no_unix_sockets() -> None:
    with pytest.raises(DestinationDenied):
        await GuardedBackend(()).connect_unix_socket("/run/docker.sock")


async def test_a_name_server_that_never_answers_holds_up_nobody_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    def hangs(*_: object, **__: object) -> list[tuple[object, ...]]:
        answered.wait(20)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    hanging = [asyncio.create_task(resolve("nowhere.example", 80)) for _ in range(64)]
    await asyncio.sleep(0)
    try:
        async with asyncio.timeout(5):
            assert await asyncio.to_thread(lambda: "the store") == "the store"
    finally:
        answered.set()
    assert await asyncio.gather(*hanging) == [[]] * 64
