"""The ledger's tables, as the list of migrations that makes them. The version stands in SQLite's `user_version`."""

from __future__ import annotations

_JOBS_AND_STEPS = (
    """
    CREATE TABLE jobs (
        id VARCHAR NOT NULL,
        title VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        brief TEXT NOT NULL,
        options TEXT NOT NULL,
        created_at FLOAT NOT NULL,
        updated_at FLOAT NOT NULL,
        report TEXT,
        error TEXT,
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE steps (
        job_id VARCHAR NOT NULL,
        id VARCHAR NOT NULL,
        stage VARCHAR NOT NULL,
        scene INTEGER NOT NULL,
        "key" VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        runs INTEGER NOT NULL,
        updated_at FLOAT NOT NULL,
        error TEXT,
        PRIMARY KEY (job_id, id),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE results (
        "key" VARCHAR NOT NULL,
        stage VARCHAR NOT NULL,
        record TEXT NOT NULL,
        used_at FLOAT NOT NULL,
        PRIMARY KEY ("key")
    )
    """,
    """
    CREATE TABLE attempts (
        id INTEGER NOT NULL,
        job_id VARCHAR NOT NULL,
        step_id VARCHAR NOT NULL,
        operation VARCHAR NOT NULL,
        provider VARCHAR NOT NULL,
        outcome VARCHAR NOT NULL,
        code VARCHAR NOT NULL,
        message TEXT NOT NULL,
        elapsed_s FLOAT NOT NULL,
        at FLOAT NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX attempts_by_job ON attempts (job_id)",
    """
    CREATE TABLE events (
        id INTEGER NOT NULL,
        job_id VARCHAR NOT NULL,
        at FLOAT NOT NULL,
        kind VARCHAR NOT NULL,
        data TEXT NOT NULL,
        PRIMARY KEY (id),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX events_by_job ON events (job_id)",
)

_SHARED_WORK_AND_CIRCUITS = (
    # Who makes the result of a key now. A fence is never given out twice.
    """
    CREATE TABLE leases (
        fence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        "key" VARCHAR NOT NULL,
        owner VARCHAR NOT NULL,
        host VARCHAR NOT NULL,
        place VARCHAR NOT NULL,
        pid INTEGER NOT NULL,
        started VARCHAR NOT NULL,
        job_id VARCHAR NOT NULL,
        since FLOAT NOT NULL,
        beats INTEGER NOT NULL,
        UNIQUE ("key"),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX leases_by_owner ON leases (owner)",
    "CREATE INDEX leases_by_job ON leases (job_id)",
    # Answers by what was asked, whoever answered; the record of `key` has the answer.
    """
    CREATE TABLE responses (
        request VARCHAR NOT NULL,
        "key" VARCHAR NOT NULL,
        provider VARCHAR NOT NULL,
        made_at FLOAT NOT NULL,
        PRIMARY KEY (request)
    )
    """,
    'CREATE INDEX responses_by_key ON responses ("key")',
    # Calls that cost money, noted before they are made. `request` is the id that the provider is told.
    """
    CREATE TABLE purchases (
        id INTEGER NOT NULL,
        request VARCHAR NOT NULL,
        "key" VARCHAR NOT NULL,
        job_id VARCHAR NOT NULL,
        step_id VARCHAR NOT NULL,
        scene INTEGER NOT NULL,
        operation VARCHAR NOT NULL,
        provider VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        begun_at FLOAT NOT NULL,
        ended_at FLOAT,
        PRIMARY KEY (id),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    'CREATE INDEX purchases_by_key ON purchases ("key")',
    "CREATE INDEX purchases_by_state ON purchases (state)",
    "CREATE INDEX purchases_by_job ON purchases (job_id)",
    # Kept by `checkpoints.ledger.circuits` on connections of its own.
    """
    CREATE TABLE circuits (
        name VARCHAR NOT NULL,
        state VARCHAR NOT NULL,
        generation INTEGER NOT NULL,
        boot VARCHAR NOT NULL,
        since FLOAT NOT NULL,
        since_wall FLOAT NOT NULL,
        window_s FLOAT NOT NULL,
        break_s FLOAT NOT NULL,
        failures INTEGER NOT NULL,
        successes INTEGER NOT NULL,
        failed_at FLOAT,
        failed_wall FLOAT,
        probe VARCHAR NOT NULL,
        probe_until FLOAT NOT NULL,
        probe_place VARCHAR NOT NULL,
        probe_pid INTEGER NOT NULL,
        probe_started VARCHAR NOT NULL,
        PRIMARY KEY (name)
    )
    """,
    # What counts for a closed circuit: few rows, forgotten when they are too old to count.
    """
    CREATE TABLE outcomes (
        id INTEGER NOT NULL,
        circuit VARCHAR NOT NULL,
        generation INTEGER NOT NULL,
        boot VARCHAR NOT NULL,
        at FLOAT NOT NULL,
        failures INTEGER NOT NULL,
        successes INTEGER NOT NULL,
        PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX outcomes_by_circuit ON outcomes (circuit, at)",
    # How far each job's last run has come, as it was saved last.
    """
    CREATE TABLE progress (
        job_id VARCHAR NOT NULL,
        stage VARCHAR NOT NULL,
        scene INTEGER NOT NULL,
        steps_done INTEGER NOT NULL,
        steps_total INTEGER NOT NULL,
        frames_done INTEGER NOT NULL,
        frames_total INTEGER NOT NULL,
        started_at FLOAT NOT NULL,
        saved_at FLOAT NOT NULL,
        PRIMARY KEY (job_id),
        FOREIGN KEY(job_id) REFERENCES jobs (id) ON DELETE CASCADE
    )
    """,
    # Briefs of batches that could not even become jobs, by where they stand; `options` is what the batch asked for.
    """
    CREATE TABLE refusals (
        source VARCHAR NOT NULL,
        options TEXT NOT NULL,
        code VARCHAR NOT NULL,
        message TEXT NOT NULL,
        at FLOAT NOT NULL,
        PRIMARY KEY (source)
    )
    """,
    # Kept by `checkpoints.ledger.cooldowns` on a connection of its own.
    """
    CREATE TABLE rests (
        provider VARCHAR NOT NULL,
        kind VARCHAR NOT NULL,
        message TEXT NOT NULL,
        account VARCHAR NOT NULL,
        boot VARCHAR NOT NULL,
        at FLOAT NOT NULL,
        at_wall FLOAT NOT NULL,
        length_s FLOAT,
        PRIMARY KEY (provider)
    )
    """,
)

_WITHOUT_A_MIGRATION_TOOL = ("DROP TABLE IF EXISTS alembic_version",)

_ASKING_AGAIN = (
    # What a step goes on from without asking again, where a call was not its last: JSON of the stage's.
    "ALTER TABLE purchases ADD COLUMN note TEXT",
    # How each server wants to be asked, as it was found out; `style` is JSON of the stage's.
    """
    CREATE TABLE request_styles (
        server VARCHAR NOT NULL,
        style TEXT NOT NULL,
        learned_at FLOAT NOT NULL,
        PRIMARY KEY (server)
    )
    """,
)

# In order, each applied once: a ledger of version N has had the first N. A new ledger gets all of them, an older one those
# that it lacks; what stands here is never changed, only added to.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _JOBS_AND_STEPS,
    _SHARED_WORK_AND_CIRCUITS,
    _WITHOUT_A_MIGRATION_TOOL,
    _ASKING_AGAIN,
)
VERSION = len(MIGRATIONS)
