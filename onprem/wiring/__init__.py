"""The composition root: from settings to a running server. Only this package knows all parts."""

from onprem.wiring.configured import (
    master_key_file as master_key_file,
    metrics_token as metrics_token,
    network_policies as network_policies,
    trusted_voiceprint_keys as trusted_voiceprint_keys,
)
from onprem.wiring.server import Server as Server, assembled as assembled
from onprem.wiring.store import running_store as running_store
