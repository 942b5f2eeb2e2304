"""`framekeep doctor`: shows what the examination found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import Tone

if TYPE_CHECKING:
    from pipeline.maintenance.rebuild import RebuildReport

_TONES: dict[str, Tone] = {"ok": "good", "warn": "warn", "fail": "bad", "skip": "dim"}
_COUNTED = ("ok", "warn", "fail")


def diagnose(common: Common, *, deep: bool) -> int:
    """Examine, show each finding, and say what to do; exit 1 if something does not work."""
    from pipeline.health.doctor import Finding, examine
    from pipeline.health.findings import health_document

    findings: list[Finding] = []

    def found(finding: Finding) -> None:
        findings.append(finding)
        if not common.json:
            _tell(finding)

    examine(common.home, common.load, found, deep=deep)
    counts = {status: sum(finding.status == status for finding in findings) for status in _COUNTED}
    if common.json:
        told = {"findings": [vars(finding) for finding in findings], "counts": counts}
        console.out_json({**health_document(findings), **told})
    else:
        console.out(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} not working")
    return ExitCode.FAILED if counts["fail"] else ExitCode.DONE


def _tell(finding: object) -> None:
    from pipeline.health.doctor import Finding

    assert isinstance(finding, Finding)
    first, *rest = finding.message.splitlines()
    console.out(f"{finding.status:<5} {finding.check:<10} {first}", _TONES[finding.status])
    for line in rest:
        console.out(f"{'':<17}{line}")
    if finding.hint:
        console.out(f"{'':<17}{console.symbol('next')} {finding.hint}")


def rebuild_ledger(common: Common) -> int:
    """Restore the ledger from the store, and say what could and what could not be restored."""
    import time

    from pipeline.home import Home
    from pipeline.maintenance.rebuild import rebuild

    home = Home(common.home)
    try:
        report = rebuild(home, common.load().settings, now=time.time())
    finally:
        home.close()
    if common.json:
        console.out_json(report.model_dump(mode="json"))
    else:
        _tell_rebuild(report)
    return ExitCode.DONE


def _tell_rebuild(report: RebuildReport) -> None:
    found = {"missing": "was not there", "damaged": "was damaged", "sound": "is whole: only what it lacked was added"}
    console.out(f"The ledger {found[report.ledger]}")
    for path in report.kept_aside[:1]:
        console.out(f"  what was there is kept as {path}")
    count_text = console.count_text
    console.out(
        f"Restored: {count_text(len(report.jobs), 'job')} ({len(report.resumable)} to be resumed), "
        f"{count_text(report.results, 'result')}",
        "good",
    )
    if report.damaged:
        console.out(
            f"Not restored: {count_text(len(report.damaged), 'result')} with missing or altered files; "
            "what a job needs of them is made again",
            "warn",
        )
    for name in report.unreadable:
        console.out(f"Not restored: {name}, whose record cannot be read", "warn")
    for what in report.not_restored:
        console.out(f"Not restored: {what}", "warn")
    if report.resumable:
        console.out(f"{console.symbol('next')} framekeep resume --all")
