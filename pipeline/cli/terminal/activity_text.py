"""What is being done, by whom, and what is waited for, in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from pipeline.observability.activity import Activity, Wait

# A call that takes longer than this is shown with the time that it has taken: it is at work, and hangs no more than others do.
_LONG_CALL_S = 10.0


def activity_lines(activities: Sequence[Activity], scenes: int, now: float) -> list[str]:
    """One line for each thing that is done side by side; equal ones of several scenes or exports are one.

    `encoding youtube`, `speaking scenes 2 and 3 of 8 (hibari)`, or
    `writing the script: OpenAI: retry 2 of 4 in 14 s (OpenAI said so)`.
    """
    groups: dict[tuple[str, str], list[Activity]] = {}
    for one in activities:
        groups.setdefault((one.stage, _group(one, now)), []).append(one)
    return [_line(group, scenes, now) for group in groups.values()]


def _group(one: Activity, now: float) -> str:
    if one.wait:
        return wait_text(one.wait, now)
    return one.step if one.stage in ("mix", "mux") else one.provider if one.stage != "segment" else ""


def _line(group: Sequence[Activity], scenes: int, now: float) -> str:
    first = group[0]
    what = _what(group, scenes)
    if first.wait:
        return f"{what}: {wait_text(first.wait, now)}"
    if first.stage in ("mix", "mux") and first.total:
        unit = "s" if first.unit == "seconds" else f"frames {first.unit}"
        return f"{what} · {first.done:,} of {first.total:,} {unit}"
    if first.stage in ("segment", "mix", "mux") or not first.provider:
        return what
    took_s = now - min(one.since for one in group)
    long = f", for {span_text(took_s)}" if took_s >= _LONG_CALL_S else ""
    return f"{what} ({first.provider}{long})"


def _what(group: Sequence[Activity], scenes: int) -> str:
    first = group[0]
    exports = _and(list(dict.fromkeys(one.export for one in group if one.export)))
    where = _scenes(sorted({one.scene for one in group if one.scene}), scenes)
    # The user's own recording or picture, or nobody has been asked yet.
    is_own = not first.provider and not first.wait
    match first.stage:
        case "script":
            return "writing the script"
        case "speech":
            return f"preparing the voice of {where}" if is_own else f"speaking {where}"
        case "images":
            return f"preparing the picture of {where}" if is_own else f"drawing {where}"
        case "music":
            return "preparing the music"
        case "mix":
            return "mixing the sound"
        case "mux":
            return f"joining {exports}"
    return f"encoding {exports}"


def _scenes(numbers: Sequence[int], scenes: int) -> str:
    if not numbers:
        return "the whole"
    text = f"{'scene' if len(numbers) == 1 else 'scenes'} {_and([str(number) for number in numbers])}"
    return f"{text} of {scenes}" if scenes else text


def _and(names: Sequence[str]) -> str:
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def wait_text(wait: Wait, now: float) -> str:
    """`OpenAI: retry 2 of 4 in 14 s (OpenAI said so)`."""
    left = "" if wait.ends_at is None else span_text(max(0.0, wait.ends_at - now))
    said = f" ({wait.provider} said so)" if wait.is_asked else ""
    match wait.reason:
        case "retry":
            return f"{wait.provider}: retry {wait.retry} of {wait.of} in {left}{said}"
        case "rest":
            return f"{wait.provider}: asked again in {left}{said}"
        case "circuit":
            return f"{wait.provider}: waiting for its circuit breaker, for {left} at most"
        case "rate":
            return f"{wait.provider}: waiting for its rate limit, asked in {left}"
        case "concurrency":
            return f"{wait.provider}: waiting for one of its other calls to end"
    return f"waiting for {wait.holder}, which makes the same"


def span_text(seconds: float) -> str:
    """`0.4 s`, `14 s`, `3 min 20 s`, `2 h 5 min`: how long something takes, rather too long than too short."""
    if seconds < 0.95:
        return f"{max(0.1, math.ceil(seconds * 10) / 10):g} s"
    whole = math.ceil(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    minutes = math.ceil(whole / 60)
    return f"{minutes // 60} h {minutes % 60} min"
