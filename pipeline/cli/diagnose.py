"""`framekeep doctor`: shows what the examination found."""

from __future__ import annotations

from pipeline.cli import console
from pipeline.cli.common import Common
from pipeline.cli.console import Tone
from pipeline.cli.exits import ExitCode

_TONES: dict[str, Tone] = {"ok": "good", "warn": "warn", "fail": "bad"}


def diagnose(common: Common, *, deep: bool) -> int:
    """Examine, show each finding, and say what to do; exit 1 if something does not work."""
    from pipeline.doctor import Finding, examine

    findings: list[Finding] = []

    def found(finding: Finding) -> None:
        findings.append(finding)
        if not common.json:
            _tell(finding)

    examine(common.home, common.load, found, deep=deep)
    counts = {status: sum(finding.status == status for finding in findings) for status in _TONES}
    if common.json:
        console.out_json({"findings": [vars(finding) for finding in findings], "counts": counts})
    else:
        console.out(f"\n{counts['ok']} ok, {counts['warn']} to look at, {counts['fail']} not working")
    return ExitCode.FAILED if counts["fail"] else ExitCode.DONE


def _tell(finding: object) -> None:
    from pipeline.doctor import Finding

    assert isinstance(finding, Finding)
    first, *rest = finding.message.splitlines()
    console.out(f"{finding.status:<5} {finding.check:<10} {first}", _TONES[finding.status])
    for line in rest:
        console.out(f"{'':<17}{line}")
    if finding.hint:
        console.out(f"{'':<17}{console.symbol('next')} {finding.hint}")
