"""Opening the ledger's SQLite file: which driver, which journal, which schema.

SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log when it is reset during a race (fixed in 3.51.3, and in 3.44.6 and
3.50.7), so the bundled newer driver is taken where there is one, and the rollback journal where there is not.
"""

from __future__ import annotations

import contextlib
import importlib
import logging
import os
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import sqlalchemy as sa
from filelock import FileLock, Timeout
from sqlalchemy.engine import Connection, Engine

from checkpoints.files import make_folder, mapping_errors
from checkpoints.points import around, reach
from checkpoints.schema import REVISION
from config.errors import DiskFullError, FramekeepError, StoreError

BUSY_TIMEOUT_MS = 30_000
_FIXED = ((3, 44, 6), (3, 45, 0)), ((3, 50, 7), (3, 51, 0)), ((3, 51, 3), (99, 0, 0))


class LedgerLockedError(StoreError):
    """Somebody keeps the ledger from being read. It is not damaged."""


def wal_is_sound(version: tuple[int, ...]) -> bool:
    """Whether this SQLite version's write-ahead log is free of the reset race."""
    return any(low <= version < high for low, high in _FIXED)


def driver() -> ModuleType:
    """`pysqlite3` where it is installed, else Python's own `sqlite3`."""
    try:
        return importlib.import_module("pysqlite3")
    except ImportError:
        return importlib.import_module("sqlite3")


def open_engine(path: Path) -> Engine:
    """An engine on the ledger's file, migrated to this version's schema. Raises StoreError or DiskFullError.

    One that this user may only read is opened for reading.
    """
    if may_only_read(path):
        return _open_to_read(path)
    module = driver()
    with mapping_errors(path):
        make_folder(path.parent)
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)),
        module=module,
        connect_args={"timeout": BUSY_TIMEOUT_MS / 1000},
        # A thread that needs a connection gets one: they queue at the database's lock, not at the pool's timeout.
        max_overflow=-1,
    )
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    try:
        with mapping_database_errors(path):
            _prepare(engine, path, "wal" if wal_is_sound(module.sqlite_version_info) else "delete")
    except FramekeepError:
        engine.dispose()
        raise
    return engine


def may_only_read(path: Path) -> bool:
    """Whether a ledger is there that is another user's, or on a disk that cannot be written."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _open_to_read(path: Path) -> Engine:
    query = {"uri": "true", "mode": "ro"}
    if not path.with_name(f"{path.name}-wal").exists():
        # Nobody has it open: without this, SQLite would want to make the files for sharing it.
        query["immutable"] = "1"
    url = sa.URL.create("sqlite", database=f"file:{urllib.parse.quote(str(path))}", query=query)
    engine = sa.create_engine(url, module=driver(), connect_args={"timeout": BUSY_TIMEOUT_MS / 1000}, max_overflow=-1)
    sa.event.listen(engine, "connect", _configure)
    sa.event.listen(engine, "begin", _begin)
    try:
        with mapping_database_errors(path):
            current = _known_revision(engine, path)
        if current != REVISION:
            raise StoreError(
                f"The ledger {path} was written by an older Framekeep and may only be read here",
                hint="let its owner run: framekeep jobs",
            )
    except FramekeepError:
        engine.dispose()
        raise
    return engine


@contextlib.contextmanager
def mapping_database_errors(path: Path) -> Iterator[None]:
    """Turn the database's errors inside into ours."""
    try:
        yield
    except sa.exc.SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        if "disk is full" in reason:
            raise DiskFullError(
                f"No space left for the ledger {path}", hint="free some space, then: framekeep resume --all"
            ) from error
        if "readonly database" in reason:
            raise StoreError(
                f"The ledger {path} may only be read by this user",
                hint="run it as the owner, or use another --home",
            ) from error
        if "is locked" in reason:
            raise LedgerLockedError(
                f"The ledger {path} was kept locked by another process for {BUSY_TIMEOUT_MS / 1000:g} s",
                hint="see what uses it with: framekeep jobs; then try again",
            ) from error
        raise StoreError(
            f"The ledger {path} cannot be used: {reason}",
            hint="framekeep doctor --rebuild makes it again from the store",
        ) from error


