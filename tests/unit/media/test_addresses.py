"""Every address and rule as a table: a range that is forgotten here is one that is open."""

import pytest

from onprem.media.addresses import AllowRule, denial


def rules(*texts: str) -> list[AllowRule]:
    return [AllowRule.parse(text) for text in texts]


@pytest.mark.parametrize(
    "address",
    [
        *("0.0.0.0", "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.255"),
        *("127.0.0.1", "127.1.2.3", "169.254.0.1", "169.254.169.254", "172.16.0.1"),
        *("172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
        *("192.168.0.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1"),
        *("224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255"),
        *("100.100.100.200", "168.63.129.16"),
        *("::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe"),
        *("64:ff9b::a00:1", "64:ff9b::7f00:1", "64:ff9b:1::1", "2002:a00:1::", "2002:7f00:1::1"),
        *("2001::1", "2001:0:a00:1::", "2001:20::1", "2001:db8::1", "3fff::1", "100::1"),
        *("fc00::1", "fd00::1", "fd00:ec2::254", "fe80::1", "fe80::1%1", "fec0::1", "ff02::1"),
        *("4000::1", "5f00::1", "::ffff:0:7f00:1"),
    ],
)
def test_an_address_that_is_not_of_the_open_internet_is_closed(address: str) -> None:
    assert denial("host.example", address, 443, []) is not None


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0"),
        *("126.255.255.255", "128.0.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0"),
        *("198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111"),
        *("2a00:1450::1", "::ffff:1.1.1.1"),
    ],
)
def test_the_open_internet_is_open_on_80_and_443_only(address: str) -> None:
    assert denial("host.example", address, 443, []) is None
    assert denial("host.example", address, 80, []) is None
    assert denial("host.example", address, 8080, []) == "port 8080 is not allowed"
    assert denial("host.example", address, 8080, rules("host.example:8080")) is None


@pytest.mark.parametrize(
    ("rule", "host", "address", "port", "opened"),
    [
        ("10.20.0.0/16", "x", "10.20.3.4", 443, True),
        ("10.20.0.0/16", "x", "10.20.3.4", 9000, False),
        ("10.20.0.0/16", "x", "10.21.3.4", 443, False),
        ("10.20.0.0/16", "x", "::ffff:10.20.3.4", 443, True),
        ("10.20.0.0/16:9000", "x", "10.20.3.4", 9000, True),
        ("10.20.0.0/16:9000", "x", "10.20.3.4", 443, False),
        ("minio.corp", "minio.corp", "10.1.1.1", 443, True),
        ("minio.corp", "MINIO.corp.", "10.1.1.1", 443, True),
        ("minio.corp", "evil-minio.corp", "10.1.1.1", 443, False),
        ("minio.corp", "a.minio.corp", "10.1.1.1", 443, False),
        ("minio.corp:9000", "minio.corp", "10.1.1.1", 9000, True),
        ("minio.corp:9000", "minio.corp", "10.1.1.1", 443, False),
        ("minio.corp:9000", "minio.corp", "127.0.0.1", 9000, False),
        ("minio.corp", "minio.corp", "169.254.169.254", 80, False),
        ("minio.corp", "minio.corp", "fd00:ec2::254", 80, False),
        ("minio.corp", "minio.corp", "fd00::1", 443, True),
        ("minio.corp", "minio.corp", "64:ff9b::a00:1", 443, False),
        ("*.corp:443", "a.b.corp", "10.1.1.1", 443, True),
        ("*.corp:443", "corp", "10.1.1.1", 443, False),
        ("*.corp:443", "a.notcorp", "10.1.1.1", 443, False),
        ("127.0.0.1:8123", "localhost", "127.0.0.1", 8123, True),
        ("127.0.0.1:8123", "localhost", "127.0.0.2", 8123, False),
        ("0.0.0.0/0", "x", "10.1.1.1", 443, True),
        ("0.0.0.0/0", "x", "127.0.0.1", 443, False),
        ("169.254.0.0/16", "x", "169.254.1.1", 80, True),
        ("169.254.0.0/16", "x", "169.254.169.254", 80, False),
        ("169.254.169.254", "x", "169.254.169.254", 80, True),
        ("[::1]:8123", "localhost", "::1", 8123, True),
        ("fd00::/8", "x", "fd12::1", 443, True),
        ("[fd00::/8]:9000", "x", "fd12::1", 9000, True),
        ("::/0", "x", "::1", 443, False),
        ("::/0", "x", "10.1.1.1", 443, False),
    ],
)
def test_a_rule_opens_what_it_names_and_no_more(
    rule: str, host: str, address: str, port: int, opened: bool
) -> None:
    assert (denial(host, address, port, rules(rule)) is None) is opened


@pytest.mark.parametrize(
    "text",
    [
        *("", " ", ":9000", "10.20.0.1/16", "10.20.0.0/33", "minio.corp:", "minio.corp:0"),
        *("minio.corp:65536", "minio.corp:http", "http://minio.corp", "minio.corp/path"),
        *("*", "*.", "a.*.corp", "*corp", "127.1", "0x7f.1", "2130706433", "user@minio.corp"),
        *("[fd00::/8]9000", "-minio.corp", "minio..corp", "mi nio"),
    ],
)
def test_a_rule_that_is_none_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match=r"[a-z]{3}.*\.$"):
        AllowRule.parse(text)


def test_a_network_with_host_bits_is_answered_with_what_was_meant() -> None:
    with pytest.raises(ValueError, match="the network is 10.20.0.0/16"):
        AllowRule.parse("10.20.0.1/16:9000")
