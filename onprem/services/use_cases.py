"""All that the server can do, as one bundle that the API is built on."""

import msgspec

from onprem.config.settings import Settings
from onprem.services.cancellation import Cancellation
from onprem.services.compliance import Compliance
from onprem.services.counters import Counters
from onprem.services.deliveries import Deliveries
from onprem.services.doctor.doctor import Doctor
from onprem.services.downloads import Downloads
from onprem.services.evidence.pack import EvidencePacks
from onprem.services.health import Health
from onprem.services.idempotency import Idempotency
from onprem.services.installed import InstalledModels
from onprem.services.job_events import JobEvents
from onprem.services.jobs import Jobs
from onprem.services.keys import Keys
from onprem.services.ledger_export import LedgerExport
from onprem.services.ledger_reading import LedgerReading
from onprem.services.media_library import MediaLibrary
from onprem.services.metrics import Metrics
from onprem.services.metrics_token import MetricsToken
from onprem.services.model_choice import ModelChoice
from onprem.services.outputs import Outputs
from onprem.services.projects import Projects
from onprem.services.purge import Purge
from onprem.services.rate_limits import RateLimits
from onprem.services.signing import Signer
from onprem.services.speech_to_text import SpeechToText
from onprem.services.submit import Submission
from onprem.services.uploads import Uploads
from onprem.services.usage import Usage
from onprem.services.webhook_secrets import WebhookSecrets


class UseCases(msgspec.Struct, frozen=True):
    settings: Settings
    projects: Projects
    keys: Keys
    rate_limits: RateLimits
    usage: Usage
    installed: InstalledModels
    uploads: Uploads
    downloads: Downloads
    media: MediaLibrary
    models: ModelChoice
    submission: Submission
    speech_to_text: SpeechToText
    idempotency: Idempotency
    jobs: Jobs
    job_events: JobEvents
    cancellation: Cancellation
    purge: Purge
    outputs: Outputs
    deliveries: Deliveries
    webhook_secrets: WebhookSecrets
    health: Health
    compliance: Compliance
    metrics: Metrics
    metrics_token: MetricsToken
    counters: Counters
    doctor: Doctor
    signer: Signer
    ledger: LedgerReading
    ledger_export: LedgerExport
    evidence: EvidencePacks
