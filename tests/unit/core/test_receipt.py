"""A receipt names ids and times."""

from onprem.core.chain import canonical
from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason, Receipt

RECEIPT = Receipt(
    artefact_id="00ff",
    kind=ArtefactKind.OUTPUT,
    created_at=1.0,
    due_at=2.0,
    deleted_at=3.0,
    reason=DeletionReason.DEADLINE,
    method=DeletionMethod.KEY_OVERWRITTEN,
    verified=True,
    region="here",
    project_id="prj_1",
    wall_clock=3.5,
    boot_id="boot",
    synchronised=True,
)


def test_a_receipt_names_ids_and_times_and_nothing_else() -> None:
    assert canonical(RECEIPT) == (
        b'{"artefactId":"00ff","bootId":"boot","createdAt":1.0,"deletedAt":3.0,"dueAt":2.0,'
        b'"kind":"output","method":"key_overwritten","projectId":"prj_1","reason":"deadline",'
        b'"region":"here","synchronised":true,"verified":true,"wallClock":3.5}'
    )
