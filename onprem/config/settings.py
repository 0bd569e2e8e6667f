"""The option table: every setting with its type, default, bounds and help, once.

Parsing, validation, `config.example.toml`, the reference page and `config show` all read it.
A section is a struct, an option is a field; `Meta.description` is the help.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from onprem.config.quantities import ByteSize, Duration
from onprem.core.regions import REGION_NAME


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """Base of the sections."""


class Server(Section, frozen=True):
    """Where the API listens, and the names it answers for."""

    host: Annotated[str, Meta(description="Address to listen on.")] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    ] = 8400
    public_url: Annotated[
        str | None,
        Meta(description="Where clients reach the server; builds every absolute URL."),
    ] = None
    allowed_hosts: Annotated[
        list[str],
        Meta(description="Further host names that the server answers for (`*` for any)."),
    ] = []
    metrics_token_file: Annotated[
        Path | None,
        Meta(
            description="File with a token of at least 16 characters, the bearer that may read "
            "`/metrics` and `/healthz/compliance` from other machines; an admin key always may."
        ),
    ] = None


class Node(Section, frozen=True):
    """This machine."""

    region: Annotated[
        str,
        Meta(
            pattern=REGION_NAME,
            description="Name of the place where it stands, in every receipt: up to 64 letters, "
            "digits and `. _ -`.",
        ),
    ] = "default"
    eu_regions: Annotated[
        list[Annotated[str, Meta(pattern=REGION_NAME)]],
        Meta(
            description="Regions that count as the European Economic Area: a job of the region "
            "`eu` runs in these only."
        ),
    ] = []


class Storage(Section, frozen=True):
    """Where data lies, and the key that everything is encrypted under."""

    data_dir: Annotated[Path, Meta(description="Database, encrypted blobs and record keys.")] = (
        Path("/var/lib/onprem")
    )
    keys_dir: Annotated[
        Path | None,
        Meta(
            description="Where the record keys lie; default `<data_dir>/keys`. Keep it out of "
            "snapshots and backups: a copy of a key undoes a deletion."
        ),
    ] = None
    master_key_file: Annotated[
        Path | None,
        Meta(
            description="Default `$CREDENTIALS_DIRECTORY/onprem-master-key`, else "
            "`<config dir>/secrets/master.key`."
        ),
    ] = None


class Retention(Section, frozen=True):
    """When things are deleted: the default and the ceiling for everybody, and what proves it."""

    media: Annotated[
        Duration, Meta(description="Uploads, counted from the end of the upload; at most 48h.")
    ] = Duration.parse("48h")
    output: Annotated[
        Duration,
        Meta(
            description="Outputs, counted from the job's end; at most 24h. 0: until a minute "
            "after their delivery, at most 24h."
        ),
    ] = Duration.parse("24h")
    metadata: Annotated[
        Duration,
        Meta(description="What remains of a job: ids, kind, status, times; no content."),
    ] = Duration.parse("30d")
    receipts: Annotated[
        Duration, Meta(description="The ledger: receipts of deletions, and acts; ids only.")
    ] = Duration.parse("2190d")
    access_log: Annotated[Duration, Meta(description="Who read what content; ids only.")] = (
        Duration.parse("365d")
    )
    checkpoint_file: Annotated[
        Path | None,
        Meta(
            description="File that a signed checkpoint of the ledger is appended to every hour; "
            "let it lie on another machine."
        ),
    ] = None
    checkpoint_webhook: Annotated[
        str | None,
        Meta(description="URL that a signed checkpoint of the ledger is sent to every hour."),
    ] = None
    canary: Annotated[
        Duration,
        Meta(description="How often a synthetic record is made, to prove that it vanishes."),
    ] = Duration.parse("1h")


class Models(Section, frozen=True):
    """Which models run."""

    dir: Annotated[
        Path | None, Meta(description="Folder of the models; default `<data_dir>/models`.")
    ] = None
    diarization: Annotated[
        str, Meta(description="Model that diarizes where a request names none of ours.")
    ] = "starter"
    transcription: Annotated[
        str, Meta(description="Model that transcribes where a request names none of ours.")
    ] = "whisper-base"
    aliases: Annotated[
        dict[str, str],
        Meta(
            description='Names that requests may use for our models, such as `"precision-2" = '
            '"starter"`: an aliased model gives no warning.'
        ),
    ] = {}
    strict: Annotated[
        bool, Meta(description="Refuse a model name that is neither ours nor an alias.")
    ] = False


class Runner(Section, frozen=True):
    """How jobs run."""

    device: Annotated[
        str,
        Meta(
            pattern=r"^(auto|cpu|cuda(:\d+)?)$",
            description="`auto`, `cpu` or `cuda:0`. A device that is asked for and is not there "
            "is an error.",
        ),
    ] = "auto"
    attempts: Annotated[
        int,
        Meta(ge=1, le=10, description="Runs of a job that takes the server down, at most."),
    ] = 3
    jobs_in_work: Annotated[
        int,
        Meta(
            ge=1,
            le=64,
            description="Jobs in work at once, besides a long one: one computes, the others are "
            "fetched and decoded.",
        ),
    ] = 2
    short_recording: Annotated[
        Duration,
        Meta(
            description="A recording of at most this length never waits for a whole longer one, "
            "which pauses for it."
        ),
    ] = Duration.parse("10m")


class Fetch(Section, frozen=True):
    """Connecting to the URLs that jobs name."""

    allow: Annotated[
        list[str],
        Meta(
            description="Destinations beyond the public internet: networks, hosts, ports, such "
            'as `"10.20.0.0/16:9000"` or `"minio.corp:9000"`.'
        ),
    ] = []
    ca_file: Annotated[
        Path | None,
        Meta(
            description="PEM file with the certificate authorities to trust, instead of "
            "the system's."
        ),
    ] = None
    timeout: Annotated[Duration, Meta(description="Time for one download in total.")] = (
        Duration.parse("1h")
    )


class Webhooks(Section, frozen=True):
    """Connecting to where jobs send their results: webhooks, and `deliver`."""

    allow: Annotated[
        list[str],
        Meta(
            description="Destinations beyond the public internet, written as those of "
            "`fetch.allow`. Plain http leads to these only."
        ),
    ] = []
    ca_file: Annotated[
        Path | None,
        Meta(
            description="PEM file with the certificate authorities to trust, instead of "
            "the system's."
        ),
    ] = None


class Limits(Section, frozen=True):
    """What a request may ask for."""

    media_size: Annotated[ByteSize, Meta(description="Bytes of one recording.")] = ByteSize.parse(
        "1GiB"
    )
    audio_duration: Annotated[Duration, Meta(description="Length of one recording.")] = (
        Duration.parse("4h")
    )
    worker_memory: Annotated[
        ByteSize,
        Meta(description="Memory for worker copies, fetched and decoded; a job waits for room."),
    ] = ByteSize.parse("2GiB")
    queue_length: Annotated[
        int, Meta(ge=1, description="Jobs that may wait or run at once; a further one is a 429.")
    ] = 1000
    queue_ttl: Annotated[
        Duration, Meta(description="A job that could not start for so long fails.")
    ] = Duration.parse("24h")
    writes_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Requests of a project to each endpoint that changes something; 0: no "
            "limit. The hosted service allows 100.",
        ),
    ] = 0
    reads_per_minute: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description="Requests of a project to each endpoint that only reads; 0: no limit. "
            "The hosted service allows 300.",
        ),
    ] = 0


class Auth(Section, frozen=True):
    """Whose word is taken."""

    trusted_voiceprint_keys: Annotated[
        list[Path],
        Meta(
            description="Files with the voiceprint keys of other installations (`onprem "
            "voiceprints key`), whose voiceprints are taken here too."
        ),
    ] = []


class Log(Section, frozen=True):
    """What the server prints on stderr. Never content, URLs' paths or secrets."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="Least severity printed.")
    ] = "info"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The whole configuration. `source` is the file that it was read from."""

    server: Server = Server()
    node: Node = Node()
    storage: Storage = Storage()
    retention: Retention = Retention()
    models: Models = Models()
    runner: Runner = Runner()
    fetch: Fetch = Fetch()
    webhooks: Webhooks = Webhooks()
    limits: Limits = Limits()
    auth: Auth = Auth()
    log: Log = Log()
    source: Path | None = None

    @property
    def models_dir(self) -> Path:
        return self.models.dir or self.storage.data_dir / "models"

    @property
    def keys_dir(self) -> Path:
        return self.storage.keys_dir or self.storage.data_dir / "keys"


SECTIONS: dict[str, type[Section]] = {
    field.name: field.type
    for field in msgspec.structs.fields(Settings)
    if isinstance(field.type, type) and issubclass(field.type, Section)
}


def decode_scalar(kind: type, value: Any) -> Any:
    """msgspec's hook for the types that are ours; raises ValueError with a sentence."""
    if kind in (Duration, ByteSize) and isinstance(value, str | int):
        return kind.parse(str(value))  # a number is without a unit, so only 0 can be meant
    if kind is Path and isinstance(value, str) and value:
        return Path(value)
    raise ValueError(f"Expected text for {kind.__name__}")
