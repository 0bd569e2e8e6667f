"""Whose request is from this machine: by the address of the peer, not by what it says."""

import pytest
from litestar import Request

from onprem.config.settings import Server
from onprem.http.operators import from_this_machine, published


def request(peer: str | None, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), text.encode()) for name, text in headers.items()]
    client = None if peer is None else (peer, 50_000)
    return Request({"type": "http", "client": client, "headers": raw, "path": "/metrics"})


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8400", "localhost", "[::1]:8400"])
def test_from_this_machine(peer: str, host: str) -> None:
    assert from_this_machine(request(peer, host=host))


@pytest.mark.parametrize(
    "peer", [None, "10.0.0.1", "0.0.0.0", "::ffff:10.0.0.1", "2001:db8::1", "fe80::1%eth0"]
)
def test_from_elsewhere_whatever_it_claims(peer: str | None) -> None:
    assert not from_this_machine(request(peer, host="127.0.0.1:8400"))


@pytest.mark.parametrize("header", ["forwarded", "via", "x_real_ip", "x_forwarded_for"])
def test_through_a_proxy_on_this_machine(header: str) -> None:
    assert not from_this_machine(request("127.0.0.1", host="localhost", **{header: "127.0.0.1"}))


@pytest.mark.parametrize("host", ["speech.example.com", "127.0.0.1.example.com", "10.0.0.1", ""])
def test_by_a_name_that_is_not_of_this_machine(host: str) -> None:
    assert not from_this_machine(request("127.0.0.1", host=host))


@pytest.mark.parametrize(
    "url", [None, "http://localhost:8400", "http://127.0.0.1/", "http://[::1]:8400"]
)
def test_not_published(url: str | None) -> None:
    assert not published(Server(public_url=url))


@pytest.mark.parametrize(
    "url", ["https://speech.example.com", "http://10.0.0.1:8400", "localhost.example.com"]
)
def test_published(url: str) -> None:
    assert published(Server(public_url=url))
