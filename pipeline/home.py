"""The one folder that holds all state: ledger, store, locks, logs, and what failed its checks."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from checkpoints.files import mapping_errors
from checkpoints.ledger.mirrored import NotedLedger
from checkpoints.store.job_manifests import JobNotes
from checkpoints.store.store import Store
from config.errors import UsageError
from config.paths import expanded
from stages.text.names import readable


def default_home() -> Path:
    """`FRAMEKEEP_HOME`, else the platform's folder for user data. Raises UsageError where there is none."""
    if named := os.environ.get("FRAMEKEEP_HOME"):
        return expanded(named).absolute()
    import platformdirs

    try:
        return Path(platformdirs.user_data_dir("framekeep", appauthor=False))
    except RuntimeError:
        raise UsageError(
            "This user has no home folder, so it is not known where to keep jobs and results",
            hint="name a folder with --home, or in FRAMEKEEP_HOME",
        ) from None


class Home:
    """Opens ledger and store when they are first used."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = expanded(root or default_home()).absolute()
        if readable(str(self.root)) != str(self.root):
            raise UsageError(
                f"The name of the home folder is not UTF-8: {readable(str(self.root))}",
                hint="name another folder with --home, or in FRAMEKEEP_HOME",
            )

    @property
    def ledger_file(self) -> Path:
        return self.root / "ledger.db"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def limits(self) -> Path:
        """How much providers were used lately."""
        return self.root / "limits"

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def digests(self) -> Path:
        """What is remembered of installed files."""
        return self.root / "digests.json"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @functools.cached_property
    def store(self) -> Store:
        store = Store(self.root / "store")
        store.prepare()
        return store

    @property
    def notes(self) -> JobNotes:
        """What the store keeps of jobs. Makes nothing until something is noted."""
        return JobNotes(Store(self.root / "store"))

    @functools.cached_property
    def ledger(self) -> NotedLedger:
        with mapping_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return NotedLedger(self.ledger_file, self.notes)

    def close(self) -> None:
        """Let go of the ledger."""
        if "ledger" in self.__dict__:
            self.ledger.close()
            del self.__dict__["ledger"]
