"""A home in which the real command renders while calls fail on purpose, and the whole account of what that led to.

The account is kept here once more, from the ledger's own rows: what failed on purpose, each attempt, each call, each fallback. What
the product says of itself, in its report and its figures, has to be the same.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from checkpoints.ledger.rows import EventRow
from pipeline.cli.app import main
from pipeline.home import Home

RETRIES, THRESHOLD = 1, 3
# Two calls are under way at a time beside the encoders.
WORKERS = 2

KINDS = {"write": "LLM", "speak": "TTS", "draw": "Images", "encode": "Render", "mix": "Render", "mux": "Render"}
STAGES = {"script": "write", "speech": "speak", "images": "draw"}
STAND_INS = frozenset({"template", "text", "placeholder"})
CODES = {
    "error": "PROVIDER_TRANSIENT",
    "truncated": "PROVIDER_TRANSIENT",
    "killed_encoder": "PROVIDER_TRANSIENT",
    "timeout": "TIMEOUT",
    "rate_limit": "RATE_LIMITED",
    "quota": "QUOTA_EXCEEDED",
    "disk_full": "DISK_FULL",
}
# After these the same provider is not asked again, and its circuit does not count them.
FOR_GOOD = frozenset({"QUOTA_EXCEEDED", "DISK_FULL"})
COUNTED = frozenset({"error", "timeout", "truncated", "killed_encoder"})

SMALL: dict[str, Any] = {
    "Quality": {
        "Levels": [
            {"Name": "High", "Resolution": "160x90", "Bitrate": "300k", "Priority": 1},
            {"Name": "Medium", "Resolution": "144x80", "Bitrate": "200k", "Priority": 2},
            {"Name": "Low", "Resolution": "128x72", "Bitrate": "100k", "Priority": 3},
        ]
    },
    "Rendering": {"Fps": 24, "Preset": "ultrafast"},
}
SHAKEN: dict[str, Any] = {
    "Resilience": {
        "Retry": {"MaxRetryAttempts": RETRIES, "InitialDelay": 1, "MaxDelay": 10},
        "CircuitBreaker": {
            "Enabled": True,
            "FailureThreshold": THRESHOLD,
            "MinimumThroughput": 1,
            "SamplingDuration": 3600,
            "BreakDuration": 0.3,
        },
    }
}


@dataclass(frozen=True)
class Ended:
    """One run of the command, and what it left in the ledger."""

    code: int
    report: dict[str, Any]
    errors: str
    events: list[EventRow]
    attempts: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The events of one kind, oldest first."""
        return [event.data for event in self.events if event.kind == kind]

    @property
    def digests(self) -> list[str]:
        return [output["sha256"] for output in self.report["outputs"]]


class World:
    """One home and one brief."""

    def __init__(self, folder: Path, brief: Path, capsys: pytest.CaptureFixture[str], settings: dict[str, Any]) -> None:
        self.home = folder / "home"
        self._out = folder / "out"
        self._brief = brief
        self._file = folder / "framekeep.json"
        self._capsys = capsys
        self._settings = settings
        folder.mkdir(exist_ok=True)

    def shaken(self, seed: int) -> Ended:
        """Render while three of ten calls fail."""
        testing = {"SimulateFailures": True, "FailureRate": 0.3, "Seed": seed}
        return self._render(self._settings | SHAKEN | {"Testing": testing})

    def undisturbed(self, *more: str) -> Ended:
        """Render while nothing fails on purpose, by the usual rules."""
        return self._render(self._settings, *more)

    def asked(self, *command: str) -> Any:
        """What another command says in JSON."""
        code = main([*command, "--home", str(self.home), "--json"])
        assert code == 0
        return json.loads(self._capsys.readouterr().out)

    def _render(self, settings: dict[str, Any], *more: str) -> Ended:
        self._file.write_text(json.dumps(settings))
        where = ["--home", str(self.home), "--out", str(self._out), "--config", str(self._file)]
        self._capsys.readouterr()
        code = main(["render", str(self._brief), *where, "--profile", "development", "--json", *more])
        out, errors = self._capsys.readouterr()
        report = json.loads(out)
        home = Home(self.home)
        try:
            ledger = home.ledger
            return Ended(code, report, errors, ledger.events(report["job_id"]), ledger.attempts(report["job_id"]))
        finally:
            home.close()


