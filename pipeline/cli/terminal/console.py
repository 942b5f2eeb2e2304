"""Where words go: results to stdout, everything else to stderr; styled on a terminal, plain elsewhere.

Nothing here reads markup: titles, paths and providers' messages are shown as they are, without control characters.
"""

from __future__ import annotations

import contextlib
import errno
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

from checkpoints.keys import escaped_bytes
from config.redaction import RedactingFormatter, redact, redact_in

Tone = Literal["plain", "good", "warn", "bad", "dim"]

# Control characters, and those that turn the direction of all that follows them on the line.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_COLOURS: dict[Tone, str] = {"plain": "", "good": "32", "warn": "33", "bad": "31", "dim": "2"}
_SYMBOLS = {"good": ("✓", "ok"), "warn": ("!", "!"), "bad": ("✗", "x"), "next": ("→", "->")}

_losses: list[str] = []


def prepare_streams() -> None:
    """A character that the terminal cannot show is no reason to fail; a file name of odd bytes comes out as it went in.

    A stream that was closed from the start (`>&-`) goes to nowhere, before a file of ours gets its number.
    """
    if None in (sys.stdin, sys.stdout, sys.stderr):
        _fill_closed_streams()
    _redact_stray_lines()
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure:
            reconfigure(errors="surrogateescape" if _is_utf8(stream) else "backslashreplace")


def _redact_stray_lines() -> None:
    """What Python itself would put on stderr: log records that nobody takes, and the end of a thread."""
    if logging.lastResort:
        logging.lastResort.setFormatter(RedactingFormatter())
    threading.excepthook = lambda end: logging.getLogger("framekeep").error(
        "a thread ended with a fault", exc_info=end.exc_value
    )


def _fill_closed_streams() -> None:
    nowhere = os.open(os.devnull, os.O_RDWR)
    while nowhere <= 2:
        os.set_inheritable(nowhere, True)
        nowhere = os.dup(nowhere)
    os.close(nowhere)
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - lives as long as we
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115


def clean(text: str) -> str:
    """Text without secrets, and without characters that would move a terminal's cursor or change its colours."""
    return _CONTROL.sub("", redact(text))


def symbol(name: Literal["good", "warn", "bad", "next"]) -> str:
    """A mark that stderr can show."""
    return _SYMBOLS[name][0 if _is_utf8(sys.stderr) else 1]


def is_terminal(stream: TextIO) -> bool:
    """Whether a person looks at it and the cursor can be moved."""
    with contextlib.suppress(ValueError, OSError):
        return stream.isatty() and os.environ.get("TERM", "") not in ("dumb", "unknown")
    return False


def has_colour(stream: TextIO) -> bool:
    """Colours are for terminals, and not for those who set NO_COLOR."""
    return is_terminal(stream) and not os.environ.get("NO_COLOR")


def say(text: str, tone: Tone = "plain") -> None:
    """A line for people, on stderr."""
    _write(sys.stderr, painted(clean(text), tone, sys.stderr) + "\n")


def out(text: str, tone: Tone = "plain") -> None:
    """A line of the result, on stdout."""
    _write(sys.stdout, painted(clean(text), tone, sys.stdout) + "\n")


def out_path(path: Path) -> None:
    """Where a video is, on stdout, for programs: as it stands."""
    _write(sys.stdout, _CONTROL.sub("", str(path)) + "\n")


def out_json(document: Any) -> None:
    """The one document that `--json` prints, without secrets."""
    text = json.dumps(redact_in(document), indent=2, ensure_ascii=not _is_utf8(sys.stdout), default=_text)
    _write(sys.stdout, escaped_bytes(text) + "\n")


def _text(value: Any) -> str:
    """A path, say, in a document."""
    return redact(str(value))


def painted(text: str, tone: Tone, stream: TextIO) -> str:
    """Text in a tone's colour where the stream shows colours."""
    code = _COLOURS[tone]
    return f"\x1b[{code}m{text}\x1b[0m" if code and text and has_colour(stream) else text


def out_table(head: Sequence[str], rows: Sequence[Sequence[str]], tones: Sequence[Tone] = ()) -> None:
    """Aligned columns on stdout, nothing cut off; `tones` colours each row's first column."""
    shown = [[clean(cell).replace("\n", " ") for cell in row] for row in (head, *rows)]
    widths = [max(width(row[i]) for row in shown) for i in range(len(head))]
    for number, row in enumerate(shown):
        cells = [cell + " " * (widths[i] - width(cell)) for i, cell in enumerate(row[:-1])] + [row[-1]]
        tone: Tone = "dim" if number == 0 else "plain"
        if number == 0:
            cells = [painted(cell, tone, sys.stdout) for cell in cells]
        elif tones:
            cells[0] = painted(cells[0], tones[number - 1], sys.stdout)
        _write(sys.stdout, "  ".join(cells).rstrip() + "\n")


def width(text: str) -> int:
    """Columns that a text takes on a terminal."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


# Words for quantities


def bytes_text(count: float) -> str:
    """`23.4 MB`: decimal, as shops and file managers count."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def clock_text(seconds: float) -> str:
    """`1:02:03` or `2:03`."""
    whole = round(seconds)
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def count_text(count: int, noun: str) -> str:
    """`1 step`, `2 steps`."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def _is_utf8(stream: TextIO) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") in ("utf8", "utf8sig")


def _write(stream: TextIO, text: str) -> None:
    """A reader that has gone (`| head`, a closed terminal) is no error: what is said from then on is lost, no more.

    A result that does not fit on the disk that it goes to is one, told when the command ends (`take_loss`).
    """
    try:
        stream.write(text)
        stream.flush()
    except (OSError, ValueError) as error:
        if stream is sys.stdout and getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            _losses.append(str(getattr(error, "strerror", error)))
        silence(stream)


def take_loss() -> str:
    """Why a part of the results could not be written; empty when all was. Asking clears it."""
    found = _losses[0] if _losses else ""
    _losses.clear()
    return found


def silence(stream: TextIO) -> None:
    """Send a stream whose reader has gone to nowhere, or Python would complain about it at exit."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
