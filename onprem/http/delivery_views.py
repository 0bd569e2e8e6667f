"""Deliveries and webhook secrets as the API shows them."""

from typing import Annotated

import msgspec
from msgspec import Meta

from onprem.core.delivery import Attempt, DeliveryKind, DeliveryState, FailureReason
from onprem.http.views import iso
from onprem.services.webhook_secrets import ProjectSecrets
from onprem.store.deliveries import Delivery
from onprem.store.secrets import Secret


class AttemptView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One try; without a `reason` it succeeded."""

    at: str
    reason: FailureReason | None = None
    http_status: int | None = None


class DeliveryView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One place that the job's result goes to; never its URL."""

    id: Annotated[str, Meta(description="The `webhook-id` of each try.")]
    kind: DeliveryKind
    state: DeliveryState
    attempts: list[AttemptView]
    next_attempt_at: Annotated[str | None, Meta(description="While it waits for a try.")] = None
    ended_at: Annotated[str | None, Meta(description="When it was delivered or given up.")] = None
    bytes: Annotated[
        int | None, Meta(description="Size of the body that arrived with the output.")
    ] = None
    sha256: Annotated[
        str | None, Meta(description="Of that body, until the output's deadline.")
    ] = None


class DeliveryList(msgspec.Struct, frozen=True):
    """All deliveries of a job."""

    deliveries: list[DeliveryView]


class Acknowledged(msgspec.Struct, frozen=True, rename="camel"):
    """When the job's owner first said so."""

    job_id: str
    acknowledged_at: str


class SecretView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """A webhook secret; one that was rotated has a moment when it signs no more."""

    secret: str
    created_at: str
    retires_at: str | None = None


class SecretList(msgspec.Struct, frozen=True):
    """The secrets that sign for a project, the newest first."""

    project: str
    secrets: list[SecretView]


def delivery_view(delivery: Delivery) -> DeliveryView:
    return DeliveryView(
        id=delivery.id,
        kind=delivery.kind,
        state=delivery.state,
        attempts=[_attempt(attempt) for attempt in delivery.attempts],
        next_attempt_at=None if delivery.next_at is None else iso(delivery.next_at),
        ended_at=None if delivery.ended_at is None else iso(delivery.ended_at),
        bytes=delivery.bytes,
        sha256=delivery.sha256,
    )


def secret_list(found: ProjectSecrets) -> SecretList:
    return SecretList(found.project.name, [_secret(secret) for secret in found.secrets])


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(iso(attempt.at), attempt.reason, attempt.http_status)


def _secret(secret: Secret) -> SecretView:
    return SecretView(
        secret=secret.value.decode(),
        created_at=iso(secret.created_at),
        retires_at=None if secret.retires_at is None else iso(secret.retires_at),
    )
