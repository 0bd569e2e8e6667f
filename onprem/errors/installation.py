"""What keeps a command or the server from working on this machine."""

from onprem.errors.base import OnpremError
from onprem.faults import Fault


class ConfigInvalid(OnpremError):
    code = "config_invalid"
    message = "The configuration has {count} fault(s)."
    remedy = "Mend each line named, then run `onprem config check`."

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__(count=len(faults))


class InstallationError(OnpremError):
    """The machine or the data directory does not allow the command."""


class DataDirectoryMissing(InstallationError):
    code = "data_directory_missing"
    message = "There is no onprem data directory at {path}."
    remedy = "Create one with `onprem init`, or name another with --config."


class DataDirectoryExists(InstallationError):
    code = "data_directory_exists"
    message = "{path} exists already."
    remedy = "Nothing was changed. Choose another place, or remove it first."


class DataDirectoryBusy(InstallationError):
    code = "data_directory_busy"
    message = "Another process holds {path}."
    remedy = "Stop the server that uses this data directory, then run the command again."


class DataDirectoryForeign(InstallationError):
    code = "data_directory_foreign"
    message = "{path} belongs to the user {owner}, and this command runs as {user}."
    remedy = "Run it as that user: `sudo -u {owner} onprem …`."


class DataDirectoryDamaged(InstallationError):
    code = "data_directory_damaged"
    message = "The data directory is damaged: {what}."
    remedy = "Stop the server, keep a copy of the directory as it is, and report what happened."


class RecordKeysUnusable(DataDirectoryDamaged):
    code = "record_keys_unusable"
    message = "The record-key file {path} cannot be used: {why}."
    remedy = (
        "If storage.keys_dir is a volume of its own, mount it and start again. If the keys are "
        "lost for good, docs/operations.md says how to go on without them."
    )


class DiskFailed(DataDirectoryDamaged):
    code = "disk_failed"
    message = "The disk failed under the database ({what})."
    remedy = (
        "Check the disk, its quota and the kernel's log (`dmesg`), then start the server again."
    )


class DataDirectoryFull(InstallationError):
    code = "data_directory_full"
    message = "There is no room on the disk of {path} to serve."
    remedy = "What is due was deleted. Free disk space, then start the server again."


class FolderUnusable(InstallationError):
    code = "folder_unusable"
    message = "The folder {path} cannot be used: {why}."
    remedy = "Give one that does not exist yet, or one that is yours alone (`chmod 700 {path}`)."


class MasterKeyUnusable(InstallationError):
    code = "master_key_unusable"
    message = "The master key at {path} cannot be used: {why}."
    remedy = (
        "Point storage.master_key_file to the key that `onprem init` wrote: "
        "64 hexadecimal digits, mode 0600."
    )


class SchemaTooNew(InstallationError):
    code = "schema_too_new"
    message = "The database has schema version {found}; this onprem knows up to {known}."
    remedy = "Install the newer onprem again: a downgrade would lose data."


class ModelsNotReady(InstallationError):
    code = "models_not_ready"
    message = "The models are still loading."
    remedy = "Wait until /healthz/ready answers 200."


class DeviceUnavailable(InstallationError):
    code = "device_unavailable"
    message = "runner.device is {device}, but torch sees no such device."
    remedy = 'Install the driver and a CUDA build of torch, or set runner.device = "cpu".'


class PortTaken(InstallationError):
    code = "port_taken"
    message = "The server cannot listen on {host}:{port} ({why})."
    remedy = "Stop what listens there, or set server.port to another port (0: any free one)."


class ClockNotAhead(InstallationError):
    code = "clock_not_ahead"
    message = "Retention time is not ahead of the machine's clock: nothing was changed."
    remedy = "Where it is behind, synchronise the machine's clock: after 10 minutes it is believed."


class ClockNotSynchronised(InstallationError):
    code = "clock_not_synchronised"
    message = "Nobody vouches for the machine's clock: nothing was changed."
    remedy = "Synchronise it (`timedatectl` says whether it is), then run the command again."


class TelemetryEnabled(InstallationError):
    code = "telemetry_enabled"
    message = "{what} is switched on in this environment."
    remedy = "Remove it from the environment: onprem does not start where anything phones home."
