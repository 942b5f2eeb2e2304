"""What somebody asks for: a brief and what is to be made of it, looked at together so that all that is wrong is told at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from config.errors import UsageError
from config.paths import expanded
from config.settings import Settings
from pipeline.engine.preflight import check_brief
from pipeline.job.naming import slug
from pipeline.job.options import DEFAULT_EXPORTS, DEFAULT_OUTPUT, JobOptions, check_exports, level_named
from pipeline.job.problems import Findings
from pipeline.planning.toolbox import Toolbox
from stages.brief import load_brief
from stages.models import Brief


@dataclass(frozen=True)
class Wish:
    """What is asked for beside the brief, as it was given; empty is what the brief says, or the usual."""

    exports: Sequence[str] | str | None = None
    output: Path | str | None = None
    quality: str = ""
    stem: str = ""


def asked_for(settings: Settings, brief: Brief | Path | str, wish: Wish) -> tuple[Brief, JobOptions]:
    """The brief, read, and the options of its job. Raises UsageError or BriefError with all that is wrong with both."""
    findings = Findings()
    loaded: Brief | None = None
    with findings.noting():
        loaded = brief if isinstance(brief, Brief) else load_brief(Path(brief))
    given = [wish.exports] if isinstance(wish.exports, str) else wish.exports
    names = tuple(dict.fromkeys(given or (loaded.exports if loaded else ()) or DEFAULT_EXPORTS))
    level = wish.quality.strip()
    with findings.noting():
        check_exports(settings, names)
    with findings.noting():
        level = level_named(settings.quality, level).name if level else ""
    with findings.noting():
        _check_names(wish)
    if findings and loaded:
        # It will not be made; what else would stop it is told now rather than next time.
        with findings.noting():
            check_brief(loaded, Toolbox(loaded, settings))
    findings.raise_if_any()
    assert loaded
    folder = Path(wish.output) if wish.output else Path.cwd() / DEFAULT_OUTPUT
    return loaded, JobOptions(
        exports=names,
        output=expanded(folder).absolute(),
        stem=wish.stem or slug(loaded.name),
        quality=level,
        source=str(loaded.base / loaded.name) if loaded.base.is_absolute() else "",
    )


def _check_names(wish: Wish) -> None:
    if wish.stem and wish.stem != Path(wish.stem.replace("\\", "/")).name:
        raise UsageError(f"'{wish.stem}' cannot begin a file's name", hint="give a stem without folders")
    if wish.output == "":
        raise UsageError("The output folder has no name", hint="give one with --out, or leave --out away")
