"""`--only-failed`: which jobs and briefs are run again, and which stay as they are.

Run again are

- jobs that failed or are parked: they go on, so what they have made is kept;
- jobs that are degraded: what a fallback or a lower quality made is made again, as it was asked for;
- briefs of a batch that were refused before they became jobs.

Left alone are jobs that are done, that were interrupted (`resume` goes on with them), that somebody works on, and those whose
videos a later job has written since.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from checkpoints.job_states import UNSATISFIED_STATES
from checkpoints.ledger.ledger import JobRow
from checkpoints.ledger.refusals import Refusal
from config.errors import UsageError
from pipeline.job.options import JobOptions, kept_options


@dataclass(frozen=True)
class Again:
    """One thing to run again: a job as `options` has it, or a refused brief. `path` is where its brief stands, if it was named."""

    name: str
    path: Path | None = None
    row: JobRow | None = None
    options: JobOptions | None = None
    refusal: Refusal | None = None


@dataclass(frozen=True)
class Filter:
    """What was named: nothing is all. Briefs by path, exports, and the folder that the videos go to."""

    briefs: tuple[Path, ...] | None = None
    exports: frozenset[str] = frozenset()
    output: Path | None = None

    def admits(self, source: str, exports: Iterable[str], output: Path) -> bool:
        """Whether a job or a refused brief is meant."""
        named = self.briefs is None or source in map(source_of, self.briefs)
        return named and (not self.exports or bool(self.exports & set(exports))) and self.output in (None, output)


def source_of(path: Path) -> str:
    """Where a brief stands, as jobs keep it: without its ending."""
    return str(path.absolute().parent / path.stem)


def choose(rows: Sequence[JobRow], refused: Sequence[Refusal], wanted: Filter) -> list[Again]:
    """What of a home's jobs (the latest first) and refused briefs is to be run again, in the order in which it last ran."""
    chosen: list[Again] = []
    written: set[tuple[Path, str, str]] = set()
    paths = {source_of(path): path for path in wanted.briefs or ()}
    for row in rows:
        try:
            options = kept_options(row.options)
        except UsageError:
            # Another version's job: nobody knows what it would write.
            continue
        files = {(options.output, options.stem, export) for export in options.exports}
        is_latest = files.isdisjoint(written)
        if row.state != "superseded":
            written |= files
        if (
            row.state in UNSATISFIED_STATES
            and is_latest
            and wanted.admits(options.source, options.exports, options.output)
        ):
            path = paths.get(options.source)
            chosen.append(Again(str(path or row.id), path, row, options))
    chosen.reverse()
    for refusal in refused:
        asked = refusal.options
        if wanted.admits(refusal.source, asked["exports"] or wanted.exports, Path(asked["output"])):
            path = Path(asked["path"])
            chosen.append(Again(str(path), path, refusal=refusal))
    return chosen
