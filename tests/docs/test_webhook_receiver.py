"""The receivers on the page for webhooks take what this server signs, and nothing else."""

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from onprem.core.delivery import webhook_body
from onprem.core.job import JobStatus
from onprem.core.webhook_signature import secret_text, signature_headers

PAGE = Path(__file__).parents[2] / "docs/api/clients/webhook-receiver.md"
LISTENING, BY_HAND = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
SECRET = secret_text(bytes(range(32)))
BODY = webhook_body("1a20dbb3-2c96-482d-b5ae-d7770645c786", JobStatus.SUCCEEDED, b'{"a": 1}')


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    now = int(time.time())
    return signature_headers(body, delivery_id="dlv_1", timestamp=now, secrets=[secret])


@pytest.fixture
def address() -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {"PATH": os.environ["PATH"], "PORT": str(port), "ONPREM_WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(
        [sys.executable, "-c", LISTENING],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as receiver:
        deadline = time.monotonic() + 20
        while receiver.poll() is None and time.monotonic() < deadline:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
        yield f"http://127.0.0.1:{port}"
        receiver.kill()


def test_the_library_takes_what_is_signed(address: str) -> None:
    answer = httpx.post(address, content=BODY, headers=signed(BODY), trust_env=False)
    assert answer.status_code == 204


@pytest.mark.parametrize(
    "headers", [signed(BODY + b" "), signed(BODY, secret_text(bytes(32)))], ids=["body", "secret"]
)
def test_the_library_refuses_the_rest(address: str, headers: dict[str, str]) -> None:
    with pytest.raises(httpx.RemoteProtocolError):  # the handler raised, nothing was answered
        httpx.post(address, content=BODY, headers=headers, trust_env=False)


def test_the_one_by_hand() -> None:
    names: dict[str, Any] = {}
    exec(BY_HAND, names)
    genuine: Callable[[str, dict[str, str], bytes], bool] = names["genuine"]
    assert genuine(SECRET, signed(BODY), BODY)
    assert not genuine(SECRET, signed(BODY), BODY + b" ")
    assert not genuine(secret_text(bytes(32)), signed(BODY), BODY)
