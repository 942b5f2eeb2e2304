"""The ledger's statements that run once for each step: made once, and run for many rows at a time.

A plan of thousands of steps may be reused in one go.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.sqlite import Insert, insert

from checkpoints.schema import events, results, steps


def _or_update(table: sa.Table, *keep: str) -> Insert:
    """Insert a row, or bring the one with its primary key up to date but for the columns in `keep`."""
    statement = insert(table)
    changed = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key and column.name not in keep
    }
    return statement.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changed)


PUT_RESULT = _or_update(results)
PUT_REUSED = _or_update(steps, "runs")
ADD_EVENT = insert(events)
FIND_RESULT = sa.select(results.c.record).where(results.c.key == sa.bindparam("wanted"))
