"""From a file's bytes to its text, whatever wrote it; what is no text is a clear error."""

from __future__ import annotations

import codecs
import stat
from pathlib import Path

from config.errors import BriefError
from stages.brief.problems import nearest

MOST_BYTES = 2_000_000
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


def read_text(path: Path) -> str:
    """A file's text: UTF-8, or UTF-16 or UTF-32 as its mark or zeros tell. Raises BriefError."""
    data = _read_bytes(path)
    encoding = _encoding(data)
    if not encoding:
        raise BriefError(f"{path}: is not a text file", hint="give a .md, .txt, .yaml or .json brief")
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what = f"{path}:{line}: byte 0x{data[error.start]:02X} is not {encoding.upper()}"
        raise BriefError(what, problems=[what], hint="save the file as UTF-8 in your editor") from None


def _read_bytes(path: Path) -> bytes:
    try:
        found = path.stat()
        if stat.S_ISDIR(found.st_mode):
            raise BriefError(f"{path}: is a folder, not a brief", hint="name the brief inside it")
        if not stat.S_ISREG(found.st_mode):
            raise BriefError(f"{path}: is not a regular file", hint="save the brief as a file first")
        if found.st_size > MOST_BYTES:
            size = f"{found.st_size / 1e6:.1f} MB"
            raise BriefError(
                f"{path}: is {size} large; a brief is at most {MOST_BYTES / 1e6:g} MB",
                hint="split it into several briefs and render them with framekeep batch",
            )
        return path.read_bytes()
    except FileNotFoundError:
        if path.is_symlink():
            raise BriefError(
                f"{path}: is a link to {path.readlink()}, which is not there", hint="check the link"
            ) from None
        raise BriefError(f"{path}: there is no such file", hint=_did_you_mean(path)) from None
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise BriefError(f"{path}: cannot be read: {reason}", hint="check the path and its permissions") from None


def _did_you_mean(path: Path) -> str:
    try:
        close = nearest(path.name, sorted(other.name for other in path.parent.iterdir()))
    except OSError:
        return "check the path"
    return f"did you mean {path.parent / close}?" if close else "check the path"


def _encoding(data: bytes) -> str:
    """The text's encoding; empty for what is no text."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return encoding
    head = data[:2000]
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if odd > len(head) // 5 and not even:
        return "utf-16-le"
    if even > len(head) // 5 and not odd:
        return "utf-16-be"
    return "" if b"\0" in data else "utf-8"
