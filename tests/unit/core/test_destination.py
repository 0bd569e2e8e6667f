"""Which deliveries a request asks for, and formats that its output cannot have."""

from typing import Any

import pytest

from onprem.core.delivery import DeliveryKind
from onprem.core.destination import destination_of, format_faults
from onprem.core.fieldwise import convert_fields
from onprem.core.requests import DiarizeRequest, JobRequest


def request(**fields: Any) -> DiarizeRequest:
    converted = convert_fields(DiarizeRequest, {"url": "media://a"} | fields)
    assert converted.value is not None, converted.faults
    return converted.value


def test_nobody_wants_to_be_told() -> None:
    assert destination_of(request(webhookStatusOnly=True)) is None


def test_a_webhook_and_an_upload_are_two_deliveries() -> None:
    wanted = destination_of(
        request(webhook="https://a/", webhookStatusOnly=True, deliver={"url": "https://b/"})
    )
    assert wanted is not None
    assert wanted.kinds() == [DeliveryKind.WEBHOOK, DeliveryKind.DELIVER]
    assert [wanted.url(kind) for kind in wanted.kinds()] == ["https://a/", "https://b/"]
    assert wanted.status_only


def test_each_alone() -> None:
    upload = destination_of(request(deliver={"url": "https://b/"}))
    hook = destination_of(request(webhook="https://a/"))
    assert upload is not None and hook is not None
    assert upload.kinds() == [DeliveryKind.DELIVER] and hook.kinds() == [DeliveryKind.WEBHOOK]
    assert upload.url(DeliveryKind.WEBHOOK) is None and hook.url(DeliveryKind.DELIVER) is None


@pytest.mark.parametrize(
    ("format", "transcription", "possible"),
    [
        ("json", False, True),
        ("rttm", False, True),
        ("txt", False, True),
        ("srt", False, False),
        ("vtt", False, False),
        ("srt", True, True),
        ("vtt", True, True),
    ],
)
def test_subtitles_need_a_transcription(format: str, transcription: bool, possible: bool) -> None:
    wanted = request(deliver={"url": "https://b/", "format": format}, transcription=transcription)
    assert [fault.field for fault in format_faults(wanted)] == (
        [] if possible else ["deliver.format"]
    )


def test_what_is_no_diarization_can_be_had_as_json_only() -> None:
    fields = {"url": "media://a", "deliver": {"url": "https://b/", "format": "rttm"}}
    bare = convert_fields(JobRequest, fields).value
    assert bare is not None
    assert [fault.field for fault in format_faults(bare)] == ["deliver.format"]
