"""Signatures, as receivers of both kinds verify them."""

import hashlib
import hmac
import json
import time

import pytest
from hypothesis import given, strategies as st
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError

from onprem.core.delivery import FailureReason
from onprem.core.webhook_signature import retry_headers, secret_text, signature_headers

OLD, NEW = secret_text(bytes(range(32))), secret_text(bytes(range(32, 64)))


def headers(body: bytes, *secrets: str, at: float | None = None) -> dict[str, str]:
    moment = int(time.time() if at is None else at)
    return signature_headers(body, delivery_id="dlv_1", timestamp=moment, secrets=secrets)


@given(st.dictionaries(st.text(), st.text()))
def test_the_standard_library_of_receivers_verifies(body: dict[str, str]) -> None:

    raw = json.dumps(body).encode()
    assert Webhook(NEW).verify(raw, headers(raw, NEW)) == body


@pytest.mark.parametrize("secret", [OLD, NEW])
def test_while_both_secrets_live_a_receiver_may_have_either(secret: str) -> None:
    Webhook(secret).verify(b"{}", headers(b"{}", NEW, OLD))


def test_another_secret_another_body_and_an_old_message_are_refused() -> None:
    for secret, body, signed in (
        (OLD, b"{}", headers(b"{}", NEW)),
        (NEW, b"{} ", headers(b"{}", NEW)),
        (NEW, b"{}", headers(b"{}", NEW, at=time.time() - 301)),
        (NEW, b"{}", headers(b"{}", NEW) | {"webhook-id": "dlv_2"}),
    ):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, signed)


def of_the_contract(secret: str, timestamp: str, body: bytes) -> str:
    """The sample of the pyannoteAI documentation."""
    signed = f"v0:{timestamp}:{body.decode()}"
    return hmac.new(secret.encode(), signed.encode(), hashlib.sha256).hexdigest()


def test_the_contract_s_signature_is_by_the_newest_and_beside_it_by_the_one_before() -> None:
    sent = headers(b'{"jobId":"j"}', NEW, OLD, at=1_800_000_000)
    assert sent["X-Request-Timestamp"] == sent["webhook-timestamp"] == "1800000000"
    assert sent["X-Signature"] == of_the_contract(NEW, "1800000000", b'{"jobId":"j"}')
    assert sent["X-Signature-Previous"] == of_the_contract(OLD, "1800000000", b'{"jobId":"j"}')
    assert "X-Signature-Previous" not in headers(b"{}", NEW)


def test_retries_are_numbered_and_say_why() -> None:
    assert retry_headers(0, None) == {}
    assert retry_headers(2, FailureReason.HTTP_TIMEOUT) == {
        "x-retry-num": "2",
        "x-retry-reason": "http_timeout",
    }
