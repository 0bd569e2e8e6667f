"""What the configuration says, in the form that the parts take."""

from collections.abc import Mapping
from pathlib import Path

from onprem.config.settings import Settings
from onprem.errors import ConfigInvalid
from onprem.faults import Fault
from onprem.media.addresses import AllowRule
from onprem.media.fetch import FetchPolicy
from onprem.media.send import SendPolicy, destination_fault
from onprem.services.metrics_token import MetricsToken
from onprem.store.key_file import read_key


def master_key_file(settings: Settings, environment: Mapping[str, str]) -> Path:
    """storage.master_key_file, then systemd's credential, then beside the configuration."""
    if settings.storage.master_key_file is not None:
        return settings.storage.master_key_file
    if credentials := environment.get("CREDENTIALS_DIRECTORY"):
        path = Path(credentials) / "onprem-master-key"
        if path.exists():
            return path
    folder = settings.source.parent if settings.source else Path("/etc/onprem")
    return folder / "secrets" / "master.key"


def network_policies(settings: Settings) -> tuple[FetchPolicy, SendPolicy]:
    """What may be fetched from and sent to.

    Raises ConfigInvalid with each rule of fetch.allow and webhooks.allow that cannot be read, and
    where nothing can be sent to retention.checkpoint_webhook.
    """
    faults: list[Fault] = []
    fetching = FetchPolicy(
        allow=_rules("fetch.allow", settings.fetch.allow, faults),
        ca_file=settings.fetch.ca_file,
        max_bytes=settings.limits.media_size,
        total_seconds=settings.fetch.timeout,
    )
    sending = SendPolicy(
        allow=_rules("webhooks.allow", settings.webhooks.allow, faults),
        ca_file=settings.webhooks.ca_file,
    )
    url = settings.retention.checkpoint_webhook
    if url is not None and (fault := destination_fault(url, sending.allow)):
        faults.append(Fault("retention.checkpoint_webhook", fault))
    if faults:
        raise ConfigInvalid(faults)
    return fetching, sending


def trusted_voiceprint_keys(settings: Settings) -> list[bytes]:
    """Raises ConfigInvalid with each file of auth.trusted_voiceprint_keys that is no key."""
    keys, faults = [], []
    for path in settings.auth.trusted_voiceprint_keys:
        try:
            keys.append(read_key(path))
        except ValueError as error:
            faults.append(Fault("auth.trusted_voiceprint_keys", f"{path}: {error}"))
    if faults:
        raise ConfigInvalid(faults)
    return keys


def metrics_token(settings: Settings) -> MetricsToken:
    """Raises ConfigInvalid where server.metrics_token_file holds none."""
    path = settings.server.metrics_token_file
    try:
        return MetricsToken.read(path)
    except ValueError as error:
        raise ConfigInvalid([Fault("server.metrics_token_file", f"{path}: {error}")]) from None


def _rules(option: str, texts: list[str], faults: list[Fault]) -> tuple[AllowRule, ...]:
    rules = []
    for text in texts:
        try:
            rules.append(AllowRule.parse(text))
        except ValueError as error:
            faults.append(Fault(option, str(error)))
    return tuple(rules)
