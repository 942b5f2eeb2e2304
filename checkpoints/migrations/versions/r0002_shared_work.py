"""Leases on steps in the making; answers by what was asked; calls that cost money; circuits; rests."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.create_table(
        "leases",
        sa.Column("fence", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String, nullable=False, unique=True),
        sa.Column("owner", sa.String, nullable=False),
        sa.Column("host", sa.String, nullable=False),
        sa.Column("place", sa.String, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.String, nullable=False),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("beats", sa.Integer, nullable=False),
        sqlite_autoincrement=True,
    )
    op.create_index("leases_by_owner", "leases", ["owner"])
    op.create_index("leases_by_job", "leases", ["job_id"])
    op.create_table(
        "responses",
        sa.Column("request", sa.String, primary_key=True),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("made_at", sa.Float, nullable=False),
    )
    op.create_index("responses_by_key", "responses", ["key"])
    op.create_table(
        "purchases",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("request", sa.String, nullable=False),
        sa.Column("key", sa.String, nullable=False),
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", ondelete="CASCADE"), nullable=False),
        sa.Column("step_id", sa.String, nullable=False),
        sa.Column("scene", sa.Integer, nullable=False),
        sa.Column("operation", sa.String, nullable=False),
        sa.Column("provider", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("begun_at", sa.Float, nullable=False),
        sa.Column("ended_at", sa.Float),
    )
    op.create_index("purchases_by_key", "purchases", ["key"])
    op.create_index("purchases_by_state", "purchases", ["state"])
    op.create_index("purchases_by_job", "purchases", ["job_id"])
    op.create_table(
        "circuits",
        sa.Column("name", sa.String, primary_key=True),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("since_wall", sa.Float, nullable=False),
        sa.Column("window_s", sa.Float, nullable=False),
        sa.Column("break_s", sa.Float, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("successes", sa.Integer, nullable=False),
        sa.Column("failed_at", sa.Float),
        sa.Column("failed_wall", sa.Float),
        sa.Column("probe", sa.String, nullable=False),
        sa.Column("probe_until", sa.Float, nullable=False),
        sa.Column("probe_place", sa.String, nullable=False),
        sa.Column("probe_pid", sa.Integer, nullable=False),
        sa.Column("probe_started", sa.String, nullable=False),
    )
    op.create_table(
        "outcomes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("circuit", sa.String, nullable=False),
        sa.Column("generation", sa.Integer, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("successes", sa.Integer, nullable=False),
    )
    op.create_index("outcomes_by_circuit", "outcomes", ["circuit", "at"])
    op.create_table(
        "progress",
        sa.Column("job_id", sa.String, sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("stage", sa.String, nullable=False),
        sa.Column("scene", sa.Integer, nullable=False),
        sa.Column("steps_done", sa.Integer, nullable=False),
        sa.Column("steps_total", sa.Integer, nullable=False),
        sa.Column("frames_done", sa.Integer, nullable=False),
        sa.Column("frames_total", sa.Integer, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("saved_at", sa.Float, nullable=False),
    )
    op.create_table(
        "refusals",
        sa.Column("source", sa.String, primary_key=True),
        sa.Column("options", sa.Text, nullable=False),
        sa.Column("code", sa.String, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
    )
    op.create_table(
        "rests",
        sa.Column("provider", sa.String, primary_key=True),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("account", sa.String, nullable=False),
        sa.Column("boot", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("at_wall", sa.Float, nullable=False),
        sa.Column("length_s", sa.Float),
    )
