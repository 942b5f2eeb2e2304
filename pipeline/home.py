"""The one folder that holds all state: ledger, store, locks, logs, and what failed its checks."""

from __future__ import annotations

import functools
import os
from pathlib import Path

from checkpoints.files import mapping_errors
from checkpoints.ledger import Ledger
from checkpoints.store import Store
from config.paths import expanded


def default_home() -> Path:
    """`FRAMEKEEP_HOME`, else the platform's folder for user data."""
    if named := os.environ.get("FRAMEKEEP_HOME"):
        return expanded(named).absolute()
    import platformdirs

    return Path(platformdirs.user_data_dir("framekeep", appauthor=False))


class Home:
    """Opens ledger and store when they are first used."""

    def __init__(self, root: Path | None = None) -> None:
        self.root = expanded(root or default_home()).absolute()

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def evidence(self) -> Path:
        return self.root / "evidence"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    @functools.cached_property
    def store(self) -> Store:
        store = Store(self.root / "store")
        store.prepare()
        return store

    @functools.cached_property
    def ledger(self) -> Ledger:
        with mapping_errors(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return Ledger(self.root / "ledger.db")

    def close(self) -> None:
        """Let go of the ledger."""
        if "ledger" in self.__dict__:
            self.ledger.close()
            del self.__dict__["ledger"]
