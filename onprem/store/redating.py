"""Correcting what was dated by a clock that ran ahead, once its operator says so, or lagged."""

from onprem.clock import SMALL_LEAD
from onprem.store.database import Transaction

_DAY = 86400.0

_DATES: tuple[tuple[str, str, str], ...] = (
    ("artefact", "due_at", "created_at"),
    ("artefact", "created_at", "created_at"),
    ("job", "output_due_at", "finished_at"),
    *(
        ("job", column, column)
        for column in (
            "created_at",
            "waits_since",
            "updated_at",
            "finished_at",
            "acknowledged_at",
            "deleted_at",
        )
    ),
    ("delivery", "next_at", "next_at"),
    ("delivery", "ended_at", "ended_at"),
    ("idempotency", "expires_at", f"expires_at - {_DAY}"),
    ("secret", "retires_at", f"retires_at - {_DAY}"),
    ("secret", "created_at", "created_at"),
    ("api_key", "expires_at", "created_at"),
    ("api_key", "revoked_at", "revoked_at"),
    ("api_key", "created_at", "created_at"),
)
"""Table, column, and by what it is told when that was written."""


async def date_later(tx: Transaction, *, since: float, by: float) -> int:
    """Add `by` seconds to what was dated while the clock lagged, from `since` on: what is stored
    keeps the time that it has left. Returns how many artefacts it dated anew."""
    return await _shift(tx, since=since, by=by)


async def redate(tx: Transaction, *, lead: float, wall: float) -> int:
    """Take `lead` seconds off what was dated since the clock ran ahead: what is stored keeps the
    time that it has left. Returns how many artefacts it dated anew.

    Since when, the ledger tells: its entries note both clocks. Where it does not, what is dated
    after `wall` is certain.
    """
    row = await tx.fetchone(
        "SELECT min(at) FROM ledger WHERE seq >"
        " (SELECT coalesce(max(seq), 0) FROM ledger WHERE at - wall <= ?)",
        (SMALL_LEAD,),
    )
    since = wall if row is None or row[0] is None else min(wall, row[0])
    return await _shift(tx, since=since, by=-lead)


async def _shift(tx: Transaction, *, since: float, by: float) -> int:
    dated = 0
    for table, column, written in _DATES:
        changed = await tx.execute(
            f"UPDATE {table} SET {column} = {column} + ? WHERE {written} >= ?", (by, since)
        )
        if (table, column) == ("artefact", "created_at"):
            dated = changed
    return dated
