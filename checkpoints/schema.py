"""The ledger's tables. A change here needs a migration in `migrations/versions` and a new `REVISION`."""

from __future__ import annotations

from sqlalchemy import Column, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text

REVISION = "0001"

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
