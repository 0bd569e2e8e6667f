"""Forms that are damaged or hostile: a 400 or 413 in OpenAI's shape, and nothing is kept."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings as hypothesis_settings, strategies as st

from onprem.config.settings import Limits
from onprem.http.openai import form as openai_form
from tests.support.audio import tone
from tests.support.clock import FakeClock
from tests.support.engine import FakeEngine
from tests.support.server import Running, install, running, settings_in

PATH = "/v1/audio/transcriptions"
FORM = "multipart/form-data; boundary=b"


def part(name: str, value: bytes, *, filename: str | None = None) -> bytes:
    shown = f'; filename="{filename}"' if filename else ""
    return (
        f'--b\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n\r\n'.encode()
        + value
        + b"\r\n"
    )


MODEL = part("model", b"whisper-base")
FILE = part("file", tone(1.0), filename="a.wav")
END = b"--b--\r\n"

ATTACKS = {
    "no boundary": ("multipart/form-data", MODEL + FILE + END),
    "empty boundary": ("multipart/form-data; boundary=", MODEL + FILE + END),
    "endless boundary": (f"multipart/form-data; boundary={'b' * 5000}", MODEL + FILE + END),
    "JSON": ("application/json", b'{"model": "whisper-base"}'),
    "no content type": ("", MODEL + FILE + END),
    "empty": (FORM, b""),
    "only the end": (FORM, END),
    "another boundary": ("multipart/form-data; boundary=c", MODEL + FILE + END),
    "no file": (FORM, MODEL + END),
    "no model": (FORM, FILE + END),
    "two files": (FORM, MODEL + FILE + FILE + END),
    "breaks off in the file": (FORM, MODEL + FILE[:1000]),
    "breaks off in a header": (FORM, MODEL + b"--b\r\nContent-Disp"),
    "no end": (FORM, MODEL + FILE),
    "10,000 fields": (FORM, part("x", b"1") * 10_000 + MODEL + FILE + END),
    "huge header": (FORM, part("x" * 100_000, b"1") + MODEL + FILE + END),
    "many headers": (FORM, b"--b\r\n" + b"A: b\r\n" * 100 + b"\r\nx\r\n" + MODEL + FILE + END),
    "not UTF-8": (FORM, part("prompt", b"\xff\xfe") + MODEL + FILE + END),
    "null in a name": (FORM, MODEL + part("\0", b"1", filename="x") + part("file\0", b"1") + END),
}


async def send(server: Running, content_type: str, body: bytes) -> tuple[int, dict[str, str]]:
    headers = {"content-type": content_type} if content_type else {}
    answer = await server.client.post(PATH, content=body, headers=headers)
    return answer.status_code, answer.json().get("error", {})


@pytest.mark.parametrize("name", ATTACKS)
async def test_what_is_no_form(server: Running, engine: FakeEngine, name: str) -> None:
    status, error = await send(server, *ATTACKS[name])
    assert status == 400, error
    assert (error["type"], error["code"]) == ("invalid_request_error", "invalid_request")
    await nothing_is_left(server, engine)


async def nothing_is_left(server: Running, engine: FakeEngine) -> None:
    assert server.server.use.speech_to_text._memory.in_use == 0
    assert (await server.client.get("/v2/jobs")).json()["items"] == []
    assert engine.heard == []


@pytest.mark.parametrize(
    "order", [MODEL + FILE + END, FILE + MODEL + END, b"\r\n" + FILE + MODEL + END]
)
async def test_fields_come_in_any_order(server: Running, order: bytes) -> None:
    assert (await send(server, FORM, order))[0] == 200


@pytest.mark.parametrize("size", [1, 7, 1000])
async def test_pieces_of_any_size(server: Running, engine: FakeEngine, size: int) -> None:
    body = FILE[:3000] + b"\r\n" + MODEL + END if size == 1 else FILE + MODEL + END

    async def pieces() -> AsyncIterator[bytes]:
        for at in range(0, len(body), size):
            yield body[at : at + size]

    answer = await server.client.post(PATH, content=pieces(), headers={"content-type": FORM})
    if size == 1:  # the recording breaks off, the form does not
        assert answer.json()["error"]["code"] == "audio_too_short"
    else:
        assert answer.status_code == 200
        ((_, samples),) = engine.heard
        assert samples == 16_000


async def test_a_file_that_is_too_large(
    tmp_path: object, clock: FakeClock, engine: FakeEngine
) -> None:
    settings = settings_in(tmp_path, limits=Limits(media_size=10_000))  # type: ignore[arg-type]
    key = await install(settings, clock)
    async with running(settings, engine, key, clock) as server:
        status, error = await send(server, FORM, MODEL + FILE + END)
        assert (status, error["code"]) == (413, "media_too_large")
        await nothing_is_left(server, engine)


@pytest.mark.parametrize("place", ["field", "preamble"])
async def test_text_without_end(
    server: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    monkeypatch.setattr(openai_form, "TEXT_LIMIT", 10_000)
    if place == "field":
        body = part("prompt", b"x" * 20_000) + MODEL + FILE + END
    else:
        room = server.settings.limits
        monkeypatch.setattr(server.server.use.speech_to_text, "file_limit", 10_000)
        assert room.media_size > 10_000
        body = b"x" * 30_000 + b"\r\n" + MODEL + END
    status, error = await send(server, FORM, body)
    assert (status, error["code"]) == (413, "body_too_large")
    await nothing_is_left(server, engine)


async def test_a_form_that_stalls(
    server: Running, engine: FakeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(openai_form, "STALL_SECONDS", 0)
    forever = asyncio.Event()

    async def stalled() -> AsyncIterator[bytes]:
        yield FILE[:100]
        await forever.wait()

    call = asyncio.create_task(
        server.client.post(PATH, content=stalled(), headers={"content-type": FORM})
    )
    await asyncio.wait([call], timeout=10)
    forever.set()
    answer = await call
    assert (answer.status_code, answer.json()["error"]["code"]) == (408, "form_stalled")
    await nothing_is_left(server, engine)


@given(st.binary(max_size=300))
@hypothesis_settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_bytes(server: Running, body: bytes) -> None:
    status, _ = await send(server, FORM, body)
    assert status == 400
