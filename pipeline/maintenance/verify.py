"""Any produced file, looked at as a render looks at its own before it counts: `framekeep verify`.

A file of ours is known by its bytes, or by where it was delivered; it must then be what was planned. Any other mp4 must be
what every file of ours is.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from checkpoints.keys import file_digest
from checkpoints.ledger.ledger import Ledger
from config.errors import CheckFailedError, UsageError
from pipeline.report import Output
from stages.base import CancelToken
from stages.render.captions.cues import max_chars_for
from stages.render.ffmpeg.process import FfmpegRun
from stages.render.frames.frame_check import Darkness
from stages.render.output.check import CheckFinding, Expectations, Inspection, decode_pictures, inspect, is_mp4
from stages.render.output.check_captions import limits, read_captions
from stages.render.specs import MediaFacts

SAMPLE_RATE_HZ = 48_000
# Shorter ones are pauses, and transitions through black.
_NOTED_S = 4.0
_CAPTIONS = ("srt", "vtt")


@dataclass(frozen=True)
class FileVerdict:
    """What was found in one file. `job` and `export` name whose it is, where that is known."""

    path: Path
    findings: tuple[CheckFinding, ...]
    facts: MediaFacts | None = None
    job: str = ""
    export: str = ""

    @property
    def ok(self) -> bool:
        return all(finding.is_note for finding in self.findings)

    def as_json(self) -> dict[str, Any]:
        """As `--json` shows it."""
        return {
            "path": str(self.path),
            "ok": self.ok,
            "job": self.job,
            "export": self.export,
            "facts": self.facts.model_dump(mode="json") if self.facts else None,
            "findings": [
                {"check": finding.check, "message": finding.message, "note": finding.is_note}
                for finding in self.findings
            ],
        }


@dataclass(frozen=True)
class _Origin:
    """The run that made a file, or whose file once stood there."""

    job: str
    output: Output
    facts: MediaFacts
    is_same: bool


def verify(
    path: Path, ledger: Ledger | None, target_lufs: float, true_peak_dbtp: float, cancel: CancelToken
) -> FileVerdict:
    """Check one file. The targets are for files that are not known. Raises UsageError for one that is no readable mp4."""
    try:
        is_video = is_mp4(path)
        digest = file_digest(path)[0] if is_video else ""
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}", hint="framekeep verify FILE") from error
    if not is_video:
        raise UsageError(f"{path} is not an mp4 file", hint="give a video, as in: framekeep verify videos/tides.mp4")
    origin = _origin(path, digest, ledger) if ledger else None
    wanted = _planned(origin) if origin else Expectations(target_lufs=target_lufs, true_peak_dbtp=true_peak_dbtp)
    job, export = (origin.job, origin.output.export) if origin else ("", "")
    with tempfile.TemporaryDirectory(prefix="framekeep-") as scratch:
        run = FfmpegRun(f"the check of {path.name}", Path(scratch), cancel)
        try:
            found = inspect(path, wanted, run)
        except CheckFailedError as error:
            return FileVerdict(path, (CheckFinding("decode", error.message),), job=job, export=export)
    findings = [*found.findings, *_decoded(path, found, origin, cancel)]
    if origin and not origin.is_same:
        changed = f"it is not the file that job {job} delivered here: its bytes have changed"
        findings.insert(0, CheckFinding("origin", changed))
    findings += [*_chapter_faults(path, found.facts), *_beside(path, origin, found.facts)]
    return FileVerdict(path, tuple(findings), found.facts, job, export)


def _origin(path: Path, digest: str, ledger: Ledger) -> _Origin | None:
    """By its bytes, wherever it is now; else by its place."""
    here = path.absolute()
    displaced: _Origin | None = None
    for row in ledger.jobs():
        for item in (row.report or {}).get("outputs", ()):
            output = Output.model_validate(item)
            if output.sha256 != digest and output.path != here:
                continue
            origin = _Origin(row.id, output, _facts_of(row.id, output, ledger), output.sha256 == digest)
            if origin.is_same:
                return origin
            displaced = displaced or origin
    return displaced


def _facts_of(job: str, output: Output, ledger: Ledger) -> MediaFacts:
    """What was measured when the file was made; what the report says, if that is gone."""
    for step in ledger.steps(job):
        record = ledger.results.get(step.key) if step.stage == "mux" else None
        if record and record.artifacts["video"].digest == output.sha256:
            return MediaFacts.model_validate(record.facts)
    samples = output.frames * SAMPLE_RATE_HZ // output.fps
    return MediaFacts(frames=output.frames, samples=samples, width=output.width, height=output.height)


def _planned(origin: _Origin) -> Expectations:
    """Loudness as it was made: the target may have been another one then."""
    facts, default = origin.facts, Expectations()
    lufs, peak = facts.integrated_lufs, facts.true_peak_dbtp
    return Expectations(
        frames=facts.frames,
        samples=facts.samples,
        width=facts.width,
        height=facts.height,
        fps=origin.output.fps,
        target_lufs=default.target_lufs if lufs is None else lufs,
        true_peak_dbtp=max(default.true_peak_dbtp, -99.0 if peak is None else peak),
    )


def _decoded(path: Path, found: Inspection, origin: _Origin | None, cancel: CancelToken) -> Iterator[CheckFinding]:
    """Pictures and silence. What is black or silent in a file of ours was meant so: it was compared when it was made."""
    dark = Darkness()
    yield from decode_pictures(path, found.facts.frames, lambda number: cancel.check(), dark.add_decoded)
    if origin and origin.is_same:
        return
    fps = found.facts.frames / found.facts.duration_s if found.facts.duration_s else 1.0
    for name, spans in (
        ("black", [(start / fps, end / fps) for start, end in dark.stretches]),
        ("silence", found.silences),
    ):
        for start, end in spans:
            if end - start > _NOTED_S:
                what = "is black" if name == "black" else "is silent"
                yield CheckFinding(name, f"it {what} from {start:.1f} to {end:.1f} s", is_note=True)


def _chapter_faults(path: Path, facts: MediaFacts) -> Iterator[CheckFinding]:
    """Chapters begin with the film, follow each other, and end with it."""
    import av

    with av.open(str(path.absolute())) as container:
        found = [
            (float(item["start"] * (item["time_base"] or 0)), float(item["end"] * (item["time_base"] or 0)))
            for item in container.chapters()
        ]
    last_s = 0.0
    for number, (start_s, end_s) in enumerate(found, start=1):
        if abs(start_s - last_s) > 0.002:
            yield CheckFinding("chapters", f"chapter {number} begins at {start_s:.3f} s, wanted {last_s:.3f} s")
        last_s = end_s
    if found and abs(last_s - facts.duration_s) > 0.05:
        yield CheckFinding("chapters", f"the chapters end at {last_s:.3f} s, the video at {facts.duration_s:.3f} s")


def _beside(path: Path, origin: _Origin | None, facts: MediaFacts) -> Iterator[CheckFinding]:
    """The caption files of the same name beside a video."""
    for kind in _CAPTIONS:
        file = path.with_suffix(f".{kind}")
        if not file.exists():
            if origin and path.absolute() == origin.output.path and kind in origin.output.sidecars:
                yield CheckFinding("captions", f"{file.name} was delivered beside it and is gone")
            continue
        try:
            captions = read_captions(file)
        except (OSError, ValueError) as error:
            yield CheckFinding("captions", f"{file.name} cannot be read: {error}")
            continue
        yield from limits(file.name, captions, max_chars_for(facts.width, facts.height), facts.duration_s)