class Account:
    """What one shaken run must have told, counted from the ledger. `problems` lists where it did not."""

    def __init__(self, ended: Ended) -> None:
        self.ended = ended
        self.faults = ended.of("fault_injected")
        self.hard = [fault for fault in self.faults if fault["kind"] != "slow"]
        self.failed_steps = [event["step"] for event in ended.of("step_failed")]
        self.calls: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
        for attempt in ended.attempts:
            # A last resort is asked by a call of its own.
            group = attempt["provider"] if attempt["provider"] in STAND_INS else "chain"
            self.calls[attempt["step_id"], group].append(attempt)
        for (step, group), attempts in list(self.calls.items()):
            # An encode of a level that was given up, stopped in its midst, is neither here nor there.
            if _operation(attempts) in ("encode", "mux") and not _answered(attempts) and step not in self.failed_steps:
                del self.calls[step, group]

    def problems(self, figures: dict[str, Any], circuits: list[dict[str, Any]]) -> list[str]:
        """All of them; `figures` are those of `framekeep metrics`, `circuits` those of `framekeep breakers`."""
        checks: tuple[Callable[[], Iterator[str]], ...] = (
            self._outcome,
            self._faults_and_attempts,
            self._pauses,
            self._openings,
            self._stand_ins,
            self._step_downs,
            lambda: self._figures(figures, circuits),
        )
        return [problem for check in checks for problem in check()]

    def _outcome(self) -> Iterator[str]:
        ended, degraded = self.ended, self.ended.report["degradations"]
        if ended.code != (3 if degraded else 0):
            yield f"exit {ended.code} with {len(degraded)} degradations: {ended.report.get('error')}"
        if "Traceback" in ended.errors:
            yield ended.errors
        if not ended.report["outputs"] or not all(Path(one["path"]).is_file() for one in ended.report["outputs"]):
            yield "a video is missing"

    def _faults_and_attempts(self) -> Iterator[str]:
        """Nothing failed but what was made to fail, in the way in which it was; and nothing made to fail went unseen."""
        made, seen = defaultdict(list), defaultdict(list)
        for fault in self.hard:
            made[fault["step"], fault["operation"], fault["provider"]].append(CODES[fault["kind"]])
        for attempt in self.ended.attempts:
            if attempt["outcome"] == "failed" and attempt["code"] != "INTERRUPTED":
                seen[attempt["step_id"], attempt["operation"], attempt["provider"]].append(attempt["code"])
        for place in made.keys() | seen.keys():
            if made[place] != seen[place]:
                yield f"{place}: made to fail {made[place]}, failed {seen[place]}"

    def _pauses(self) -> Iterator[str]:
        """Retries, exhausted providers and fallbacks, call by call."""
        wanted: Counter[tuple[str, str]] = Counter()
        for (step, _), attempts in self.calls.items():
            providers = list(dict.fromkeys(attempt["provider"] for attempt in attempts))
            wanted["fallback", step] += len(providers) - 1
            for provider in providers:
                own = [attempt for attempt in attempts if attempt["provider"] == provider]
                wanted["retry", step] += len(own) - 1
                failed = [attempt for attempt in own if attempt["outcome"] == "failed"]
                wanted["exhausted", step] += len(failed) == RETRIES + 1 and failed[-1]["code"] not in FOR_GOOD
        steps = {step for step, _ in self.calls}
        told: Counter[tuple[str, str]] = Counter()
        for event in self.ended.events:
            if event.kind in ("retry", "exhausted", "fallback") and event.data["step"] in steps:
                told[event.kind, event.data["step"]] += 1
        for place in wanted.keys() | told.keys():
            if wanted[place] != told[place]:
                yield f"{place}: {wanted[place]} times by the attempts, {told[place]} told"

    def _openings(self) -> Iterator[str]:
        """Each circuit opens when enough was made to fail, and for no other reason; and only then is anybody refused."""
        failures: Counter[str] = Counter()
        for event in self.ended.events:
            data = event.data
            if event.kind == "fault_injected" and data["kind"] in COUNTED and data["operation"] in KINDS:
                name = f"{data['provider']}-{KINDS[data['operation']]}"
                failures[name] += 1
                if failures[name] > THRESHOLD + WORKERS - 1 and name not in self._opened():
                    yield f"{name} did not open"
            elif event.kind == "circuit_changed":
                needed = {"closed": THRESHOLD, "half-open": 1}[data["old"]] if data["new"] == "open" else 0
                if failures[data["name"]] < needed:
                    yield f"{data['name']} opened after {failures[data['name']]} failures"
                failures[data["name"]] = 0
        for attempt in self.ended.attempts:
            if attempt["outcome"] == "refused" and not self._is_explained(attempt):
                yield f"{attempt['step_id']}: {attempt['provider']} refused, {attempt['code']}"

    def _opened(self) -> Counter[str]:
        return Counter(event["name"] for event in self.ended.of("circuit_changed") if event["new"] == "open")

    def _is_explained(self, refused: dict[str, Any]) -> bool:
        if refused["code"] == "INTERRUPTED":
            # It waited for its circuit when its export went on at a lower level.
            return refused["operation"] in ("encode", "mux") and bool(self.ended.of("step_down"))
        if refused["code"] == "CIRCUIT_OPEN":
            return f"{refused['provider']}-{KINDS[refused['operation']]}" in self._opened()
        resting = {fault["provider"] for fault in self.faults if fault["kind"] in ("quota", "rate_limit")}
        return refused["code"] in ("PROVIDER_RESTS", "QUOTA_EXCEEDED") and refused["provider"] in resting

    def _stand_ins(self) -> Iterator[str]:
        """Each degradation names a step that was made to fail, or refused for what was; and each such step is named."""
        asked_first: dict[str, str] = {}
        stood_in: set[tuple[str, int, str]] = set()
        for (step, _), attempts in self.calls.items():
            operation = _operation(attempts)
            first = asked_first.setdefault(step, attempts[0]["provider"])
            if operation in KINDS and _answered(attempts) and attempts[-1]["provider"] != first:
                stood_in.add((step.partition("/")[0], _scene(step), attempts[-1]["provider"]))
                has_fault = any(fault["step"] == step for fault in self.hard)
                rows = [attempt for attempt in self.ended.attempts if attempt["step_id"] == step]
                if not has_fault and not any(row["outcome"] == "refused" for row in rows):
                    yield f"{step}: {attempts[-1]['provider']} stood in though nothing failed there"
        told = {(item["stage"], item["scene"], item["got"]) for item in self._told("script", "speech", "images")}
        if told != stood_in:
            yield f"reported {sorted(told - stood_in)} and not {sorted(stood_in - told)}"

    def _step_downs(self) -> Iterator[str]:
        """Each step down follows a step of its export that was made to fail for good."""
        failed = {
            f"{_export(event['step'])}: {event['message']}": event["step"] for event in self.ended.of("step_failed")
        }
        events = self.ended.of("step_down")
        for event in events:
            step = failed.get(event["reason"], "")
            faults = [fault for fault in self.hard if fault["step"] == step]
            if not faults or not (faults[-1]["kind"] == "disk_full" or len(faults) == RETRIES + 1):
                yield f"stepped down to {event['got']} without a fault: {event['reason']}"
        last = [{**events[-1], "wanted": events[0]["wanted"]}] if events else []
        if self._told("render") != last:
            yield f"reported {self._told('render')}, stepped down {events}"

    def _told(self, *stages: str) -> list[dict[str, Any]]:
        return [item for item in self.ended.report["degradations"] if item["stage"] in stages]

    def _figures(self, figures: dict[str, Any], circuits: list[dict[str, Any]]) -> Iterator[str]:
        asked = [[one for one in attempts if one["outcome"] != "refused"] for attempts in self.calls.values()]
        asked = [attempts for attempts in asked if attempts]
        retries = [again for attempts in asked for again in _retries(attempts)]
        failed = sum(again["outcome"] != "ok" for again in retries)
        fallen = [
            attempts for attempts in self.calls.values() if len({attempt["provider"] for attempt in attempts}) > 1
        ]
        well = sum(_answered(attempts) for attempts in fallen)
        wanted = {
            # What was opened on purpose is not the home's.
            "circuitBreakers": {"total": 0, "closed": 0, "open": 0, "halfOpen": 0},
            "retries": {
                "total": len(retries),
                "successful": len(retries) - failed,
                "failed": failed,
                "averageAttempts": round(sum(map(len, asked)) / len(asked), 3),
            },
            "fallbacks": {"total": len(fallen), "successful": well, "failed": len(fallen) - well},
        }
        if figures != wanted:
            yield f"figures {figures}, by the ledger {wanted}"
        if circuits:
            yield f"circuits of a shaken run are kept: {circuits}"


def _operation(attempts: list[dict[str, Any]]) -> str:
    return str(attempts[0]["operation"])


def _retries(attempts: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each attempt at a provider that had been asked before, in one call; one that was stopped is none."""
    seen = set()
    for attempt in attempts:
        if attempt["provider"] in seen and attempt["code"] != "INTERRUPTED":
            yield attempt
        seen.add(attempt["provider"])


def _answered(attempts: list[dict[str, Any]]) -> bool:
    return any(attempt["outcome"] == "ok" for attempt in attempts)


def _scene(step: str) -> int:
    parts = step.split("/")
    return int(parts[1]) if len(parts) > 1 else 0


def _export(step: str) -> str:
    parts = step.split("/")
    return parts[1] if len(parts) > 1 else ""
