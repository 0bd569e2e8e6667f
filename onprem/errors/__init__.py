"""Every error of the product, in one tree.

    OnpremError
    ├── ConfigInvalid
    ├── InstallationError    DataDirectoryMissing, DataDirectoryExists, DataDirectoryBusy,
    │   │                    DataDirectoryForeign, FolderUnusable, MasterKeyUnusable,
    │   │                    SchemaTooNew, ModelsNotReady, DeviceUnavailable, PortTaken,
    │   │                    TelemetryEnabled, ClockNotAhead, ClockNotSynchronised, LedgersDiffer,
    │   │                    DataDirectoryFull
    │   └── DataDirectoryDamaged  RecordKeysUnusable, DiskFailed, LedgerUnreadable
    ├── RequestRefused       InvalidRequest, Unauthenticated, ScopeMissing, StreamingDisabled,
    │                        NotFound, HostNotAllowed, OperationDisabled, UploadLinkInvalid,
    │                        UploadLinkUsed, UploadIncomplete, MediaTooLarge, BodyTooLarge,
    │                        OutputNotReady, OutputExpired, OutputAbsent, FormatUnavailable,
    │                        RateLimited, MediaQuotaExceeded, MediaGone, DownloadLinkInvalid,
    │   │                    RangeNotSatisfiable, JobFinished, IdempotencyKeyReused,
    │   │                    IdempotencyInFlight
    │   ├── QueueFull        ProjectQueueFull
    │   └── InvalidRequest   ShareRefused, PurgeRefused
    ├── BundleUnwritten
    ├── BackupUnwritten
    ├── BackupUnusable
    ├── AnchorsUnusable
    ├── RestoreUnconfirmed
    ├── StorageFull
    ├── StoreBusy
    ├── DeletionUnverified
    ├── PurgeIncomplete
    ├── LedgerMoved
    ├── ExportUnwritten
    ├── PurgeFailed
    ├── RunsStopping
    ├── ModelError           ModelMissing, ModelPresent, ModelFolderFull,
    │   │                    ModelFolderUnrecognised, ModelDownloadFailed, ModelOfOtherKind
    │   ├── ModelDamaged     ModelFileRefused
    │   └── ModelUnsafe      ModelUncheckable
    └── JobFailure           what a job ends with; the text is its `output.error`
        ├── CouldNotLoadAudio  FetchRefused, FetchFailed, AudioUnreadable, AudioMissing, AudioEmpty,
        │                      AudioTooLong, AudioTooShort, AudioTruncated, AudioTooLarge,
        │                      DecoderCrashed, DecoderTimeout
        ├── TooManyChannels
        ├── TranslationUnsupported
        ├── NoSpeech
        ├── VoiceprintTooLong
        ├── VoiceprintTooLarge
        ├── SeveralSpeakers
        ├── TooLittleSpeech
        ├── MediaExpired
        ├── RecordingLost
        ├── QueueExpired
        ├── WorkerMemoryExceeded
        ├── EngineFailed
        ├── ModelUnusable
        ├── RestoredFromBackup
        └── WorkerLost

`code` is stable: clients may switch on it. `message` says what happened and `remedy` what to do
next; both are templates over the keyword facts that the error is raised with. Facts never hold a
secret, a URL's path or query, a transcript or a label: an error's text may reach a log.
One table maps classes to HTTP statuses (`onprem.http.errors`), one to exit codes
(`onprem.cli.exit_codes`).
"""

