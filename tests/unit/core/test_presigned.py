"""Presigned URLs of the stores that people use, as their own tools make them."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.config import Config
from hypothesis import given, strategies as st

from onprem.core.presigned import put_headers, seconds_left

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp()
DAY = 86_400.0
S3 = "https://b.s3.amazonaws.com/call.wav?X-Amz-Algorithm=AWS4-HMAC-SHA256"
GOOGLE = "https://storage.googleapis.com/b/call.wav?X-Goog-Algorithm=GOOG4-RSA-SHA256"
AZURE = "https://a.blob.core.windows.net/c/call.wav?sv=2024-11-04&sr=b&sig=x%3D"


@pytest.mark.parametrize(
    ("url", "left"),
    [
        (f"{S3}&X-Amz-Date=20261123T120000Z&X-Amz-Expires=604800&X-Amz-Signature=x", 7 * DAY),
        (f"{S3}&X-Amz-Date=20261122T120000Z&X-Amz-Expires=3600", 3600 - DAY),
        (f"{GOOGLE}&X-Goog-Date=20261123T110000Z&X-Goog-Expires=7200", 3600),
        (f"https://h/x?AWSAccessKeyId=a&Signature=s&Expires={NOW + 60:.0f}", 60),
        (f"https://h/x?GoogleAccessId=a&Expires={NOW + 60:.0f}&Signature=s", 60),
        (f"{AZURE}&se=2026-11-25T12%3A00%3A00Z", 2 * DAY),
        (f"{AZURE}&se=2026-11-24", DAY / 2),
        (f"{AZURE}&se=2026-11-23T12:30Z#fragment", 1800),
    ],
)
def test_what_is_left(url: str, left: float) -> None:
    assert seconds_left(url, NOW) == left


@pytest.mark.parametrize(
    "url",
    [
        "https://h/call.wav",
        "https://h/call.wav?Expires=2000000000",
        "https://h/call.wav?se=2030-01-01T00:00:00",
        f"{S3}&X-Amz-Date=20261123T120000Z",
        f"{S3}&X-Amz-Date=yesterday&X-Amz-Expires=60",
        f"{S3}&X-Amz-Date=20261123T120000Z&X-Amz-Expires=-60",
        "https://h/x?Signature=s&Expires=" + "9" * 400,
        f"{AZURE}&se=",
        "media://a",
    ],
)
def test_what_is_not_presigned_or_does_not_say(url: str) -> None:
    assert seconds_left(url, NOW) is None


@given(st.text())
def test_nothing_that_somebody_sends_breaks_it(text: str) -> None:
    assert seconds_left(text, NOW) is None or "?" in text
    put_headers(text, "text/plain")


@pytest.mark.parametrize(("version", "typed"), [("s3v4", True), ("s3", False)])
def test_a_put_sends_a_type_unless_the_signature_covers_it(version: str, typed: bool) -> None:
    client = boto3.client(
        "s3",
        region_name="us-east-1",
        aws_access_key_id="a",
        aws_secret_access_key="s",
        config=Config(signature_version=version),
    )
    url = client.generate_presigned_url("put_object", {"Bucket": "b", "Key": "k"}, ExpiresIn=600)
    assert put_headers(url, "text/plain") == ({"Content-Type": "text/plain"} if typed else {})
    left = seconds_left(url, datetime.now(UTC).timestamp())
    assert left is not None and 590 < left <= 600


def test_azure_is_told_what_to_store() -> None:
    assert put_headers(AZURE, "text/vtt") == {
        "Content-Type": "text/vtt",
        "x-ms-blob-type": "BlockBlob",
    }
