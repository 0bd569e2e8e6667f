"""All that the server can do, as one bundle that the API is built on."""

import msgspec

from onprem.config.settings import Settings
from onprem.services.cancellation import Cancellation
from onprem.services.deliveries import Deliveries
from onprem.services.downloads import Downloads
from onprem.services.health import Health
from onprem.services.idempotency import Idempotency
from onprem.services.installed import InstalledModels
from onprem.services.job_events import JobEvents
from onprem.services.jobs import Jobs
from onprem.services.keys import Keys
from onprem.services.media_library import MediaLibrary
from onprem.services.model_choice import ModelChoice
from onprem.services.outputs import Outputs
from onprem.services.projects import Projects
from onprem.services.rate_limits import RateLimits
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
    outputs: Outputs
    deliveries: Deliveries
    webhook_secrets: WebhookSecrets
    health: Health
