"""Telling systemd how the server is: started, stopping, and well as long as it forgets in time.

`sd_notify(3)` is a datagram to a socket that systemd names. Who is not started by systemd with
`Type=notify` has no such socket, and nothing is told.
"""

import asyncio
import logging
import math
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from onprem.errors import OnpremError, described
from onprem.services.compliance import Compliance, ComplianceReport
from onprem.services.health import Health

logger = logging.getLogger(__name__)

LONGEST_PAUSE = 30.0
"""Seconds between two looks, also where nobody waits for them: the status line is to be fresh."""


class ServiceManager:
    """As the environment of this process describes it."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        address = environment.get("NOTIFY_SOCKET", "")
        # A name that begins with @ is one in the abstract namespace.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.patience = int(environment.get("WATCHDOG_USEC", "0")) / 1_000_000 or math.inf
        """Seconds for which it waits for a sign of life."""

    @property
    def listens(self) -> bool:
        return bool(self._address)

    def tell(self, *lines: str) -> None:
        """What cannot be told is in the log: a server works on without its manager."""
        if not self.listens:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
                channel.setblocking(False)
                channel.sendto("\n".join(lines).encode(), self._address)
        except OSError as error:
            logger.warning("systemd cannot be told %s: %s", lines[0], described(error))


class Watchdog:
    """Gives a sign of life only while the sweep is fresh and nothing is overdue.

    So a sweeper that hangs ends in a restart, and with it in a sweep.
    """

    def __init__(self, manager: ServiceManager, compliance: Compliance, health: Health) -> None:
        self._manager = manager
        self._compliance = compliance
        self._health = health

    @asynccontextmanager
    async def on_guard(self) -> AsyncIterator[None]:
        """Look again and again for the length of the block."""
        if not self._manager.listens:
            yield
            return
        looking = asyncio.create_task(self._keep_looking(), name="watchdog")
        try:
            yield
        finally:
            looking.cancel()
            await asyncio.wait([looking])

    async def _keep_looking(self) -> None:
        while True:
            await self.look()
            await asyncio.sleep(min(self._manager.patience / 2, LONGEST_PAUSE))

    async def look(self) -> None:
        """One look, and what is to be told of it."""
        try:
            report = await self._compliance.report()
            queue = await self._health.queue()
        except (OnpremError, OSError) as error:
            self._manager.tell(f"STATUS=Deadlines cannot be checked: {described(error)}")
            return
        status = f"STATUS={queue.waiting} jobs wait, {queue.running} run; {_promises(report)}"
        well = report.swept and not report.overdue
        self._manager.tell(status, *(["WATCHDOG=1"] if well else []))


def _promises(report: ComplianceReport) -> str:
    swept = f"swept {report.last_sweep_age_seconds:.0f} s ago"
    if report.overdue:
        return f"{swept}, {report.overdue} OVERDUE"
    return swept if report.swept else f"{swept}, TOO LONG"
