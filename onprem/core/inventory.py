"""The data inventory: every place where bytes can live, in what form, until when, and how they go.

One table for the documentation and for evidence packs. Tests hold it to the code: each kind of
artefact, each table of the database and each file of the data directory has its place here.
Texts are templates over the names of `Facts`.
"""

from collections.abc import Mapping

import msgspec

from onprem.core.receipt import ArtefactKind
from onprem.core.retention import DELIVERED_SECONDS, MEDIA_CEILING, OUTPUT_CEILING

Facts = Mapping[str, str]
"""Paths and options by their names in the templates: as configured, or as documented."""


class Place(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """`kinds` of artefacts and `tables` of the database that it stands for; `goes`: how."""

    what: str
    where: str
    form: str
    until: str
    goes: str
    kinds: tuple[ArtefactKind, ...] = ()
    tables: tuple[str, ...] = ()

    def told(self, facts: Facts) -> "Place":
        texts = {name: getattr(self, name).format_map(facts) for name in TEXTS}
        return msgspec.structs.replace(self, **texts)


class Beyond(msgspec.Struct, frozen=True):
    """A place that the server cannot reach: what may be there, and what to do about it."""

    where: str
    what: str
    do: str


TEXTS = ("what", "where", "form", "until", "goes")

_CIPHERTEXT = "ciphertext"
_IN_ROW_OR_BLOB = "{database}; above 64 KiB in {blobs}"
_KEY = "key overwritten and read back, ciphertext deleted, receipt"
_FREED = "memory freed"
_ROW = "row overwritten with zeros (secure_delete)"
_HOURS = 3600

PLACES = (
    Place(
        what="worker copy: a recording as it was fetched or sent along, and as decoded",
        where="memory (sealed memfd) of the server and, while it decodes, of its decoder",
        form="plaintext",
        until="the job's end on every path: success, failure, crash, stop",
        goes=f"{_FREED}, receipt",
        kinds=(ArtefactKind.WORKER_COPY,),
    ),
    Place(
        what="uploaded media",
        where="{blobs}",
        form=_CIPHERTEXT,
        until=f"{{media}} after the end of the upload, {MEDIA_CEILING // _HOURS} h at most, used or"
        " not",
        goes=_KEY,
        kinds=(ArtefactKind.MEDIA,),
        tables=("artefact",),
    ),
    Place(
        what="an older version of the same `media://` name, or one that its owner deleted",
        where="{blobs}",
        form=_CIPHERTEXT,
        until="no unfinished job is bound to it; never after its own deadline",
        goes=_KEY,
        tables=("withdrawn_media",),
    ),
    Place(
        what="the `media://` name",
        where="{database}",
        form="plaintext, as its owner chose it",
        until="its media goes",
        goes=_ROW,
        tables=("media",),
    ),
    Place(
        what="an upload while it arrives",
        where="{blobs}",
        form="ciphertext whose key is only in memory",
        until="it is complete, or breaks off",
        goes="file deleted; after a crash at the next start",
    ),
    Place(
        what="request: source URL, options, voiceprints and labels, models",
        where=_IN_ROW_OR_BLOB,
        form=_CIPHERTEXT,
        until="the job's end; a job that cannot start fails after {queue_ttl}",
        goes=_KEY,
        kinds=(ArtefactKind.REQUEST,),
    ),
    Place(
        what="destination: URLs of the webhook and of `deliver`",
        where=_IN_ROW_OR_BLOB,
        form=_CIPHERTEXT,
        until="the job's deliveries have ended; at the latest {output} after the job's end, or 15"
        " minutes where that is longer",
        goes=_KEY,
        kinds=(ArtefactKind.DESTINATION,),
    ),
    Place(
        what="output, `output.error`, and edits of it; what a call of the OpenAI audio API"
        " answers with",
        where=_IN_ROW_OR_BLOB,
        form=_CIPHERTEXT,
        until=f"{{output}} after the job's end, {OUTPUT_CEILING // _HOURS} h at most; where 0 is"
        f" set, {DELIVERED_SECONDS:.0f} s after delivery; an answer, once it was sent",
        goes=_KEY,
        kinds=(ArtefactKind.OUTPUT, ArtefactKind.EDITS),
    ),
    Place(
        what="canary: random bytes of nobody, made every {canary} to see them vanish",
        where="{database} and {blobs}",
        form=_CIPHERTEXT,
        until="its deadline, a minute after it was made",
        goes=f"{_KEY}; then all places are searched for it",
        kinds=(ArtefactKind.CANARY,),
    ),
    Place(
        what="record keys, one for each ciphertext",
        where="{slots}",
        form="wrapped under the master key",
        until="what they belong to goes",
        goes="overwritten with zeros in place, read back",
        tables=("free_slot",),
    ),
    Place(
        what="pages of the database that were written lately",
        where="{log}, {index}",
        form="as in the database",
        until="the next deletion, at the latest the next sweep that finds no reader",
        goes="truncated",
    ),
    Place(
        what="used upload links",
        where="{database}",
        form="random numbers",
        until="the link's hour",
        goes=_ROW,
        tables=("used_link",),
    ),
    Place(
        what="`Idempotency-Key` and the body that it came with",
        where="{database}",
        form="keyed hashes",
        until="24 h",
        goes=_ROW,
        tables=("idempotency",),
    ),
    Place(
        what="deliveries: state, times, reasons, HTTP status, size; SHA-256 until the output's"
        " deadline",
        where="{database}",
        form="plaintext, no content, no URL",
        until="with the job's tombstone",
        goes=_ROW,
        tables=("delivery",),
    ),
    Place(
        what="tombstone of a job: id, project, kind, status, error code, times, models",
        where="{database}",
        form="plaintext, no content",
        until="{metadata} after the job's end",
        goes=_ROW,
        tables=("job",),
    ),
    Place(
        what="ledger: receipts of deletions, acts, results of canaries",
        where="{database}",
        form="plaintext: ids, times, reasons",
        until="{receipts}",
        goes="oldest entries taken away, which is an entry",
        tables=("ledger", "chain_floor"),
    ),
    Place(
        what="access log: who read which id, when",
        where="{database}",
        form="plaintext: ids, times",
        until="{access_log}",
        goes="oldest entries taken away, which is an entry of the ledger",
        tables=("access_log",),
    ),
    Place(
        what="checkpoints of both",
        where="{database}",
        form="signed digests",
        until="{receipts}",
        goes=_ROW,
        tables=("checkpoint",),
    ),
    Place(
        what="projects and API keys",
        where="{database}",
        form="names that you chose, settings; keys as SHA-256",
        until="for good; an erased project leaves its id, a revoked key stays listed",
        goes="`onprem purge --project`",
        tables=("project", "api_key"),
    ),
    Place(
        what="webhook secrets, voiceprint key, signing key",
        where="{database}",
        form="wrapped under the master key",
        until="for good; a rotated secret until its overlap ends",
        goes=_ROW,
        tables=("secret",),
    ),
    Place(
        what="clock mark (times), check of the master key (a derived value)",
        where="{database}",
        form="no content",
        until="for good",
        goes="overwritten by the next",
        tables=("clock_mark", "key_check"),
    ),
    Place(
        what="lock of the server, and a database that a restore builds",
        where="{lock}, {staging}",
        form="empty; as a backup, no content",
        until="for good; the restore's end",
        goes="file deleted",
    ),
    Place(
        what="configuration and master key",
        where="{configuration}, {key}",
        form="settings; the key that wraps all others",
        until="you delete them",
        goes="by you",
    ),
    Place(
        what="models",
        where="{models}",
        form="weights; they never change",
        until="`onprem models remove`",
        goes="file deleted",
    ),
    Place(
        what="requests and answers in transit, samples and text in work",
        where="memory of the server and of the accelerator",
        form="plaintext",
        until="they were sent, or computed; memory is used again, not scrubbed",
        goes="memory freed; at the latest with the process",
    ),
    Place(
        what="log",
        where="stderr, so the journal of the machine",
        form="ids, codes, counts; no content, no URL",
        until="as your journal says",
        goes="by the journal",
    ),
    Place(
        what="backups (`onprem backup create`)",
        where="where you put them",
        form="configuration, projects, key hashes, wrapped secrets, ledger, tombstones; no content"
        " and no record key",
        until="you delete them",
        goes="by you",
    ),
    Place(
        what="bundles (`onprem share create`), by consent only",
        where="where you put them",
        form="encrypted to their recipients (age)",
        until="the consent's end",
        goes="by whoever has them",
    ),
    Place(
        what="exports of the ledger, evidence packs, certificates, exported checkpoints",
        where="where you put them",
        form="signed; ids, times, digests; no content",
        until="you delete them",
        goes="by you",
    ),
)

BEYOND = (
    Beyond(
        "clients and analysts: programs, browsers",
        "what they read or saved. Answers carry `Cache-Control: no-store`, so that a browser keeps"
        " no copy on its disk; what is on the screen, printed or saved stays",
        "the access log says what was read, by which key; bind users by your rules",
    ),
    Beyond(
        "a proxy in front",
        "requests and answers in its buffers, which may be files in plaintext",
        "`proxy_request_buffering off` and `proxy_buffering off`, as in the operations guide; no"
        " bodies in its logs",
    ),
    Beyond(
        "receivers of webhooks and of `deliver`",
        "outputs that were sent to them",
        "`GET /v1/jobs/{jobId}/deliveries` says which; use `webhookStatusOnly`",
    ),
    Beyond(
        "sources of URLs",
        "the recording, and that it was fetched",
        "delete it there; presigned URLs with a short life",
    ),
    Beyond(
        "swap and hibernation",
        "any memory of the server, in plaintext",
        "switch both off, or `MemorySwapMax=0` as in the systemd unit; doctor looks",
    ),
    Beyond(
        "core dumps",
        "any memory of the server, in plaintext",
        "`LimitCORE=1` as in the systemd unit; doctor looks",
    ),
    Beyond(
        "flash without full-disk encryption",
        "old copies of overwritten blocks: of a record key wrapped under the master key, of"
        " ciphertext",
        "LUKS under the data and the keys; at the disk's end destroy the master key too",
    ),
    Beyond(
        "snapshots, backup agents, copy-on-write and journalling storage",
        "ciphertext; and record keys where the folder of the keys is not left out, which undo a"
        " deletion",
        "leave `storage.keys_dir` out of all of them, on ext4 or XFS; doctor looks at the"
        " filesystem",
    ),
    Beyond(
        "the host of a virtual machine",
        "its memory, its disks, its snapshots",
        "encrypt, and agree with whoever runs it",
    ),
    Beyond(
        "memory of a GPU",
        "tensors of recordings, until they are overwritten; other tenants of one GPU",
        "no sharing of the GPU with others; it is free once the process has ended",
    ),
    Beyond(
        "logs of name servers, firewalls and proxies",
        "hosts that were connected to; whole URLs, where a proxy decrypts TLS",
        "their own retention",
    ),
    Beyond(
        "whoever has the master key and the record keys together",
        "everything that is live opens to them; nothing that was deleted",
        "keep them apart: systemd credential or a TPM for the one, `storage.keys_dir` for the"
        " other",
    ),
)


def told(facts: Facts) -> list[Place]:
    """The table with these facts filled in."""
    return [place.told(facts) for place in PLACES]
