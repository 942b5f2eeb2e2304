"""The ledger's tables. A change here needs a migration in `migrations/versions` and a new `REVISION`."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

REVISION = "0002"

metadata = MetaData()

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("title", String, nullable=False),
    Column("state", String, nullable=False),
    Column("brief", Text, nullable=False),
    Column("options", Text, nullable=False),
    Column("created_at", Float, nullable=False),
    Column("updated_at", Float, nullable=False),
    Column("report", Text),
    Column("error", Text),
)

steps = Table(
    "steps",
    metadata,
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("scene", Integer, nullable=False),
    Column("key", String, nullable=False),
    Column("state", String, nullable=False),
    Column("runs", Integer, nullable=False, default=0),
    Column("updated_at", Float, nullable=False),
    Column("error", Text),
)

results = Table(
    "results",
    metadata,
    Column("key", String, primary_key=True),
    Column("stage", String, nullable=False),
    Column("record", Text, nullable=False),
    Column("used_at", Float, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("step_id", String, nullable=False),
    Column("operation", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("code", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("elapsed_s", Float, nullable=False),
    Column("at", Float, nullable=False),
)
Index("attempts_by_job", attempts.c.job_id)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String, nullable=False),
    Column("data", Text, nullable=False),
)
Index("events_by_job", events.c.job_id)

# Who makes the result of a key now. A fence is never given out twice.
leases = Table(
    "leases",
    metadata,
    Column("fence", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, unique=True),
    Column("owner", String, nullable=False),
    Column("host", String, nullable=False),
    Column("place", String, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("started", String, nullable=False),
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("since", Float, nullable=False),
    Column("beats", Integer, nullable=False),
    sqlite_autoincrement=True,
)
Index("leases_by_owner", leases.c.owner)
Index("leases_by_job", leases.c.job_id)

# Answers by what was asked, whoever answered; the record of `key` has the answer.
responses = Table(
    "responses",
    metadata,
    Column("request", String, primary_key=True),
    Column("key", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("made_at", Float, nullable=False),
)
Index("responses_by_key", responses.c.key)

# Calls that cost money, noted before they are made. `request` is the id that the provider is told.
purchases = Table(
    "purchases",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("request", String, nullable=False),
    Column("key", String, nullable=False),
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
    Column("step_id", String, nullable=False),
    Column("scene", Integer, nullable=False),
    Column("operation", String, nullable=False),
    Column("provider", String, nullable=False),
    Column("state", String, nullable=False),
    Column("begun_at", Float, nullable=False),
    Column("ended_at", Float),
)
Index("purchases_by_key", purchases.c.key)
Index("purchases_by_state", purchases.c.state)
Index("purchases_by_job", purchases.c.job_id)

# Kept by `checkpoints.circuits` on connections of its own.
circuits = Table(
    "circuits",
    metadata,
    Column("name", String, primary_key=True),
    Column("state", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("boot", String, nullable=False),
    Column("since", Float, nullable=False),
    Column("since_wall", Float, nullable=False),
    Column("window_s", Float, nullable=False),
    Column("break_s", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
    Column("failed_at", Float),
    Column("failed_wall", Float),
    Column("probe", String, nullable=False),
    Column("probe_until", Float, nullable=False),
    Column("probe_place", String, nullable=False),
    Column("probe_pid", Integer, nullable=False),
    Column("probe_started", String, nullable=False),
)

# What counts for a closed circuit: few rows, forgotten when they are too old to count.
outcomes = Table(
    "outcomes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("circuit", String, nullable=False),
    Column("generation", Integer, nullable=False),
    Column("boot", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("successes", Integer, nullable=False),
)
Index("outcomes_by_circuit", outcomes.c.circuit, outcomes.c.at)

# Kept by `checkpoints.rests` on a connection of its own.
rests = Table(
    "rests",
    metadata,
    Column("provider", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("account", String, nullable=False),
    Column("boot", String, nullable=False),
    Column("at", Float, nullable=False),
    Column("at_wall", Float, nullable=False),
    Column("length_s", Float),
)

# How far each job's last run has come, as it was saved last.
progress = Table(
    "progress",
    metadata,
    Column("job_id", String, ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
    Column("stage", String, nullable=False),
    Column("scene", Integer, nullable=False),
    Column("steps_done", Integer, nullable=False),
    Column("steps_total", Integer, nullable=False),
    Column("frames_done", Integer, nullable=False),
    Column("frames_total", Integer, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("saved_at", Float, nullable=False),
)

# Briefs of batches that could not even become jobs, by where they stand; `options` is what the batch asked for.
refusals = Table(
    "refusals",
    metadata,
    Column("source", String, primary_key=True),
    Column("options", Text, nullable=False),
    Column("code", String, nullable=False),
    Column("message", Text, nullable=False),
    Column("at", Float, nullable=False),
)
