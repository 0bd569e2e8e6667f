"""Errors of backups and of restoring them."""

from onprem.errors.base import OnpremError
from onprem.errors.installation import DataDirectoryDamaged, InstallationError


class BackupUnwritten(OnpremError):
    code = "backup_unwritten"
    message = "The backup {path} could not be written: {why}."
    remedy = "There is none of that name, whole or in part. Mend it, then run it again."


class BackupUnusable(OnpremError):
    code = "backup_unusable"
    message = "{path} cannot be restored: {why}."
    remedy = "Nothing was changed. `onprem backup verify` names all that is wrong; take another."


class AnchorsUnusable(OnpremError):
    code = "anchors_unusable"
    message = "The checkpoints in {path} cannot be used: {why}."
    remedy = (
        "Nothing was changed. Give the file that retention.checkpoint_file of this installation "
        "named, as it is."
    )


class RestoreUnconfirmed(OnpremError):
    code = "restore_unconfirmed"
    message = "Nothing was restored: what {path} holds would be replaced, and nobody confirmed it."
    remedy = "Read what would be replaced, then type `restore` when asked, or give --yes."


class LedgersDiffer(InstallationError):
    code = "ledgers_differ"
    message = "What {path} holds did not come from this backup, nor this backup from it: {why}."
    remedy = (
        "Nothing was changed. Its ledger is evidence that a restore would destroy: move the whole "
        "folder away and keep it, then restore into a new one."
    )


class LedgerUnreadable(DataDirectoryDamaged):
    code = "ledger_unreadable"
    message = "The ledger in {path} cannot be kept: {why}."
    remedy = (
        "Nothing was changed. Move {path} away, with the files whose names begin with its, and "
        "keep them: they are evidence. Then restore again, with --anchor."
    )
