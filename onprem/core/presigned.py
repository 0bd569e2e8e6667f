"""Presigned URLs of object stores: how long they stay valid, and what a PUT to one may say."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import parse_qsl

Query = Mapping[str, str]


def seconds_left(url: str, now: float) -> float | None:
    """For how long the URL stays valid; None where it is not presigned, or does not say.

    Knows S3's signature versions 4 and 2, Google's V4 and V2, Azure's shared access signatures,
    and links like theirs (`Expires=` beside `Signature=`).
    """
    query = _query(url)
    end = _signed_until(query, "x-amz") or _signed_until(query, "x-goog")
    if end is None and "signature" in query:
        end = _epoch(query.get("expires"))
    if end is None and "sig" in query:
        end = _moment(query.get("se"))
    return None if end is None else end - now


def put_headers(url: str, content_type: str) -> dict[str, str]:
    """The headers that a PUT to this URL may have besides `Content-Length`.

    Version 2 signs the Content-Type, and what makes such URLs leaves it empty. Azure stores
    nothing without a type of blob. All others take a Content-Type that they did not sign.
    """
    query = _query(url)
    if "signature" in query and "expires" in query:
        return {}
    headers = {"Content-Type": content_type}
    if "sig" in query and "sv" in query:
        headers["x-ms-blob-type"] = "BlockBlob"
    return headers


def _query(url: str) -> Query:
    query = url.partition("#")[0].partition("?")[2]
    return {name.lower(): value for name, value in parse_qsl(query)}


def _signed_until(query: Query, prefix: str) -> float | None:
    """`X-Amz-Date` plus `X-Amz-Expires`, and Google's alike."""
    signed, lifetime = _moment(query.get(f"{prefix}-date")), _epoch(query.get(f"{prefix}-expires"))
    return None if signed is None or lifetime is None else signed + lifetime


def _epoch(text: str | None) -> float | None:
    return float(text) if text and text.isascii() and text.isdigit() and len(text) < 15 else None


def _moment(text: str | None) -> float | None:
    """ISO 8601, also in its basic form and as a day alone; UTC where it does not say."""
    try:
        moment = datetime.fromisoformat(text or "")
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
