"""From an exception to a message with its next command, a JSON document, and an exit code. Never a traceback on the screen."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from config.errors import FramekeepError
from config.exit_codes import ExitCode
from config.redaction import redact
from pipeline.cli.terminal import console


def tell_error(message: str, hint: str) -> None:
    """What happened, and what to type next."""
    console.say(f"{console.symbol('bad')} {message}", "bad")
    if hint:
        console.say(f"{console.symbol('next')} {hint}")


def tell(error: FramekeepError) -> None:
    """An error of ours, with every problem that it carries."""
    problems: Sequence[str] = getattr(error, "problems", ())
    message = error.message
    if len(problems) > 1 and not all(problem in message for problem in problems):
        message = "\n".join([f"{console.count_text(len(problems), 'problem')}:", *(f"  {one}" for one in problems)])
    tell_error(message, error.hint)


def report(error: FramekeepError, *, as_json: bool) -> int:
    """Show an error of ours; returns its exit code."""
    tell(error)
    if as_json:
        console.out_json({"error": error_document(error)})
    return ExitCode(error.exit_code)


def error_document(error: FramekeepError) -> dict[str, Any]:
    """`{"code", "message", "hint"}`, and each problem of its own where there are several."""
    document: dict[str, Any] = dict(error.as_dict())
    if problems := getattr(error, "problems", ()):
        document["problems"] = list(problems)
    return document


def report_usage(message: str, command: str, *, as_json: bool) -> int:
    """Show what the parser of the command line did not understand."""
    hint = f"{command} --help"
    tell_error(message, hint)
    if as_json:
        console.out_json({"error": {"code": "BAD_USAGE", "message": message, "hint": hint}})
    return ExitCode.USAGE


def report_internal(error: BaseException, arguments: Sequence[str], *, as_json: bool) -> int:
    """Show that Framekeep itself is at fault, and where the details are."""
    message = redact(f"Something went wrong inside Framekeep: {type(error).__name__}: {error}")
    log = write_log(error, arguments)
    hint = f"the details are in {log}" if log else "no log could be written; is the disk full?"
    tell_error(message, hint)
    if as_json:
        console.out_json({"error": {"code": "INTERNAL", "message": message, "hint": hint}})
    return ExitCode.FAILED


def write_log(error: BaseException, arguments: Sequence[str]) -> Path | None:
    """The traceback in a file of the home's logs, secrets left out; in the temporary folder where the home cannot be used."""
    text = "".join(traceback.format_exception(error))
    stamp = time.strftime("%Y%m%d-%H%M%S")
    body = redact(f"framekeep {' '.join(arguments)}\nPython {sys.version}\n\n{text}")
    folders = [Path(tempfile.gettempdir())]
    with contextlib.suppress(FramekeepError):
        folders.insert(0, _logs(arguments))
    for folder in folders:
        path = folder / f"error-{stamp}-{os.getpid()}.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(body, encoding="utf-8", errors="backslashreplace")
        except OSError:
            continue
        return path
    return None


def _logs(arguments: Sequence[str]) -> Path:
    from pipeline.home import Home

    for before, text in zip(("", *arguments), arguments, strict=False):
        if before == "--home":
            return Home(Path(text)).logs
        if text.startswith("--home="):
            return Home(Path(text.removeprefix("--home="))).logs
    return Home().logs
