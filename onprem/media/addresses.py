"""Which destinations may be connected to: the open internet on 80 and 443, and what rules allow.

Pure. It judges an address that a name was resolved to, at the moment of connecting; a judgement
about a URL's text would be worth nothing (127.1, redirects, a name that resolves anew).
"""

import re
from collections.abc import Iterable
from ipaddress import ip_address, ip_network

from msgspec import Struct

from onprem.media.networks import Address, Network, Range, closed_range, plain

_DEFAULT_PORTS = (80, 443)
_LABEL = r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?:\*\.)?{_LABEL}(?:\.{_LABEL})*")
_NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")
_BRACKETED = re.compile(r"\[(?P<inside>[^\]]*)\](?::(?P<port>.*))?")


class AllowRule(Struct, frozen=True):
    """One entry of `fetch.allow` or `webhooks.allow`: a network or a host, and perhaps a port."""

    network: Network | None = None
    host: str | None = None
    """Lower case; `*.corp` stands for every name below corp."""
    port: int | None = None
    """None: 80 and 443."""

    @classmethod
    def parse(cls, text: str) -> "AllowRule":
        """Read `10.20.0.0/16`, `10.20.0.0/16:9000`, `[fd00::/8]:9000`, `minio.corp:9000`, `*.corp`.

        Raises:
            ValueError: the text is none of these; the message is a sentence for the operator.
        """
        where, port = _split(text.strip())
        network = _network(where, text)
        if network is not None:
            return cls(network=network, port=port)
        host = where.lower().rstrip(".")
        if not _HOST.fullmatch(host) or _NUMERIC.fullmatch(host.rpartition(".")[2]):
            raise ValueError(
                f"{text!r} is neither a network (10.20.0.0/16) nor a host name (minio.corp, "
                "*.corp), with or without a port (:9000)."
            )
        return cls(host=host, port=port)

    def opens_port(self, port: int) -> bool:
        return port == self.port if self.port is not None else port in _DEFAULT_PORTS

    def names(self, host: str) -> bool:
        if self.host is None:
            return False
        if self.host.startswith("*."):
            return host.endswith(self.host[1:])
        return host == self.host

    def contains(self, address: Address) -> bool:
        network = self.network
        return network is not None and network.version == address.version and address in network

    def opens(self, closed: Range) -> bool:
        """Whether it opens a closed range that holds the address in question."""
        if not closed.named_only:
            return True
        network, shut = self.network, closed.network
        if network is None or network.version != shut.version:
            return False
        inside = int(network.network_address) & int(shut.netmask) == int(shut.network_address)
        return inside and network.prefixlen >= shut.prefixlen


def denial(
    host: str, address: str, port: int, rules: Iterable[AllowRule], *, named_only: bool = False
) -> str | None:
    """Why a connection to `address`, which `host` resolved to, is not made; None if it is.

    Args:
        host: the name or address as the URL has it.
        address: one textual IP address that the resolver gave.
        named_only: the open internet is closed as well; what no rule names is not reached.
    """
    where = plain(ip_address(address))
    name = host.lower().rstrip(".")
    matching = [rule for rule in rules if rule.names(name) or rule.contains(where)]
    closed = closed_range(where)
    if closed is not None:
        matching = [rule for rule in matching if rule.opens(closed)]
        if not matching:
            return f"it is {closed.why}"
    elif port in _DEFAULT_PORTS and not named_only:
        return None
    elif named_only and not matching:
        return "nothing allows plain http to it"
    if any(rule.opens_port(port) for rule in matching):
        return None
    return f"port {port} is not allowed"


def may_be_named(host: str, port: int, rules: Iterable[AllowRule]) -> bool:
    """Whether a rule can name this host and port.

    What a name resolves to is known only when it is connected to, so that any network may hold it.
    """
    name = host.lower().rstrip(".")
    try:
        where = plain(ip_address(name.strip("[]")))
    except ValueError:
        where = None
    return any(
        rule.names(name) or (rule.network is not None and (where is None or rule.contains(where)))
        for rule in rules
        if rule.opens_port(port)
    )


def _split(text: str) -> tuple[str, int | None]:
    """The place and the port of a rule."""
    bracketed = _BRACKETED.fullmatch(text)
    if bracketed:
        return bracketed["inside"], _port(bracketed["port"], text)
    if text.count(":") > 1:  # a bare IPv6 network
        return text, None
    where, colon, port = text.partition(":")
    return where, _port(port, text) if colon else None


def _port(text: str | None, rule: str) -> int | None:
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,5}", text) or not 1 <= int(text) <= 65_535:
        raise ValueError(f"The port in {rule!r} is not a number from 1 to 65535.")
    return int(text)


def _network(where: str, rule: str) -> Network | None:
    try:
        return ip_network(where)
    except ValueError:
        pass
    try:
        meant = ip_network(where, strict=False)
    except ValueError:
        return None
    raise ValueError(f"{rule!r} has bits set behind its prefix; the network is {meant}.")
