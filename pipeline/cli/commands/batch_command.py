"""`framekeep batch`: which briefs are meant, and what became of each."""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from config.errors import UsageError
from config.exit_codes import ExitCode
from config.paths import expanded
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console
from pipeline.cli.terminal.session import with_pipeline

if TYPE_CHECKING:
    from pipeline.api import Pipeline
    from pipeline.batch import BatchItem, BatchResult
    from pipeline.cli.terminal.display import Display


def render_batch(common: Common, named: Sequence[str], wanted: dict[str, Any], *, jobs: int | None, quiet: bool) -> int:
    """Render all briefs that `named` leads to; paths of videos go to stdout as each brief ends."""
    briefs = find_briefs(named)
    for document, command in documents_beside(named):
        console.say(f"Not rendered: {document} is no brief; convert it: {command}", "warn")

    def work(pipeline: Pipeline, display: Display) -> BatchResult:
        tell = telling_items(common, display, quiet=quiet, total=len(briefs))
        return pipeline.batch(briefs, **wanted, on_item=tell)

    answer = with_pipeline(common, work, jobs=jobs, quiet=quiet)
    return report_batch(common, answer, missing=len(briefs) - len(answer.items), quiet=quiet)


def telling_items(common: Common, display: Display, *, quiet: bool, total: int = 0) -> Callable[[BatchItem], None]:
    """What tells of each item as it ends; `total` counts those that there are, where that is known."""
    from pipeline.cli.terminal.summary import tell_result

    ended = 0
    if total:
        display.set_position(f"1 of {total}")

    def tell(item: BatchItem) -> None:
        nonlocal ended
        ended += 1
        if total:
            display.set_position(f"{min(ended + 1, total)} of {total}")
        if not common.json:
            display.message(f"{item.brief}: {item.result.status}", "good" if item.result.ok else "bad")
            with display.paused():
                tell_result(item.result, quiet=quiet)

    return tell


def report_batch(common: Common, answer: BatchResult, *, missing: int, quiet: bool) -> int:
    """Show what became of all; returns the exit code."""
    from pipeline.cli.terminal.summary import tell_batch

    if common.json:
        console.out_json(answer.as_json())
    elif not quiet or answer.exit_code:
        tell_batch(answer.items, missing=missing)
    return ExitCode(answer.exit_code)


def find_briefs(named: Sequence[str]) -> list[Path]:
    """Briefs behind names of files, folders and patterns, each once, in the order given. Raises UsageError."""
    found = dict.fromkeys(path for name in named for path in _behind(name))
    return list(found)


def documents_beside(named: Sequence[str]) -> list[tuple[Path, str]]:
    """Documents in the named folders that would be briefs in another format, and the command that converts each."""
    from stages.brief import way_to_a_brief

    folders = [path for path in map(expanded, named) if path.is_dir()]
    inner = [path for folder in folders for path in sorted(folder.iterdir()) if not path.name.startswith((".", "~$"))]
    found = {path: way_to_a_brief(path) for path in inner if path.stem.lower() != "readme" and path.is_file()}
    return [(path, command) for path, command in found.items() if command]


def _behind(name: str) -> Iterator[Path]:
    path = expanded(name)
    if path.is_dir():
        briefs = [inner for inner in sorted(path.iterdir()) if _is_brief(inner)]
        if not briefs:
            document = next(iter(documents_beside([name])), None)
            hint = f"convert {document[0]}: {document[1]}" if document else "briefs end in .md, .txt, .yaml or .json"
            raise UsageError(f"There is no brief in the folder {name}", hint=hint)
        yield from briefs
    elif path.exists() or not glob.has_magic(name):
        # A file that is not there fails as one brief of the batch; the others are rendered.
        yield path
    else:
        names = glob.glob(str(path), recursive=True)  # noqa: PTH207 - a Path globs below a folder only
        matches = [Path(match) for match in sorted(names) if Path(match).is_file()]
        if not matches:
            raise UsageError(f"Nothing fits the pattern {name}", hint="framekeep batch --help")
        yield from matches


def _is_brief(path: Path) -> bool:
    """What a folder holds beside briefs: settings, a README, hidden files."""
    from config.loader import DEFAULT_FILES
    from stages.brief import FORMATS

    return (
        path.suffix.lower() in FORMATS
        and path.is_file()
        and not path.name.startswith(".")
        and path.name not in DEFAULT_FILES
        and path.stem.lower() != "readme"
    )
