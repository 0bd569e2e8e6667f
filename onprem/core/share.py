"""What a shared bundle says of itself, and what the ledger says of it."""

import enum
import hashlib
from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from onprem.core.consent import Consent
from onprem.core.scores import DiarizationScore, TranscriptionScore
from onprem.core.speech import ModelRef

FORMAT = "onprem-share/1"
USE = (
    "For validation and testing only. Nothing in this bundle may be used to train a model. "
    "Whoever has it deletes it, and every copy and extract, when the consent ends."
)
MANIFEST = "manifest.json"


class PartSource(enum.StrEnum):
    STORED = "stored"
    """It was read from the job's record."""
    FILE = "file"
    """Whoever made the bundle gave it; nothing proves that it is the job's."""


class Part(msgspec.Struct, frozen=True):
    """A file of the bundle beside the manifest."""

    name: str
    bytes: int
    sha256: str
    source: PartSource


class Scores(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """Produced output against expected output; `not_scored` says why one is missing."""

    diarization: DiarizationScore | None = None
    transcription: TranscriptionScore | None = None
    not_scored: dict[str, str] = {}


class Manifest(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """The bundle's first file."""

    format: str = FORMAT
    use: str = USE
    created_at: datetime
    onprem: Annotated[str, Meta(description="The version that made the bundle.")]
    job_id: str
    job_kind: str
    engine: Annotated[
        dict[str, ModelRef] | None, Meta(description="The models that made the output.")
    ]
    consent: Consent
    consent_sha256: Annotated[str, Meta(description="Of the consent document as it was given.")]
    parts: list[Part]
    scores: Scores
    nonce: Annotated[
        str, Meta(description="Random: so the manifest's digest tells nothing of the content.")
    ]

    def encoded(self) -> bytes:
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def act_details(manifest: Manifest, recipients: list[str]) -> dict[str, Any]:
    """For the ledger: public keys, and nothing by which a guess at what was said can be tried.

    Of the parts no digest, then; the manifest's covers them, and its nonce makes it random.
    """
    return {
        "consentSha256": manifest.consent_sha256,
        "recipients": recipients,
        "manifestSha256": hashlib.sha256(manifest.encoded()).hexdigest(),
        "parts": [
            {"name": part.name, "bytes": part.bytes, "source": part.source}
            for part in manifest.parts
        ],
    }
