"""The use cases that the API is built on."""

import os
from contextlib import nullcontext
from functools import partial
from typing import NamedTuple

from onprem.engine.library import ModelLibrary
from onprem.runner.loop import RunnerLoop
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
from onprem.services.media_links import LinkSigner
from onprem.services.metrics import Metrics
from onprem.services.metrics_token import MetricsToken
from onprem.services.model_choice import ModelChoice
from onprem.services.outputs import Outputs
from onprem.services.projects import Projects
from onprem.services.purge import Purge
from onprem.services.rate_limits import RateLimits
from onprem.services.signing import installation_signer
from onprem.services.speech_to_text import SpeechToText
from onprem.services.submit import Submission
from onprem.services.sweep import Sweep
from onprem.services.uploads import Uploads
from onprem.services.usage import Usage
from onprem.services.use_cases import UseCases
from onprem.services.voiceprints import Voiceprints
from onprem.services.webhook_secrets import WebhookSecrets
from onprem.wiring.configured import master_key_file
from onprem.wiring.parts import Parts


class Watch(NamedTuple):
    """What shows how the server is."""

    health: Health
    compliance: Compliance
    metrics: Metrics
    token: MetricsToken
    counters: Counters


def watch(
    parts: Parts, runner: RunnerLoop, sweep: Sweep, counters: Counters, token: MetricsToken
) -> Watch:
    health = Health(runner, parts.database)
    compliance = Compliance(
        parts.database,
        sweep.health,
        parts.artefacts.verification,
        parts.memory,
        runner,
        parts.clock,
    )
    metrics = Metrics(
        parts.database,
        parts.settings.storage.data_dir,
        counters,
        compliance,
        health,
        parts.finisher.outcomes,
        parts.settings.limits,
        parts.clock,
    )
    return Watch(health, compliance, metrics, token, counters)


def _purge(parts: Parts, cancellation: Cancellation) -> Purge:
    return Purge(
        parts.database,
        parts.artefacts,
        parts.finisher,
        cancellation,
        parts.sweep,
        parts.clock,
        lambda: nullcontext(False),  # this process is the server
        partial(installation_signer, parts.database, parts.secrets, parts.clock),
    )


def use_cases(parts: Parts, runner: RunnerLoop, trusted: list[bytes], watch: Watch) -> UseCases:
    settings, clock, database, artefacts, master = parts[:5]
    library = ModelLibrary(settings.models_dir)
    key_file = master_key_file(settings, os.environ)
    doctor = Doctor(settings, key_file, clock)
    choice = ModelChoice(settings.models, library)
    signer = LinkSigner(master.derive("signed links"))
    jobs = Jobs(database, artefacts, parts.access, parts.progress, parts.speed, clock)
    submission = Submission(
        database,
        artefacts,
        choice,
        Voiceprints([parts.voiceprint_key, *trusted], library),
        parts.wake,
        parts.speed,
        clock,
        settings,
    )
    cancellation = Cancellation(
        database, artefacts, parts.finisher, parts.progress, parts.wake, clock
    )
    speech_to_text = SpeechToText(
        database,
        artefacts,
        parts.access,
        submission,
        cancellation,
        parts.attended,
        parts.memory,
        parts.progress,
        parts.wake,
        clock,
        settings.limits,
    )
    return UseCases(
        settings=settings,
        projects=Projects(database, clock),
        keys=Keys(database, clock),
        rate_limits=RateLimits(database, settings.limits, clock),
        usage=Usage(database, clock),
        installed=InstalledModels(settings.models, library),
        uploads=Uploads(database, artefacts, signer, clock, settings),
        downloads=Downloads(database, artefacts, parts.access, signer, clock),
        media=MediaLibrary(database, artefacts, clock),
        models=choice,
        submission=submission,
        speech_to_text=speech_to_text,
        deliveries=Deliveries(database, clock),
        webhook_secrets=WebhookSecrets(database, parts.secrets, clock),
        outputs=Outputs(database, artefacts, parts.access, clock),
        idempotency=Idempotency(database, master.derive("idempotency keys"), clock),
        jobs=jobs,
        job_events=JobEvents(jobs, parts.progress),
        cancellation=cancellation,
        purge=_purge(parts, cancellation),
        health=watch.health,
        compliance=watch.compliance,
        metrics=watch.metrics,
        metrics_token=watch.token,
        counters=watch.counters,
        signer=parts.signer,
        ledger=LedgerReading(database),
        ledger_export=LedgerExport(database, parts.signer, clock),
        doctor=doctor,
        evidence=EvidencePacks(
            database,
            parts.signer,
            clock,
            settings,
            key_file,
            watch.compliance.report,
            doctor.report,
        ),
    )
