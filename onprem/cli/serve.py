"""`onprem serve`: the one process."""

import asyncio
import logging
import os
import resource
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from onprem.clock import system_clock
from onprem.config.load import load_settings
from onprem.config.settings import Settings
from onprem.engine import offline
from onprem.engine.deferred import DeferredEngine, EngineSettings
from onprem.http.addresses import Addresses
from onprem.http.app import build_app
from onprem.http.server import HttpServer, bind
from onprem.scheduler import Schedule
from onprem.watchdog import ServiceManager, Watchdog
from onprem.wiring import assembled

logger = logging.getLogger(__name__)


def serve(
    config: Annotated[Path | None, typer.Option("--config", help="The configuration file.")] = None,
) -> None:
    """Run the server: API, job runner and retention sweep in one process.

    Prints one line `ready http://HOST:PORT` on stdout when it takes requests; the models may
    still be loading then (/healthz/ready tells). Everything else goes to stderr. SIGTERM and
    SIGINT stop it: no new jobs, the one that computes goes back to the queue.

    \b
    EXAMPLES
      onprem serve
      onprem serve --config /etc/onprem/onprem.toml
      ONPREM_SERVER__PORT=0 onprem serve

    \b
    EXIT STATUS
      0 after SIGTERM or SIGINT; 3 for a faulty configuration; 4 when the data directory is
      missing, busy or somebody else's, or the port is taken.
    """
    settings = load_settings(config)
    _log_to_stderr(settings.log.level)
    asyncio.run(_serve(settings))


def _log_to_stderr(level: str) -> None:
    """Ours at the level asked for; the libraries' only warnings: below that they quote content.

    aiosqlite logs statements with their values, httpcore logs URLs.
    """
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("onprem").setLevel(level.upper())
    # It warns where a task is still at work when its next run is due, which is as it shall be.
    logging.getLogger("apscheduler").setLevel(logging.ERROR)


def _dump_no_core() -> None:
    """A core dump would hold the recording that a model aborted on.

    A limit of 1 byte keeps it from files and, unlike 0, from programs that core_pattern pipes to.
    """
    _, highest = resource.getrlimit(resource.RLIMIT_CORE)
    if highest != 0:
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))


async def _serve(settings: Settings) -> None:
    offline.switch_off()
    _dump_no_core()
    listener = bind(settings.server.host, settings.server.port)
    addresses = Addresses(settings.server, listener.getsockname()[1])
    manager = ServiceManager(os.environ)
    async with (
        assembled(settings, _engine(settings), system_clock()) as server,
        Watchdog(manager, server.use.compliance, server.use.health).on_guard(),
    ):

        def announce() -> None:
            typer.echo(f"ready {addresses.listening}")
            sys.stdout.flush()
            manager.tell("READY=1")

        http = HttpServer(build_app(server.use, addresses), announce)
        schedule = Schedule(server.tasks)
        schedule.start()
        runner = asyncio.create_task(server.runner.run(), name="runner")
        sender = asyncio.create_task(server.sender.run(), name="sender")

        def stop() -> None:
            if not http.should_exit:
                manager.tell("STOPPING=1")
            server.runner.stop()
            http.should_exit = True

        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop)
        # One that ends by a fault must not leave an API behind that takes jobs for nobody.
        for part in (runner, sender):
            part.add_done_callback(lambda _: stop())
        await http.serve(sockets=[listener])
        server.canary.stop()
        try:
            await runner  # a long job may take minutes to stop, and deadlines come meanwhile
        finally:
            await schedule.stop()
        server.sender.stop()
        await sender


def _engine(settings: Settings) -> DeferredEngine:
    return DeferredEngine(
        EngineSettings(
            library_folder=settings.models_dir,
            diarization=settings.models.diarization,
            transcription=settings.models.transcription,
            device=settings.runner.device,
        )
    )
