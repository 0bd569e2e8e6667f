"""The ledger's entry of a start: by which configuration the server runs from now on."""

from onprem import __version__
from onprem.clock import Clock
from onprem.config.render import digest
from onprem.config.settings import Settings
from onprem.core.act import SERVER, Act, ActKind
from onprem.store import ledger
from onprem.store.database import Database


class StartNote:
    """Writes it once. A full disk keeps no server from starting: one that runs still deletes."""

    def __init__(self, database: Database, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._clock = clock
        self._settings = settings
        self._written = False

    async def run(self) -> None:
        """Raises StorageFull, StoreBusy: to be run again."""
        if self._written:
            return
        details = {
            "version": __version__,
            "region": self._settings.node.region,
            "configuration": digest(self._settings),
        }
        async with self._database.write() as tx:
            act = Act(ActKind.STARTED, SERVER, details=details)
            await ledger.append_act(tx, self._clock.stamp(), act)
        self._written = True
