"""What a client may ask about voices: a print of one, and who of those it knows is speaking."""

from collections.abc import Mapping
from typing import Annotated, Any

from msgspec import Meta

from onprem.core.requests import Body, DiarizationRequest, JobRequest
from onprem.faults import Fault

MOST_VOICEPRINTS = 50
RESERVED_PREFIX = "SPEAKER_"
"""Of the labels that speakers have who match nobody."""

_NO_LABEL = "^(?![Ss][Pp][Ee][Aa][Kk][Ee][Rr]_)"


class VoiceprintRequest(JobRequest, frozen=True, kw_only=True):
    """`POST /v1/voiceprint`."""

    consent_ref: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | None,
        Meta(
            description="Where the person's consent is on record; comes back in the output (not "
            "in the contract)."
        ),
    ] = None


def consent_faults(sound: Mapping[str, Any]) -> list[Fault]:
    """What is wrong where the project wants to know of the consent; `sound` as in `Conversion`."""
    if sound.get("consent_ref") is not None:
        return []
    return [Fault("consentRef", "Required: this project makes voiceprints with consent only")]


class LabelledVoiceprint(Body, frozen=True, kw_only=True):
    """Somebody who may be speaking."""

    label: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=100,
            extra_json_schema={"pattern": _NO_LABEL},
            description="A name, unique in the request; must not begin with `SPEAKER_`.",
        ),
    ]
    voiceprint: Annotated[
        str, Meta(max_length=20_000, description="As `POST /v1/voiceprint` made it.")
    ]


class Matching(Body, frozen=True, kw_only=True):
    """How speakers and voiceprints are matched."""

    exclusive: Annotated[
        bool, Meta(description="Each label matches one speaker at most; the likeliest pairs win.")
    ] = True
    threshold: Annotated[
        float,
        Meta(
            ge=0,
            le=100,
            description="The least score of a match; 0 or absent: this server's operating point.",
        ),
    ] = 0.0


class IdentifyRequest(DiarizationRequest, frozen=True, kw_only=True):
    """`POST /v1/identify`."""

    voiceprints: Annotated[
        list[LabelledVoiceprint],
        Meta(min_length=1, max_length=MOST_VOICEPRINTS, description="Who may be speaking."),
    ]
    matching: Annotated[Matching, Meta(description="How speakers are matched.")] = Matching()
    transcription: Annotated[
        bool, Meta(description="Not with identification: must be false or absent.")
    ] = False

    def faults(self) -> list[Fault]:
        faults = super().faults()
        if self.transcription:
            why = "Cannot be combined with identification; send it to POST /v1/diarize"
            faults.append(Fault("transcription", why))
        seen = set()
        for index, each in enumerate(self.voiceprints):
            field = f"voiceprints[{index}].label"
            if each.label.upper().startswith(RESERVED_PREFIX):
                faults.append(Fault(field, f"Must not begin with {RESERVED_PREFIX}"))
            if each.label in seen:
                faults.append(Fault(field, "Another voiceprint has the same label"))
            seen.add(each.label)
        return faults
