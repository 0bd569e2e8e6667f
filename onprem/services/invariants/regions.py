"""I10: a job runs only where its recorded region allows."""

from collections.abc import Collection, Iterator, Mapping

from onprem.core.receipt import ArtefactKind, Receipt
from onprem.core.regions import served_by
from onprem.services.invariants.violation import Violation


def elsewhere(
    receipts: list[Receipt], meant: Mapping[str, str], eu_regions: Collection[str]
) -> Iterator[Violation]:
    """The receipt of a worker copy says where its job ran. `meant`: the region of each job."""
    for receipt in receipts:
        region = meant.get(receipt.job_id or "")
        if receipt.kind is not ArtefactKind.WORKER_COPY or region is None:
            continue
        if region not in served_by(receipt.region, eu_regions):
            sentence = f"job {receipt.job_id} was meant for {region} and ran in {receipt.region}"
            yield Violation("I10", sentence)