def _configure(connection: Any, _record: Any) -> None:
    # Transactions are begun by the hook below, so that a writer takes its lock at once instead of failing halfway.
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin(connection: Connection) -> None:
    """`reading` transactions take no lock; `bare` ones are none: some statements cannot stand in one."""
    options = connection.get_execution_options()
    if not options.get("bare"):
        connection.exec_driver_sql("BEGIN" if options.get("reading") else "BEGIN IMMEDIATE")


def _prepare(engine: Engine, path: Path, journal: str) -> None:
    """Journal and schema as they must be. One process at a time does what is to do; usually nothing is."""
    if (_journal(engine), _known_revision(engine, path)) == (journal, REVISION):
        return
    lock = FileLock(path.with_name(f"{path.name}.lock"))
    with mapping_errors(path):
        try:
            lock.acquire(timeout=BUSY_TIMEOUT_MS / 1000)
        except Timeout:
            raise StoreError(
                f"Another process has been preparing the ledger {path} for {BUSY_TIMEOUT_MS / 1000:g} s",
                hint="see what it does with: framekeep doctor; then try again",
            ) from None
    try:
        if _journal(engine) != journal:
            with around("ledger.set_journal"):
                _set_journal(engine, journal)
        current = _known_revision(engine, path)
        if current == REVISION:
            return
        if current is not None:
            _back_up(engine, path.with_name(f"{path.name}.before-{REVISION}"))
        _upgrade(engine, path)
    finally:
        lock.release()


def _journal(engine: Engine) -> str:
    with engine.connect().execution_options(bare=True) as connection:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar()).lower()


def _set_journal(engine: Engine, journal: str) -> None:
    # SQLite does not wait for its busy timeout here, which is why this stands under a lock and not in `_configure`.
    with engine.connect().execution_options(bare=True) as connection:
        connection.exec_driver_sql(f"PRAGMA journal_mode={journal}")


def _known_revision(engine: Engine, path: Path) -> str | None:
    with engine.connect().execution_options(reading=True) as connection:
        current = _revision(connection)
    if current is not None and current > REVISION:
        raise StoreError(
            f"The ledger {path} was written by a newer Framekeep (schema {current}; this one knows {REVISION})",
            hint="upgrade Framekeep, or use another --home",
        )
    return current


def _revision(connection: Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    revision = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return str(revision) if revision else None


def revision_of(path: Path) -> str:
    """The schema of the ledger in a file; empty where it is damaged. Raises LedgerLockedError."""
    timeout_s = BUSY_TIMEOUT_MS / 1000
    engine = sa.create_engine(
        sa.URL.create("sqlite", database=str(path)), module=driver(), connect_args={"timeout": timeout_s}
    )
    try:
        with mapping_database_errors(path), engine.connect() as connection:
            return _revision(connection) or ""
    except LedgerLockedError:
        raise
    except StoreError:
        return ""
    finally:
        engine.dispose()


def _back_up(engine: Engine, target: Path) -> None:
    """A whole copy, the write-ahead log's content included, which a copy of the file alone would lack."""
    target.unlink(missing_ok=True)
    with engine.connect().execution_options(bare=True) as connection, around("ledger.back_up"):
        connection.exec_driver_sql("VACUUM INTO ?", (str(target),))


def _upgrade(engine: Engine, path: Path) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    with around("ledger.upgrade"), engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise StoreError(
                f"The ledger {path} cannot be brought to schema {REVISION}: {error}",
                hint="framekeep doctor --rebuild makes it again from the store",
            ) from error
        reach("ledger.upgrade:commit")
