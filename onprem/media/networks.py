"""The address ranges that nobody's URL may lead to, unless the operator allows it.

Made by hand, because `ipaddress.is_global` is true for NAT64 and 6to4 forms of private addresses
and for the metadata service in 192.0.0.0/24, and 100.64.0.0/10 is neither global nor private.
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

from msgspec import Struct

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")
_UNICAST = IPv6Network("2000::/3")


class Range(Struct, frozen=True):
    """A range that is closed by default."""

    network: Network
    why: str
    named_only: bool
    """Opened only by a rule that names this network or a part of it, never by a host name or
    by a wider network."""


def _ranges(why: str, *networks: str, named_only: bool) -> tuple[Range, ...]:
    return tuple(Range(ip_network(network), why, named_only) for network in networks)


# The first match counts: cloud metadata services lie inside wider ranges.
_CLOSED: tuple[Range, ...] = (
    *_ranges(
        "a cloud's metadata service",
        *("169.254.169.254/32", "169.254.170.2/32", "169.254.170.23/32", "192.0.0.192/32"),
        *("100.100.100.200/32", "168.63.129.16/32"),
        *("fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"),
        named_only=True,
    ),
    *_ranges("a loopback address", "127.0.0.0/8", "::1/128", named_only=True),
    *_ranges("a link-local address", "169.254.0.0/16", "fe80::/10", named_only=True),
    *_ranges(
        "a private address",
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10"),
        named_only=False,
    ),
    *_ranges("a carrier's shared address", "100.64.0.0/10", named_only=False),
    *_ranges("an unspecified address", "0.0.0.0/8", "::/128", named_only=True),
    *_ranges("a multicast address", "224.0.0.0/4", "ff00::/8", named_only=True),
    *_ranges("a broadcast address", "255.255.255.255/32", named_only=True),
    *_ranges(
        "an address that stands for another one",
        *("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "192.88.99.0/24", "::/96"),
        named_only=True,
    ),
    *_ranges(
        "a documentation or test address",
        *("192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "198.18.0.0/15"),
        *("2001:db8::/32", "3fff::/20"),
        named_only=True,
    ),
    *_ranges(
        "a reserved address",
        *("192.0.0.0/24", "240.0.0.0/4", "2001::/23", "100::/64", "5f00::/16"),
        named_only=True,
    ),
)
_NOT_UNICAST = Range(IPv6Network("::/0"), "a reserved address", True)


def plain(address: Address) -> Address:
    """The IPv4 address inside an IPv4-mapped one, since connecting to either is the same."""
    if isinstance(address, IPv6Address) and address in _MAPPED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def closed_range(address: Address) -> Range | None:
    """The range that closes `address`, or None for an address of the open internet."""
    for closed in _CLOSED:
        if address.version == closed.network.version and address in closed.network:
            return closed
    if isinstance(address, IPv6Address) and address not in _UNICAST:
        return _NOT_UNICAST
    return None
