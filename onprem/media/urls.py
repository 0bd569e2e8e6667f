"""The shape that a URL must have, whoever it leads to; where a redirect leads."""

import httpcore
import httpx

_LONGEST = 4096


def check_url(url: str) -> str | None:
    """A sentence that says what is wrong with the URL's shape, or None.

    Pure: it resolves nothing and knows no rules. Whether the server connects there is decided
    when it connects. The sentence never quotes the URL.
    """
    if len(url) > _LONGEST:
        return f"The URL is longer than {_LONGEST} characters."
    if not url.isprintable() or " " in url or "\\" in url:
        return "The URL holds a character that has to be percent-encoded."
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return "The URL is not well formed."
    return _check_parts(parsed)


def redirected(source: httpx.URL, location: bytes) -> str:
    """Where a `Location` leads; empty where it is no URL."""
    try:
        return str(source.join(location.decode("latin-1")))
    except httpx.InvalidURL:
        return ""


def core_url(target: httpx.URL) -> httpcore.URL:
    """The same URL as httpcore takes it."""
    return httpcore.URL(
        scheme=target.raw_scheme, host=target.raw_host, port=target.port, target=target.raw_path
    )


def _check_parts(url: httpx.URL) -> str | None:
    if url.scheme not in ("http", "https"):
        return "The URL must start with https:// or http://."
    if not url.host:
        return "The URL names no host."
    if url.userinfo:
        return "The URL must not hold a user name or a password."
    if "%" in url.host:
        return "The URL's host must not have a zone or an encoded character."
    if url.port is not None and not 1 <= url.port <= 65_535:
        return "The URL's port is not a number from 1 to 65535."
    return None
