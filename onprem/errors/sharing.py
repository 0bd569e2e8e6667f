"""Bundles that are not made."""

from onprem.errors.base import OnpremError
from onprem.errors.requests import InvalidRequest


class ShareRefused(InvalidRequest):
    code = "share_refused"
    message = "Nothing was shared, and nothing was written."
    remedy = "Mend each line named, then run it again. docs/sharing.md says what is needed."


class BundleUnwritten(OnpremError):
    code = "bundle_unwritten"
    message = "The bundle {path} could not be written: {why}."
    remedy = (
        "What there was of it is removed; the ledger notes a share that had begun. Mend it, then "
        "run it again."
    )
