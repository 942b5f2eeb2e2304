"""Bringing an older ledger to this version's schema. Loads the migration tool, which nothing else needs."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.util import CommandError

from checkpoints.points import reach
from checkpoints.schema import REVISION
from config.errors import StoreError


def upgrade(path: Path, module: ModuleType, connect: Callable[[], Any]) -> None:
    """Run all migrations that the ledger lacks, in one transaction of a connection that `connect` makes.

    Raises StoreError, or the database's error.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    engine = sa.create_engine("sqlite://", module=module, creator=connect, poolclass=sa.NullPool)
    sa.event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))
    try:
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            reach("ledger.upgrade:commit")
    except CommandError as error:
        raise StoreError(
            f"The ledger {path} cannot be brought to schema {REVISION}: {error}",
            hint="framekeep doctor --rebuild makes it again from the store",
        ) from error
    except sa.exc.DBAPIError as error:
        raise (error.orig or error) from error
    finally:
        engine.dispose()
