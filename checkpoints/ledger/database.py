"""Opening the ledger's SQLite file: which driver, which journal, which schema.

SQLite 3.7.0 to 3.51.2 can corrupt a write-ahead log when it is reset during a race (fixed in 3.51.3, and in 3.44.6 and
3.50.7), so the bundled newer driver is taken where there is one, and the rollback journal where there is not.
"""

from __future__ import annotations

import contextlib
import importlib
import os
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from filelock import FileLock, Timeout

from checkpoints.crash_points import around, reach
from checkpoints.files import make_folder, mapping_errors
from checkpoints.ledger.schema import MIGRATIONS, VERSION
from config.errors import DiskFullError, FramekeepError, StoreError

if TYPE_CHECKING:
    from sqlite3 import Connection

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


class Database:
    """One SQLite file. A thread that needs a connection gets one: they queue at the database's lock and nowhere else."""

    def __init__(self, path: Path, module: ModuleType, address: str = "") -> None:
        self.path = path
        self.module = module
        self._address = address
        self._idle: list[Connection] = []
        self._keeps = True

    def close(self) -> None:
        """Let go of the file. Whoever uses it afterwards opens it for each use."""
        self._keeps = False
        while self._idle:
            self._idle.pop().close()

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """A transaction that takes no lock: all that is read in it belongs together."""
        with self.bare() as connection:
            connection.execute("BEGIN")
            yield connection

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that takes the lock at once, instead of failing halfway; it is committed unless the block raises."""
        with self.bare() as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield connection
            connection.execute("COMMIT")

    @contextlib.contextmanager
    def bare(self) -> Iterator[Connection]:
        """A connection for this thread alone. What is not committed is undone."""
        with self.mapping_errors():
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self.connect()
            try:
                yield connection
            finally:
                self._take_back(connection)

    def connect(self) -> Connection:
        """A connection of the caller's own, on which no transaction begins by itself. Raises the driver's errors."""
        connection: Connection = self.module.connect(
            self._address or str(self.path),
            uri=bool(self._address),
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        try:
            connection.execute(f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("PRAGMA foreign_keys=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _take_back(self, connection: Connection) -> None:
        try:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
        except self.module.Error:
            connection.close()
            return
        if self._keeps:
            self._idle.append(connection)
        else:
            connection.close()

    @contextlib.contextmanager
    def mapping_errors(self) -> Iterator[None]:
        """Turn the database's errors inside into ours."""
        try:
            yield
        except self.module.Error as error:
            raise _mapped(error, self.path) from error


def open_database(path: Path) -> Database:
    """The ledger's file, at this version's schema. Raises StoreError or DiskFullError.

    One that this user may only read is opened for reading.
    """
    if may_only_read(path):
        return _open_to_read(path)
    module = driver()
    with mapping_errors(path):
        make_folder(path.parent)
    database = Database(path, module)
    try:
        _prepare(database, "wal" if wal_is_sound(module.sqlite_version_info) else "delete")
    except FramekeepError:
        database.close()
        raise
    return database


def may_only_read(path: Path) -> bool:
    """Whether a ledger is there that is another user's, or on a disk that cannot be written."""
    return path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def _open_to_read(path: Path) -> Database:
    # Where nobody has it open, SQLite would want to make the files for sharing it, unless it is told that nobody will.
    immutable = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    database = Database(path, driver(), f"file:{quote(str(path))}?mode=ro{immutable}")
    try:
        if _known_version(database) != VERSION:
            raise StoreError(
                f"The ledger {path} was written by an older Framekeep and may only be read here",
                hint="let its owner run: framekeep jobs",
            )
    except FramekeepError:
        database.close()
        raise
    return database


def _mapped(error: Exception, path: Path) -> FramekeepError:
    reason = str(error)
    if "disk is full" in reason:
        return DiskFullError(
            f"No space left for the ledger {path}", hint="free some space, then: framekeep resume --all"
        )
    if "readonly database" in reason:
        return StoreError(
            f"The ledger {path} may only be read by this user", hint="run it as the owner, or use another --home"
        )
    if "is locked" in reason:
        return LedgerLockedError(
            f"The ledger {path} was kept locked by another process for {BUSY_TIMEOUT_MS / 1000:g} s",
            hint="see what uses it with: framekeep jobs; then try again",
        )
    return StoreError(
        f"The ledger {path} cannot be used: {reason}", hint="framekeep doctor --rebuild makes it again from the store"
    )


def _prepare(database: Database, journal: str) -> None:
    """Journal and schema as they must be. One process at a time does what is to do; usually nothing is."""
    if (_journal(database), _known_version(database)) == (journal, VERSION):
        return
    path = database.path
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
        if _journal(database) != journal:
            with around("ledger.set_journal"):
                _set_journal(database, journal)
        current = _known_version(database)
        if current == VERSION:
            return
        if current:
            _back_up(database, path.with_name(f"{path.name}.before-{VERSION}"))
        _migrate(database, current)
    finally:
        lock.release()


def _journal(database: Database) -> str:
    with database.bare() as connection:
        return str(_scalar(connection, "PRAGMA journal_mode")).lower()


def _set_journal(database: Database, journal: str) -> None:
    # SQLite does not wait for its busy timeout here, which is why this stands under a lock and not in `connect`.
    with database.bare() as connection:
        connection.execute(f"PRAGMA journal_mode={journal}").fetchall()


def _known_version(database: Database) -> int:
    """The schema's version, 0 for a new file. Raises StoreError for one that only a newer Framekeep knows."""
    with database.reading() as connection:
        current = _version(connection)
    if current > VERSION:
        raise StoreError(
            f"The ledger {database.path} was written by a newer Framekeep (schema {current}; this one knows {VERSION})",
            hint="upgrade Framekeep, or use another --home",
        )
    return current


def _version(connection: Connection) -> int:
    version = int(_scalar(connection, "PRAGMA user_version"))
    # The first two versions were counted in a table of their own.
    if not version and _scalar(connection, "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
        version = int(_scalar(connection, "SELECT version_num FROM alembic_version") or 0)
    return version


def _scalar(connection: Connection, query: str) -> Any:
    found = connection.execute(query).fetchone()
    return found[0] if found else None


def version_of(path: Path) -> int:
    """The schema's version of the ledger in a file; 0 where it is damaged. Raises LedgerLockedError."""
    database = Database(path, driver())
    try:
        with database.bare() as connection:
            return _version(connection)
    except LedgerLockedError:
        raise
    except StoreError:
        return 0
    finally:
        database.close()


def _back_up(database: Database, target: Path) -> None:
    """A whole copy, the write-ahead log's content included, which a copy of the file alone would lack."""
    target.unlink(missing_ok=True)
    with database.bare() as connection, around("ledger.back_up"):
        connection.execute("VACUUM INTO ?", (str(target),))


def _migrate(database: Database, current: int) -> None:
    """Apply all migrations after version `current`, in one transaction. Raises StoreError or DiskFullError."""
    try:
        with around("ledger.upgrade"), database.writing() as connection:
            for migration in MIGRATIONS[current:]:
                for statement in migration:
                    connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
            reach("ledger.upgrade:commit")
    except (DiskFullError, LedgerLockedError):
        raise
    except StoreError as error:
        raise StoreError(
            f"The ledger {database.path} cannot be brought to schema {VERSION}: {error.__cause__ or error}",
            hint="framekeep doctor --rebuild makes it again from the store",
        ) from error
