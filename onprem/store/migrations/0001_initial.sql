-- 0001: the first schema.

-- Shows whether the master key at hand is the one that `init` made: one row.
CREATE TABLE key_check (
    id    INTEGER PRIMARY KEY CHECK (id = 1),
    value BLOB NOT NULL                    -- derived from the master key, which it does not tell
) STRICT;

-- Where retention time stood (onprem/clock.py), so that it goes on after a stop: one row.
CREATE TABLE clock_mark (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    time       REAL NOT NULL,
    boot_id    TEXT NOT NULL,
    boottime   REAL NOT NULL,
    lags_since REAL,                       -- from when on it may lag behind; null: it does not
    swept_at   REAL                        -- retention time of the last sweep that did all
) STRICT;

CREATE TABLE project (
    id         TEXT PRIMARY KEY,
    name       TEXT NOT NULL UNIQUE,
    created_at REAL NOT NULL,
    settings   TEXT NOT NULL DEFAULT '{}', -- JSON: core/project.py
    served     INTEGER NOT NULL DEFAULT 0, -- when its turn was last: jobs are taken round robin
    erased_at  REAL                        -- all of it was erased: only its id is left
) STRICT;

-- A key belongs to one project. Only its SHA-256 is kept: it has 256 random bits.
CREATE TABLE api_key (
    id         TEXT PRIMARY KEY,
    project_id TEXT NOT NULL REFERENCES project (id),
    name       TEXT NOT NULL,
    hash       BLOB NOT NULL,
    scopes     TEXT NOT NULL,              -- JSON list
    created_at REAL NOT NULL,
    expires_at REAL,
    revoked_at REAL
) STRICT;

-- Everything that can hold what somebody said, as long as it lives. Deleting it removes the row
-- and appends a receipt to the ledger in one transaction: an artefact is live or has a receipt.
CREATE TABLE artefact (
    id         BLOB PRIMARY KEY,           -- 16 random bytes; also names its key slot and blob
    kind       TEXT NOT NULL
        CHECK (kind IN (
            'media', 'request', 'destination', 'output', 'edits', 'worker_copy', 'canary'
        )),
    project_id TEXT NOT NULL REFERENCES project (id),
    job_id     TEXT,                       -- null for media
    slot       INTEGER UNIQUE,             -- its record key; null for worker copies (memory)
    size       INTEGER NOT NULL,           -- plaintext bytes
    sealed     BLOB,                       -- ciphertext; null where it lies in a blob file
    created_at REAL NOT NULL,
    due_at     REAL NOT NULL
) STRICT;
CREATE INDEX artefact_due ON artefact (due_at);
CREATE INDEX artefact_job ON artefact (job_id);
-- Counted without touching rows, which hold ciphertext.
CREATE INDEX artefact_kind ON artefact (kind, created_at, due_at);

-- Slots of the record-key file that carry no live key. A slot comes back here in the same
-- transaction as the receipt of what it protected, so it is never reused earlier.
CREATE TABLE free_slot (
    slot INTEGER PRIMARY KEY
) STRICT;

-- media://<key> of a project, at its newest version.
CREATE TABLE media (
    project_id  TEXT NOT NULL REFERENCES project (id),
    key         TEXT NOT NULL,
    artefact_id BLOB NOT NULL UNIQUE REFERENCES artefact (id) ON DELETE CASCADE,
    PRIMARY KEY (project_id, key)
) STRICT;

