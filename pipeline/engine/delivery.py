"""From the store to where the user wants it: whole files, checked, with their captions beside them."""

from __future__ import annotations

from pathlib import Path

from checkpoints.files import copy_atomically
from checkpoints.keys import file_digest
from checkpoints.records import Artifact
from checkpoints.store.store import Store
from pipeline.job.options import JobOptions
from pipeline.planning.plan import Plan
from pipeline.planning.plan_state import ExportState
from pipeline.report import Output

_VIDEO = "video"


def deliver(plan: Plan, options: JobOptions, store: Store) -> tuple[Output, ...]:
    """Put every finished export of a plan into the output folder. A file that is already there, byte for byte, is left alone.

    Raises DiskFullError or StoreError.
    """
    return tuple(_deliver_one(plan, export, options, store) for export in plan.exports.values() if export.final)


def _deliver_one(plan: Plan, export: ExportState, options: JobOptions, store: Store) -> Output:
    assert export.final
    paths: dict[str, Path] = {}
    for name, artifact in export.final.artifacts.items():
        suffix = "mp4" if name == _VIDEO else name
        paths[name] = options.output / f"{options.stem}-{export.name}.{suffix}"
        _place(store, artifact, paths[name])
    facts = export.final.facts
    return Output(
        export=export.name,
        path=paths.pop(_VIDEO),
        width=facts["width"],
        height=facts["height"],
        fps=plan.settings.rendering.fps,
        frames=facts["frames"],
        duration_s=facts["frames"] / plan.settings.rendering.fps,
        quality=export.level.name,
        sha256=export.final.artifacts[_VIDEO].digest,
        sidecars=paths,
    )


def _place(store: Store, artifact: Artifact, target: Path) -> None:
    try:
        present = target.stat().st_size == artifact.size and file_digest(target) == (artifact.digest, artifact.size)
    except OSError:
        present = False
    if not present:
        copy_atomically(store.path(artifact.digest), target, "output")
