"""All findings that there are. Their codes are a contract: tools and runbooks name them."""

from onprem.services.doctor.finding import Kind, Severity

_BROKEN, _AT_RISK, _UNKNOWN = Severity.BROKEN, Severity.AT_RISK, Severity.UNKNOWN
_REPORT = "Keep a copy of the data directory as it is, look in the server's log, and report it."

CONFIG_INVALID = Kind(
    "config_invalid", _BROKEN, "{field}: {message}.", "Mend it, then run `onprem config check`."
)
STORE_UNREADABLE = Kind(
    "store_unreadable", _BROKEN, "The store cannot be looked at. {what}", "{remedy}"
)
JOB_BROKEN = Kind(
    "job_broken", _BROKEN, "A job was lost, or contradicts itself (I1): {what}.", _REPORT
)
CIPHERTEXT_BROKEN = Kind(
    "ciphertext_broken",
    _BROKEN,
    "Something other than our ciphertext lies on the disk (I2): {what}.",
    "Look whether somebody else writes to the data directory, and at the disk. " + _REPORT,
)
DEADLINE_MISSED = Kind(
    "deadline_missed",
    _BROKEN,
    "A deadline is not kept (I3): {what}.",
    "Start the server, or run `onprem purge --due`; the log says what keeps it from deleting.",
)
RECEIPT_BROKEN = Kind(
    "receipt_broken",
    _BROKEN,
    "Receipts do not add up, or a chain is broken (I4): {what}.",
    "Run `onprem ledger verify` against the last exported checkpoint. " + _REPORT,
)
STORE_INCONSISTENT = Kind(
    "store_inconsistent",
    _BROKEN,
    "Database, keys and files disagree (I7): {what}.",
    "Stop the server, check the disk (`dmesg`, `smartctl`). " + _REPORT,
)
DELIVERY_BROKEN = Kind(
    "delivery_broken", _BROKEN, "A delivery contradicts its job (I8): {what}.", _REPORT
)
REGION_BROKEN = Kind(
    "region_broken",
    _BROKEN,
    "A job ran outside its region (I10): {what}.",
    "Look whether node.region or node.eu_regions was changed since. " + _REPORT,
)
MORE_OF_IT = Kind(
    "more_of_it", _BROKEN, "{count} more findings of the code {code}.", "See the first of them."
)
RECORD_UNREADABLE = Kind(
    "record_unreadable", _BROKEN, "Record {record} does not open with its key.", _REPORT
)
SWEEP_STALE = Kind(
    "sweep_stale",
    _BROKEN,
    "A server runs, and its last sweep that did all was {age} ago. One runs every 30 s.",
    "The server's log says why it fails. Restart the server if it says nothing.",
)
NEVER_SWEPT = Kind(
    "never_swept",
    _BROKEN,
    "A server runs, and no sweep ever did all that it had to.",
    "The server's log says why it fails.",
)
OPEN_TO_OTHERS = Kind(
    "open_to_others",
    _BROKEN,
    "{path} can be used by other users (mode {mode}).",
    "Run `chmod go-rwx {path}`.",
)
FOREIGN_OWNER = Kind(
    "foreign_owner",
    _BROKEN,
    "{path} belongs to another user than the data directory.",
    "Give it to the server's user with `chown`.",
)
MASTER_KEY_UNUSABLE = Kind(
    "master_key_unusable",
    _BROKEN,
    "The master key is missing, wrong, or open to others. {what}",
    "{remedy}",
)
MODEL_UNUSABLE = Kind(
    "model_unusable",
    _BROKEN,
    "A model that is installed, or that jobs need, cannot be used. {what}",
    "{remedy}",
)
TELEMETRY_ENABLED = Kind(
    "telemetry_enabled", _BROKEN, "A library may phone home. {what}", "{remedy}"
)

