"""Exports of the ledger that are not made."""

from onprem.errors.base import OnpremError


class LedgerMoved(OnpremError):
    code = "ledger_moved"
    message = "Old entries outlived their retention while the ledger was read."
    remedy = "Run it again: that happens once a day at most."


class ExportUnwritten(OnpremError):
    code = "export_unwritten"
    message = "The export {path} could not be written: {why}."
    remedy = "What there was of it is removed. Mend it, or name another file, then run it again."