-- Versions that their owner deleted while an unfinished job was bound to them.
CREATE TABLE withdrawn_media (
    artefact_id BLOB PRIMARY KEY REFERENCES artefact (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE job (
    seq              INTEGER PRIMARY KEY,  -- order of submission
    id               TEXT NOT NULL UNIQUE,
    project_id       TEXT NOT NULL REFERENCES project (id),
    kind             TEXT NOT NULL
        CHECK (kind IN ('diarize', 'identify', 'voiceprint', 'transcribe')),
    status           TEXT NOT NULL
        CHECK (status IN ('created', 'pending', 'running', 'succeeded', 'failed', 'canceled')),
    region           TEXT NOT NULL,        -- where it may run, as set at submission
    media_id         BLOB,                 -- the media version that it is bound to
    request_id       BLOB,                 -- its encrypted request, until a terminal state
    destination_id   BLOB,                 -- where results are sent, until deliveries end
    output_id        BLOB,                 -- its encrypted output, until the deadline
    edits_id         BLOB,                 -- its owner's corrections of the output
    output_life      REAL NOT NULL,        -- seconds that its output lives at most
    until_delivered  INTEGER NOT NULL,     -- and whether it goes as soon as it is delivered
    output_due_at    REAL,
    error_code       TEXT,
    engine           TEXT,                 -- JSON: the models that made the output
    claims           INTEGER NOT NULL DEFAULT 0,
    attempts         INTEGER NOT NULL DEFAULT 0,
    duration         REAL,                 -- seconds of audio, once it was decoded
    created_at       REAL NOT NULL,
    waits_since      REAL NOT NULL,        -- when it last became ready to start
    updated_at       REAL NOT NULL,
    finished_at      REAL,
    acknowledged_at  REAL,                 -- its owner has its output
    deleted_at       REAL                  -- its owner deleted it: no read shows it
) STRICT;
CREATE INDEX job_waiting ON job (seq) WHERE status IN ('created', 'pending');
CREATE INDEX job_running ON job (seq) WHERE status = 'running';
CREATE INDEX job_media ON job (media_id) WHERE finished_at IS NULL;
CREATE INDEX job_unfinished ON job (project_id) WHERE finished_at IS NULL;
CREATE INDEX job_project ON job (project_id, seq);

-- Webhooks and uploads of results. Where they lead stands in the job's destination artefact.
CREATE TABLE delivery (
    id       TEXT PRIMARY KEY,             -- the same in each try, for receivers to tell
    job_id   TEXT NOT NULL REFERENCES job (id) ON DELETE CASCADE,
    kind     TEXT NOT NULL CHECK (kind IN ('webhook', 'deliver')),
    state    TEXT NOT NULL CHECK (state IN ('waiting', 'delivered', 'failed', 'skipped')),
    next_at  REAL,                         -- of the next try; null before the job's end
    attempts TEXT NOT NULL DEFAULT '[]',   -- JSON: core/delivery.py
    ended_at REAL,
    bytes    INTEGER,                      -- of the body that arrived with the output
    sha256   TEXT                          -- of that body, as long as the output lives
) STRICT;
CREATE INDEX delivery_due ON delivery (next_at) WHERE state = 'waiting';
CREATE INDEX delivery_job ON delivery (job_id);

-- Idempotency keys: what was asked for with one, and the job that it made. Only keyed hashes.
CREATE TABLE idempotency (
    project_id TEXT NOT NULL REFERENCES project (id),
    key        BLOB NOT NULL,              -- of the key that the client chose
    request    BLOB NOT NULL,              -- of the path and the body
    job_id     TEXT NOT NULL,              -- of the job that it made
    expires_at REAL NOT NULL,
    PRIMARY KEY (project_id, key)
) STRICT;
CREATE INDEX idempotency_expires ON idempotency (expires_at);

-- Secrets of the installation and of projects, each wrapped under the master key.
CREATE TABLE secret (
    id         TEXT PRIMARY KEY,
    purpose    TEXT NOT NULL CHECK (purpose IN ('voiceprint', 'webhook', 'signing')),
    project_id TEXT REFERENCES project (id), -- null where the whole installation shares it
    wrapped    BLOB NOT NULL,
    created_at REAL NOT NULL,
    retires_at REAL                          -- set by a rotation: it serves until then
) STRICT;
CREATE INDEX secret_purpose ON secret (purpose, project_id);

-- Nonces of signed links that served their one upload.
CREATE TABLE used_link (
    nonce      BLOB PRIMARY KEY,
    expires_at REAL NOT NULL
) STRICT;

-- Where a chain begins after its oldest entries outlived their retention.
CREATE TABLE chain_floor (
    chain  TEXT PRIMARY KEY,
    seq    INTEGER NOT NULL,               -- of the last entry that was taken away
    digest BLOB NOT NULL                   -- its digest, from which the next one follows
) STRICT;

-- Deletions and acts, append-only and hash-chained: see core/chain.py.
CREATE TABLE ledger (
    seq          INTEGER PRIMARY KEY,
    at           REAL NOT NULL,            -- retention time
    wall         REAL NOT NULL,            -- what the machine's clock showed
    boot_id      TEXT NOT NULL,
    synchronised INTEGER NOT NULL,         -- whether the kernel called that clock synchronised
    kind         TEXT NOT NULL,
    job_id       TEXT,
    body         TEXT NOT NULL,            -- canonical JSON
    digest       BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_job ON ledger (job_id);
CREATE INDEX ledger_kind ON ledger (kind, seq);
CREATE TRIGGER ledger_keeps_its_entries BEFORE DELETE ON ledger
WHEN OLD.seq > coalesce((SELECT seq FROM chain_floor WHERE chain = 'ledger'), 0)
BEGIN
    SELECT RAISE (ABORT, 'the ledger is append-only');
END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER ledger_entries_come_last BEFORE INSERT ON ledger
WHEN EXISTS (SELECT 1 FROM ledger WHERE seq >= NEW.seq)
BEGIN
    SELECT RAISE (ABORT, 'the ledger is append-only');
END;
CREATE TRIGGER ledger_entries_never_change BEFORE UPDATE ON ledger
BEGIN
    SELECT RAISE (ABORT, 'the ledger is append-only');
END;

-- Who read what content, append-only and hash-chained alike.
CREATE TABLE access_log (
    seq          INTEGER PRIMARY KEY,
    at           REAL NOT NULL,            -- retention time
    wall         REAL NOT NULL,            -- what the machine's clock showed
    boot_id      TEXT NOT NULL,
    synchronised INTEGER NOT NULL,         -- whether the kernel called that clock synchronised
    kind         TEXT NOT NULL,
    job_id       TEXT,
    body         TEXT NOT NULL,            -- canonical JSON
    digest       BLOB NOT NULL
) STRICT;
CREATE INDEX access_log_job ON access_log (job_id);
-- By the artefact's id: an access, as canonical JSON, begins with {"artefactId":" and the id.
CREATE INDEX access_log_artefact ON access_log (substr (body, 16, 32));
CREATE TRIGGER access_log_keeps_its_entries BEFORE DELETE ON access_log
WHEN OLD.seq > coalesce((SELECT seq FROM chain_floor WHERE chain = 'access_log'), 0)
BEGIN
    SELECT RAISE (ABORT, 'the access log is append-only');
END;
-- INSERT OR REPLACE deletes without the trigger above.
CREATE TRIGGER access_log_entries_come_last BEFORE INSERT ON access_log
WHEN EXISTS (SELECT 1 FROM access_log WHERE seq >= NEW.seq)
BEGIN
    SELECT RAISE (ABORT, 'the access log is append-only');
END;
CREATE TRIGGER access_log_entries_never_change BEFORE UPDATE ON access_log
BEGIN
    SELECT RAISE (ABORT, 'the access log is append-only');
END;

-- Signed statements of where both chains stood: see core/checkpoint.py.
CREATE TABLE checkpoint (
    number          INTEGER PRIMARY KEY,   -- from 1, without gaps
    at              REAL NOT NULL,
    ledger_size     INTEGER NOT NULL,      -- number of its last entry then
    access_log_size INTEGER NOT NULL,
    document        TEXT NOT NULL,         -- JSON, signed
    filed_at        REAL,                  -- when it was written to retention.checkpoint_file
    sent_at         REAL                   -- when retention.checkpoint_webhook took it
) STRICT;
CREATE INDEX checkpoint_unfiled ON checkpoint (number) WHERE filed_at IS NULL;
CREATE INDEX checkpoint_unsent ON checkpoint (number) WHERE sent_at IS NULL;