UNCLEAN_STOP = Kind(
    "unclean_stop",
    _AT_RISK,
    "A server was killed in the middle of something: {what}.",
    "Start it: a start completes or undoes what was half done.",
)
NOTHING_SWEEPS = Kind(
    "nothing_sweeps",
    _AT_RISK,
    "No server runs, content is stored, and nothing has swept for {age}.",
    "Start the server, or enable onprem-sweep.timer.",
)
SWEEP_TIMER_MISSING = Kind(
    "sweep_timer_missing",
    _AT_RISK,
    "onprem-sweep.timer is not enabled: while the server is stopped nothing is deleted.",
    "Install systemd/onprem-sweep.service and .timer, then "
    "`systemctl enable --now onprem-sweep.timer`.",
)
CLOCK_UNSYNCHRONISED = Kind(
    "clock_unsynchronised",
    _AT_RISK,
    "The kernel does not call the clock synchronised: after a power cut deadlines come late by "
    "the time that it lasted.",
    "Run chrony, systemd-timesyncd or a PTP client; `timedatectl` shows whether it works.",
)
CLOCK_AHEAD = Kind(
    "clock_ahead",
    _AT_RISK,
    "Retention time is {lead} ahead of the machine's clock, so uploads and jobs show dates that "
    "have not come.",
    "If the machine's clock is right, stop the server and run `onprem doctor --accept-clock`.",
)
CLOCK_BEHIND = Kind(
    "clock_behind",
    _AT_RISK,
    "Retention time is {lag} behind the machine's clock: deadlines come late by that.",
    "Synchronise the machine's clock. One that is synchronised for 10 minutes is believed.",
)
SWAP_ACTIVE = Kind(
    "swap_active",
    _AT_RISK,
    "Swap is on ({devices}) and not encrypted: the kernel may write recordings to it.",
    "Set MemorySwapMax=0 for the service, as systemd/onprem.service does; or `swapoff -a`.",
)
CORE_DUMPS = Kind(
    "core_dumps",
    _AT_RISK,
    "The kernel hands core dumps to a program ({handler}), whatever the limit of the server is.",
    "Set kernel.core_pattern to a file name, or disable that program's storage.",
)
COPY_ON_WRITE = Kind(
    "copy_on_write",
    _AT_RISK,
    "{path} lies on {filesystem}, which does not overwrite in place: an old key survives there.",
    "Move it to ext4 or xfs, on LUKS.",
)
NETWORK_FILESYSTEM = Kind(
    "network_filesystem",
    _AT_RISK,
    "{path} lies on {filesystem}: locks and overwriting are another machine's word.",
    "Move it to a local disk with ext4 or xfs, on LUKS.",
)
DATA_JOURNAL = Kind(
    "data_journal",
    _AT_RISK,
    "{path} lies on {filesystem} with data=journal: overwritten keys stay in the journal.",
    "Mount it with data=ordered.",
)
NOT_ENCRYPTED = Kind(
    "not_encrypted",
    _AT_RISK,
    "{path} lies on {device}, with no dm-crypt below: flash keeps what was overwritten.",
    "Put the volume on LUKS.",
)
DISK_NEARLY_FULL = Kind(
    "disk_nearly_full",
    _AT_RISK,
    "The disk of {path} has {free} left, less than 10 %.",
    "Make room. A full disk refuses uploads and delays the receipts of deletions.",
)
MASTER_KEY_WITH_DATA = Kind(
    "master_key_with_data",
    _AT_RISK,
    "The master key {path} lies in the data directory: a copy of that opens what it holds.",
    "Move it elsewhere, and name it in storage.master_key_file.",
)
MODELS_OPEN = Kind(
    "models_open",
    _AT_RISK,
    "Other users can {access} the models in {path}.",
    "Run `chmod -R o-rwx {path}`.",
)
PLAIN_HTTP = Kind(
    "plain_http",
    _AT_RISK,
    "The server listens on {host}, and server.public_url does not begin with https: recordings "
    "and keys cross the network in plaintext.",
    "Put a proxy with TLS in front, name it in server.public_url, and listen on 127.0.0.1.",
)
NO_CHECKPOINT_EXPORT = Kind(
    "no_checkpoint_export",
    _AT_RISK,
    "Checkpoints of the ledger do not leave this host: who has root on it could rewrite it.",
    "Set retention.checkpoint_file or retention.checkpoint_webhook.",
)
MIGRATION_PENDING = Kind(
    "migration_pending",
    _AT_RISK,
    "The database is of an older version, and was not looked at.",
    "Start the server once: it migrates.",
)

ENCRYPTION_UNKNOWN = Kind(
    "encryption_unknown",
    _UNKNOWN,
    "Whether {path} is encrypted below its filesystem cannot be told ({why}).",
    "Make sure that the volume is on LUKS, or that its host encrypts it.",
)
KEY_COPIES_UNKNOWN = Kind(
    "key_copies_unknown",
    _UNKNOWN,
    "The record keys lie on the volume of the data ({path}): whether snapshots or backups copy "
    "them cannot be told.",
    "Exclude that folder from both, or give it a volume of its own (storage.keys_dir).",
)
SWEEP_TIMER_UNKNOWN = Kind(
    "sweep_timer_unknown",
    _UNKNOWN,
    "systemd does not run here: what deletes while the server is stopped cannot be told.",
    "Let cron or the orchestrator run `onprem purge --due --yes` every 30 s.",
)
MASTER_KEY_UNREADABLE = Kind(
    "master_key_unreadable",
    _UNKNOWN,
    "The master key {path} cannot be read by this user, so whether it is the right one cannot "
    "be told. A service may get it as a credential.",
    "Ask the server, which has it: GET /v1/admin/doctor.",
)

KINDS: tuple[Kind, ...] = tuple(value for value in globals().values() if isinstance(value, Kind))

OF_INVARIANT = {
    "I1": JOB_BROKEN,
    "I2": CIPHERTEXT_BROKEN,
    "I3": DEADLINE_MISSED,
    "I4": RECEIPT_BROKEN,
    "I7": STORE_INCONSISTENT,
    "I8": DELIVERY_BROKEN,
    "I10": REGION_BROKEN,
}
