"""Deletions that reading back did not confirm: counted, and remembered until they are made good."""

from onprem.store.database import Database

REMEMBERED = 1000
"""Records that are kept in mind. Where so many resist, one more tells nobody anything new."""


class VerificationFailures:
    """Of this process. A record is made good once its row is gone, whoever deleted it."""

    def __init__(self) -> None:
        self._count = 0
        self._records: set[bytes] = set()
        self._log_held = False

    def count(self) -> int:
        """Failures since the start of the process; never goes down."""
        return self._count

    def record_resisted(self, record: bytes) -> None:
        """It was found again after it was deleted, and counts as live."""
        self._count += 1
        if len(self._records) < REMEMBERED:
            self._records.add(record)

    def log_resisted(self) -> None:
        """SQLite's log still has bytes of what was deleted: a reader holds it."""
        self._count += 1
        self._log_held = True

    def log_emptied(self) -> None:
        self._log_held = False

    async def unresolved(self, database: Database) -> int:
        """Records that are still there, and SQLite's log if it could not be emptied since."""
        if self._records:
            places = ", ".join("?" * len(self._records))
            rows = await database.fetchall(
                f"SELECT id FROM artefact WHERE id IN ({places})", list(self._records)
            )
            self._records.intersection_update(row[0] for row in rows)
        return len(self._records) + self._log_held
