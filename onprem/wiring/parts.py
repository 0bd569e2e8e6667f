"""What several parts of a server are built from."""

from typing import NamedTuple

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.media.worker_copy import WorkerMemory
from onprem.runner.attended import Attended
from onprem.runner.finish import Finisher
from onprem.runner.progress import ProgressBoard
from onprem.runner.speed import Speed
from onprem.runner.wake import Wake
from onprem.services.access import AccessLog
from onprem.services.signing import Signer
from onprem.services.sweep import Sweep
from onprem.store.artefacts import ArtefactStore
from onprem.store.database import Database
from onprem.store.master_key import MasterKey
from onprem.store.secrets import SecretStore


class Parts(NamedTuple):
    """What several others are built from."""

    settings: Settings
    clock: Clock
    database: Database
    artefacts: ArtefactStore
    master: MasterKey
    access: AccessLog
    secrets: SecretStore
    voiceprint_key: bytes
    signer: Signer
    finisher: Finisher
    memory: WorkerMemory
    progress: ProgressBoard
    speed: Speed
    attended: Attended
    wake: Wake
    sweep: Sweep
