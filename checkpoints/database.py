"""Opening the ledger's SQLite file: which driver, which journal, which schema.

SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log when it is reset during a race (fixed in 3.51.3, and in 3.44.6 and 3.50.7),
so the bundled newer driver is taken where there is one, and the rollback journal where there is not.
"""

from __future__ import annotations

import importlib
import logging
import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from checkpoints.files import mapping_errors
from checkpoints.schema import REVISION
from config.errors import StoreError

BUSY_TIMEOUT_MS = 30_000
_FIXED = ((3, 44, 6), (3, 45, 0)), ((3, 50, 7), (3, 51, 0)), ((3, 51, 3), (99, 0, 0))


def wal_is_sound(version: tuple[int, int, int]) -> bool:
    """Whether this SQLite version's write-ahead log is free of the reset race."""
    return any(low <= version < high for low, high in _FIXED)


def driver() -> ModuleType:
    """`pysqlite3` where it is installed, else Python's own `sqlite3`."""
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return importlib.import_module("sqlite3")


def open_engine(path: Path) -> Engine:
    """An engine on the ledger's file, migrated to this version's schema. Raises StoreError or DiskFullError."""
    module = driver()
    sound = wal_is_sound(module.sqlite_version_info)
    with mapping_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(f"sqlite:///{path}", module=module, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})

    @sa.event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # Transactions are begun by the hook below, so that a writer takes its lock at once instead of failing halfway.
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
        cursor.execute(f"PRAGMA journal_mode={'WAL' if sound else 'DELETE'}")
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        reading = connection.get_execution_options().get("reading", False)
        connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")

    try:
        _migrate(engine, path)
    except sa.exc.DBAPIError as error:
        engine.dispose()
        raise unusable(path, error) from error
    except StoreError:
        engine.dispose()
        raise
    return engine


def unusable(path: Path, error: Exception) -> StoreError:
    """The error for a ledger that SQLite cannot work with."""
    reason = str(getattr(error, "orig", None) or error)
    return StoreError(
        f"The ledger {path} cannot be used: {reason}",
        hint="framekeep doctor; or move the file away: finished work is still found in the store",
    )


def _migrate(engine: Engine, path: Path) -> None:
    with engine.connect().execution_options(reading=True) as connection:
        current = _revision(connection)
    if current == REVISION:
        return
    if current is not None and current > REVISION:
        raise StoreError(
            f"The ledger {path} was written by a newer Framekeep (schema {current}; this one knows {REVISION})",
            hint="upgrade Framekeep, or use another --home",
        )
    if current is not None:
        shutil.copyfile(path, path.with_name(f"{path.name}.before-{REVISION}"))
    _upgrade(engine)


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(revision) if revision else None


def _upgrade(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    with engine.begin() as connection:
        if _revision(connection) == REVISION:
            return
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