from onprem.errors.backup import (
    AnchorsUnusable as AnchorsUnusable,
    BackupUnusable as BackupUnusable,
    BackupUnwritten as BackupUnwritten,
    LedgersDiffer as LedgersDiffer,
    LedgerUnreadable as LedgerUnreadable,
    RestoreUnconfirmed as RestoreUnconfirmed,
)
from onprem.errors.base import OnpremError as OnpremError, described as described
from onprem.errors.installation import (
    ClockNotAhead as ClockNotAhead,
    ClockNotSynchronised as ClockNotSynchronised,
    ConfigInvalid as ConfigInvalid,
    DataDirectoryBusy as DataDirectoryBusy,
    DataDirectoryDamaged as DataDirectoryDamaged,
    DataDirectoryExists as DataDirectoryExists,
    DataDirectoryForeign as DataDirectoryForeign,
    DataDirectoryFull as DataDirectoryFull,
    DataDirectoryMissing as DataDirectoryMissing,
    DeviceUnavailable as DeviceUnavailable,
    DiskFailed as DiskFailed,
    FolderUnusable as FolderUnusable,
    InstallationError as InstallationError,
    MasterKeyUnusable as MasterKeyUnusable,
    ModelsNotReady as ModelsNotReady,
    PortTaken as PortTaken,
    RecordKeysUnusable as RecordKeysUnusable,
    SchemaTooNew as SchemaTooNew,
    TelemetryEnabled as TelemetryEnabled,
)
from onprem.errors.jobs import (
    AudioEmpty as AudioEmpty,
    AudioMissing as AudioMissing,
    AudioTooLarge as AudioTooLarge,
    AudioTooLong as AudioTooLong,
    AudioTooShort as AudioTooShort,
    AudioTruncated as AudioTruncated,
    AudioUnreadable as AudioUnreadable,
    CouldNotLoadAudio as CouldNotLoadAudio,
    DecoderCrashed as DecoderCrashed,
    DecoderTimeout as DecoderTimeout,
    EngineFailed as EngineFailed,
    FetchFailed as FetchFailed,
    FetchRefused as FetchRefused,
    JobFailure as JobFailure,
    MediaExpired as MediaExpired,
    ModelUnusable as ModelUnusable,
    NoSpeech as NoSpeech,
    QueueExpired as QueueExpired,
    RecordingLost as RecordingLost,
    ReferenceUnusable as ReferenceUnusable,
    RestoredFromBackup as RestoredFromBackup,
    SeveralSpeakers as SeveralSpeakers,
    TooLittleSpeech as TooLittleSpeech,
    TooManyChannels as TooManyChannels,
    TranslationUnsupported as TranslationUnsupported,
    VoiceprintTooLarge as VoiceprintTooLarge,
    VoiceprintTooLong as VoiceprintTooLong,
    WorkerLost as WorkerLost,
    WorkerMemoryExceeded as WorkerMemoryExceeded,
)
from onprem.errors.ledger import (
    ExportUnwritten as ExportUnwritten,
    LedgerMoved as LedgerMoved,
)
from onprem.errors.media import (
    DownloadLinkInvalid as DownloadLinkInvalid,
    MediaGone as MediaGone,
    MediaQuotaExceeded as MediaQuotaExceeded,
    RangeNotSatisfiable as RangeNotSatisfiable,
)
from onprem.errors.models import (
    ModelDamaged as ModelDamaged,
    ModelDownloadFailed as ModelDownloadFailed,
    ModelError as ModelError,
    ModelFileRefused as ModelFileRefused,
    ModelFolderFull as ModelFolderFull,
    ModelFolderUnrecognised as ModelFolderUnrecognised,
    ModelMissing as ModelMissing,
    ModelOfOtherKind as ModelOfOtherKind,
    ModelPresent as ModelPresent,
    ModelUncheckable as ModelUncheckable,
    ModelUnsafe as ModelUnsafe,
)
from onprem.errors.outputs import (
    FormatUnavailable as FormatUnavailable,
    OutputAbsent as OutputAbsent,
    OutputExpired as OutputExpired,
    OutputNotReady as OutputNotReady,
)
from onprem.errors.queue import (
    IdempotencyInFlight as IdempotencyInFlight,
    IdempotencyKeyReused as IdempotencyKeyReused,
    JobFinished as JobFinished,
    ProjectQueueFull as ProjectQueueFull,
    QueueFull as QueueFull,
)
from onprem.errors.requests import (
    BodyTooLarge as BodyTooLarge,
    FormStalled as FormStalled,
    HostNotAllowed as HostNotAllowed,
    InvalidRequest as InvalidRequest,
    MediaTooLarge as MediaTooLarge,
    NoRoom as NoRoom,
    NotFound as NotFound,
    OperationDisabled as OperationDisabled,
    PurgeRefused as PurgeRefused,
    RateLimited as RateLimited,
    RequestRefused as RequestRefused,
    ScopeMissing as ScopeMissing,
    StreamingDisabled as StreamingDisabled,
    Unauthenticated as Unauthenticated,
    UploadIncomplete as UploadIncomplete,
    UploadLinkInvalid as UploadLinkInvalid,
    UploadLinkUsed as UploadLinkUsed,
)
from onprem.errors.sharing import (
    BundleUnwritten as BundleUnwritten,
    ShareRefused as ShareRefused,
)
from onprem.errors.storage import (
    DeletionUnverified as DeletionUnverified,
    PurgeFailed as PurgeFailed,
    PurgeIncomplete as PurgeIncomplete,
    RunsStopping as RunsStopping,
    StorageFull as StorageFull,
    StoreBusy as StoreBusy,
)
