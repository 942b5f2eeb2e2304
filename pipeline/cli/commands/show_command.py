"""`framekeep show`: all that is known of one job."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from checkpoints.job_states import OPEN_STATES
from checkpoints.ledger.job_progress import saved_progress
from checkpoints.ledger.purchases import Purchases
from config.errors import UsageError
from config.exit_codes import ExitCode
from pipeline.cli.command_options import Common
from pipeline.cli.commands.jobs_command import (
    describe,
    error_now,
    has_ledger,
    iso_time,
    local_time,
    open_home,
    state_of,
)
from pipeline.cli.terminal import console
from pipeline.cli.terminal.console import out, symbol
from pipeline.cli.terminal.event_text import STAGE_NAMES, degradation_text
from pipeline.cli.terminal.summary import TONES, output_text

if TYPE_CHECKING:
    from checkpoints.ledger.ledger import EventRow, JobRow, StepRow
    from checkpoints.ledger.purchases import Purchase
    from pipeline.home import Home

_NEWS = ("warning", "repaired", "step_down", "encoder_change")


def show_job(common: Common, job_id: str) -> int:
    """Show a job by its id or the beginning of it."""
    from pipeline.api import Pipeline
    from pipeline.maintenance.lost_jobs import lost_error, lost_jobs

    home = open_home(common)
    if not has_ledger(home):
        if lost := [note for note in lost_jobs(home) if note.id.startswith(job_id)]:
            raise lost_error(lost)
        raise UsageError(f"'{job_id}' is not the id of a job: {home.root} has none", hint="framekeep jobs")
    with Pipeline(common.load().settings, home=common.home) as pipeline:
        document = document_of(pipeline.home, pipeline.job(job_id))
    if common.json:
        console.out_json(document)
    else:
        _tell(document)
    return ExitCode.DONE


def document_of(home: Home, row: JobRow) -> dict[str, Any]:
    """The JSON of `show --json`, which the human form is made from."""
    ledger = home.ledger
    state = state_of(home, row)
    report = row.report or {}
    return {
        **describe(row, state, saved_progress(ledger, row.id).get(row.id)),
        "brief": row.brief.get("name", ""),
        "quality": row.options.get("quality", ""),
        "outputs": report.get("outputs", []),
        "degradations": report.get("degradations", []),
        "steps": [_step(step) for step in ledger.steps(row.id)],
        "attempts": [_attempt(attempt) for attempt in ledger.attempts(row.id)],
        "paid_calls": [_paid(call, state) for call in Purchases(ledger).of_job(row.id)],
        "news": [_news(event) for event in ledger.events(row.id) if event.kind in _NEWS],
        "next": next_command(row, state),
    }


def next_command(row: JobRow, state: str) -> str:
    """What to type to go on; empty where nothing is left to do."""
    if state in OPEN_STATES and state != "running":
        return (error_now(row, time.time()) or {}).get("hint", "") or f"framekeep resume {row.id}"
    return ""


def _step(step: StepRow) -> dict[str, Any]:
    return {
        "id": step.id,
        "stage": step.stage,
        "scene": step.scene,
        "state": step.state,
        "runs": step.runs,
        "updated_at": iso_time(step.updated_at),
        "error": step.error,
    }


def _attempt(attempt: dict[str, Any]) -> dict[str, Any]:
    names = ("step_id", "operation", "provider", "outcome", "code", "message", "elapsed_s")
    return {"at": iso_time(attempt["at"]), **{name: attempt[name] for name in names}}


def _paid(call: Purchase, state: str) -> dict[str, Any]:
    """A paid call. What nobody knows the end of is possibly charged, but for what a running job may still end."""
    uncertain = call.is_uncertain or (call.state == "begun" and state != "running")
    return {
        "at": iso_time(call.begun_at),
        "step_id": call.step_id,
        "scene": call.scene,
        "provider": call.provider,
        "request_id": call.request,
        "state": call.state,
        "possibly_charged": uncertain,
    }


def _news(event: EventRow) -> dict[str, Any]:
    return {"at": iso_time(event.at), "kind": event.kind, **event.data}


def _tell(document: dict[str, Any]) -> None:
    out(f"{document['job_id']}  {document['state']}", TONES[document["state"]])
    facts = {
        "title": document["title"],
        "exports": ", ".join(document["exports"]),
        "folder": document["output"],
        "quality": document["quality"],
        "started": _local(document["created_at"]),
        "changed": _local(document["updated_at"]),
    }
    for name, value in facts.items():
        if value:
            out(f"  {name:<9}{value}")
    if document["progress"] and document["state"] in OPEN_STATES:
        out(f"  {'there':<9}{_progress_text(document['progress'])}")
    _tell_steps(document["steps"])
    _tell_calls(document["attempts"])
    paid = Counter(_paid_text(item) for item in document["paid_calls"])
    _section("Paid calls", [f"{text} × {count}" if count > 1 else text for text, count in paid.items()])
    _section("Videos", [line for item in document["outputs"] for line in _output_lines(item)])
    _section("Degradations", [degradation_text(item) for item in document["degradations"]])
    _section("What happened", [_news_text(item) for item in document["news"]])
    if document["error"] and document["state"] not in ("done", "degraded"):
        _section("Error", [f"{document['error'].get('code', '')}: {document['error'].get('message', '')}"])
    if document["next"]:
        out(f"\n{symbol('next')} {document['next']}")


def _progress_text(saved: dict[str, Any]) -> str:
    """`120 of 400 frames, 12 of 40 steps; at render since 2026-01-31 12:00, saved 2026-01-31 12:03`."""
    counts = f"{saved['steps_done']} of {console.count_text(saved['steps_total'], 'step')}"
    if saved["frames_total"]:
        counts = f"{saved['frames_done']} of {console.count_text(saved['frames_total'], 'frame')}, {counts}"
    stage = STAGE_NAMES.get(saved["stage"], saved["stage"]) or "the beginning"
    return f"{counts}; at {stage}; begun {_local(saved['started_at'])}, saved {_local(saved['saved_at'])}"


def _section(title: str, lines: Sequence[str]) -> None:
    if lines:
        out(f"\n{title}")
    for line in lines:
        out(f"  {line}")


def _tell_steps(steps: Sequence[dict[str, Any]]) -> None:
    if not steps:
        return
    out("\nSteps")
    rows = []
    for stage in dict.fromkeys(step["stage"] for step in steps):
        states: dict[str, int] = {}
        for step in steps:
            if step["stage"] == stage:
                states[step["state"]] = states.get(step["state"], 0) + 1
        counts = ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
        rows.append(f"{STAGE_NAMES.get(stage, stage):<10}{counts}")
    for row in rows:
        out(f"  {row}")
    for step in steps:
        if step["error"]:
            out(f"  {step['id']}: {step['error']}", "bad")


def _tell_calls(attempts: Sequence[dict[str, Any]]) -> None:
    if not attempts:
        return
    out("\nCalls")
    keys = dict.fromkeys((attempt["operation"], attempt["provider"]) for attempt in attempts)
    for operation, provider in keys:
        mine = [one for one in attempts if (one["operation"], one["provider"]) == (operation, provider)]
        bad = [one for one in mine if one["outcome"] != "ok"]
        seconds = sum(one["elapsed_s"] for one in mine)
        failed = f", {len(bad)} failed; last: {bad[-1]['code']}: {bad[-1]['message']}" if bad else ""
        out(f"  {operation} by {provider}: {console.count_text(len(mine), 'call')}, {seconds:.1f} s{failed}")


def _paid_text(item: dict[str, Any]) -> str:
    end = f"{item['state']}: possibly charged" if item["possibly_charged"] else item["state"]
    return f"{_local(item['at'])}  {item['step_id']} by {item['provider']}: {end} (request {item['request_id']})"


def _output_lines(item: dict[str, Any]) -> list[str]:
    from pipeline.report import Output

    output = Output.model_validate(item)
    beside = [str(path) for path in output.sidecars.values()]
    return [output_text(output), f"  {output.path}", *(f"  {Path(path)}" for path in beside)]


def _news_text(item: dict[str, Any]) -> str:
    at = _local(item["at"])
    if item["kind"] in ("step_down", "encoder_change"):
        return f"{at}  {degradation_text(item)}"
    if item["kind"] == "warning":
        scene = f"scene {item['scene']}: " if item.get("scene") else ""
        return f"{at}  warning: {scene}{item.get('message', '')}"
    rest = {name: value for name, value in item.items() if name not in ("at", "kind")}
    return f"{at}  {item['kind']}: {json.dumps(rest, ensure_ascii=False)}"


def _local(iso: str) -> str:
    import datetime

    return local_time(datetime.datetime.fromisoformat(iso).timestamp())
