"""How each server wants to be asked, as it was found out. What stands here is old after a while: servers learn, too."""

from __future__ import annotations

from typing import TYPE_CHECKING

from checkpoints.statements import putting

if TYPE_CHECKING:
    from checkpoints.ledger.ledger import Ledger

KEPT_S = 7 * 86_400.0

_PUT = putting("request_styles", "server", "style", "learned_at", key=("server",))


class RequestStyles:
    """The request styles that one home's ledger knows."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def find(self, server: str) -> str:
        """The style of a server; empty where none is known, or none that was learned within a week."""
        with self._ledger.reading() as connection:
            row = connection.execute(
                "SELECT style, learned_at FROM request_styles WHERE server = ?", (server,)
            ).fetchone()
        return row[0] if row and 0 <= self._ledger.now() - row[1] <= KEPT_S else ""

    def put(self, server: str, style: str) -> None:
        """Note a server's style, in place of an earlier one."""
        row = {"server": server, "style": style, "learned_at": self._ledger.now()}
        with self._ledger.writing("request_style") as connection:
            connection.execute(_PUT, row)
