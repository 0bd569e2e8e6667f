"""The doctor in the server, for administrators of this node."""

import asyncio
from pathlib import Path

from onprem.clock import Clock
from onprem.config.settings import Settings
from onprem.engine.offline import assert_offline
from onprem.errors import TelemetryEnabled
from onprem.services.doctor import catalogue
from onprem.services.doctor.examination import Patient, examine
from onprem.services.doctor.finding import Finding, Report
from onprem.stamp import Stamp
from onprem.store.database import Database
from onprem.threads import in_thread


class Doctor:
    """One examination at a time; those who ask meanwhile wait for theirs."""

    def __init__(self, settings: Settings, key_file: Path, clock: Clock) -> None:
        self._patient = Patient(settings, key_file)
        self._clock = clock
        self._busy = asyncio.Lock()

    async def report(self) -> Report:
        """In a thread with a loop of its own: the years of a ledger must not stop the server.

        Raises:
            DataDirectoryMissing, DataDirectoryForeign: somebody took the data away.
        """
        async with self._busy:
            stamp = self._clock.stamp()

            async def told(_: Database) -> Stamp:
                return stamp

            report = await in_thread(asyncio.run, examine(self._patient, told))
        return Report.of(report.findings + _telemetry(), server_runs=report.server_runs)


def _telemetry() -> list[Finding]:
    """Only in the server's own process can it be seen what its libraries were told."""
    try:
        assert_offline()
    except TelemetryEnabled as error:
        return [catalogue.TELEMETRY_ENABLED.found(what=error, remedy=error.advice)]
    return []
