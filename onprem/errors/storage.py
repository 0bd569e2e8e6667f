"""Errors of keeping and of deleting."""

from onprem.errors.base import OnpremError


class StorageFull(OnpremError):
    code = "storage_full"
    message = "The server has no room to store this."
    remedy = "Nothing was kept. Free disk space or wait for deadlines to pass, then send it again."


class DeletionUnverified(OnpremError):
    code = "deletion_unverified"
    message = "Record {record} is still there after it was deleted."
    remedy = "It counts as live, and every sweep tries again. Look at the disk under the data."


class PurgeIncomplete(OnpremError):
    code = "purge_incomplete"
    message = "What was deleted still has bytes in SQLite's log, which a reader holds."
    remedy = "Every sweep tries again. Close what reads the database besides onprem."


class PurgeFailed(OnpremError):
    code = "purge_failed"
    message = "The purge is not done: {left} of {planned} records are left ({why})."
    remedy = (
        "What was deleted stays deleted. What is left counts as live; the log names what resists. "
        "Mend the cause, then purge again: that is safe at any time."
    )


class RunsStopping(OnpremError):
    code = "runs_stopping"
    message = "All is deleted but {count} recording(s) in memory, whose runs have not ended yet."
    remedy = "A run ends at its next cancel point. Purge again, to see that they have ended."


class StoreBusy(OnpremError):
    code = "store_busy"
    message = "The database is locked by another process."
    remedy = "Try again in a few seconds."
