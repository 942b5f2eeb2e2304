"""Ledgers as former versions left them."""

from __future__ import annotations

import contextlib
import sqlite3
from pathlib import Path

from checkpoints.ledger.schema import MIGRATIONS


def first_ledger(path: Path, version: int = 1) -> Path:
    """An empty ledger of the first or second schema, which counted their version in a table of their own."""
    with contextlib.closing(sqlite3.connect(path)) as raw:
        for migration in MIGRATIONS[:version]:
            for statement in migration:
                raw.execute(statement)
        raw.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL PRIMARY KEY)")
        raw.execute("INSERT INTO alembic_version VALUES (?)", (f"{version:04}",))
        raw.commit()
    return path
