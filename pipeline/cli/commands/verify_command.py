"""`framekeep verify`: shows what was found in each file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import UsageError
from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.commands.jobs_command import has_ledger, open_home
from pipeline.cli.terminal import console
from pipeline.cli.terminal.errors import error_document, tell

if TYPE_CHECKING:
    from pipeline.maintenance.verify import FileVerdict


def verify_files(common: Common, files: Sequence[Path]) -> int:
    """Check every file, whatever the others are. Exit 2 if one cannot be read at all, else 1 if one has a fault."""
    from pipeline.maintenance.verify import verify
    from stages.base import CancelToken

    sound = common.load().settings.rendering.sound
    home = open_home(common)
    ledger = home.ledger if has_ledger(home) else None
    code, documents = ExitCode.DONE, list[dict[str, Any]]()
    try:
        for file in files:
            try:
                verdict = verify(file, ledger, sound.target_lufs, sound.true_peak_dbtp, CancelToken())
            except UsageError as error:
                code = ExitCode.USAGE
                tell(error)
                documents.append({"path": str(file), "ok": False, "error": error_document(error)})
                continue
            if not verdict.ok and code == ExitCode.DONE:
                code = ExitCode.FAILED
            documents.append(verdict.as_json())
            if not common.json:
                _show(verdict)
    finally:
        home.close()
    if common.json:
        console.out_json({"ok": code == ExitCode.DONE, "files": documents})
    return code


def _show(verdict: FileVerdict) -> None:
    facts = verdict.facts
    about = ""
    if facts:
        about = f": {facts.width} x {facts.height}, {facts.frames} frames, {console.clock_text(facts.duration_s)}"
        if facts.integrated_lufs is not None:
            about += f", {facts.integrated_lufs:g} LUFS"
        if facts.true_peak_dbtp is not None:
            about += f", {facts.true_peak_dbtp:g} dBTP"
    whose = f" (job {verdict.job}, {verdict.export})" if verdict.job else ""
    console.out(f"{'ok  ' if verdict.ok else 'FAIL'} {verdict.path}{about}{whose}", "good" if verdict.ok else "bad")
    for finding in verdict.findings:
        kind = "note" if finding.is_note else "FAIL"
        console.out(f"  {kind} {finding.check}: {finding.message}", "warn" if finding.is_note else "bad")
