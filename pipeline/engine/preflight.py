"""What can be known before the work starts is said before the work starts."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path

from checkpoints.store.store import Store
from config.errors import DiskFullError, UnavailableError, UsageError
from config.settings import Settings
from pipeline.engine.preflight_media import IsTaken, check_music, check_recordings, check_visuals, media_notices
from pipeline.job.options import JobOptions
from pipeline.job.problems import Findings
from pipeline.planning.toolbox import Toolbox
from stages.models import Brief, Music, Visual

# Segments, the finished file and the temporary one beside it.
_SPACE_FACTOR = 2.2
_RESERVE_BYTES = 64_000_000
_WORDS_PER_SECOND = 2.4
_SHORTEST_S = 5.0


def _never(item: Visual | Music) -> bool:
    return False


def check_input(brief: Brief, options: JobOptions, toolbox: Toolbox, is_taken: IsTaken = _never) -> None:
    """Raise UsageError or BriefError for what would stop the job anyway, later; all of it at once.

    The output folder comes last: what is wrong otherwise leaves no empty folder behind.
    """
    check_brief(brief, toolbox, is_taken)
    check_output(options.output)


def check_brief(brief: Brief, toolbox: Toolbox, is_taken: IsTaken = _never) -> None:
    """Raise UsageError or BriefError for everything in a brief that nobody can make, all of it at once.

    Clips and music that `is_taken` by an earlier run have been looked through then.
    """
    checks: tuple[Callable[[], None], ...] = (
        lambda: _check_theme(brief),
        lambda: check_visuals(brief, is_taken),
        lambda: check_music(brief),
        lambda: check_recordings(brief),
        lambda: _check_writers(brief, toolbox),
        lambda: _check_orders(brief),
        lambda: _check_speakers(brief, toolbox),
        lambda: _check_painters(toolbox),
        lambda: _check_glyphs(brief),
    )
    findings = Findings()
    for check in checks:
        with findings.noting():
            check()
    findings.raise_if_any()


def notices(brief: Brief, is_taken: IsTaken = _never) -> list[str]:
    """What will not look as written, though nothing is wrong."""
    from stages.typeset.font_packages import EMOJI_PACKAGE, is_installed
    from stages.typeset.fonts import load_fonts

    captions = "" if brief.captions == "none" else spoken_text(brief)
    left_out = load_fonts().left_out(" ".join([brief.title, *(scene.heading for scene in brief.scenes), captions]))
    hint = "" if is_installed(EMOJI_PACKAGE) else f" (to have them drawn in one colour: pip install {EMOJI_PACKAGE})"
    found = [f"No installed font has {' '.join(left_out)}: left out of the pictures{hint}"] if left_out else []
    if brief.scenes and brief.target_length_s:
        found.append("`length` is for the script writer: scenes of your own are as long as what is said in them")
    return [*found, *media_notices(brief, is_taken)]


def check_output(folder: Path) -> None:
    """Raise UsageError when nothing can be written there."""
    probe = folder / f".framekeep-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch(exist_ok=False)
    except OSError as error:
        raise UsageError(
            f"Cannot write into the output folder {folder}: {error.strerror or error}",
            hint="make room for it there, or render into another with --out",
        ) from error
    finally:
        if os.path.lexists(probe):
            probe.unlink()


def _check_theme(brief: Brief) -> None:
    from stages.images.cards.themes import check_theme

    check_theme(brief.style.theme)


def _check_writers(brief: Brief, toolbox: Toolbox) -> None:
    from stages.script.offline.outline import OutlineWriter
    from stages.script.writer_registry import check_names

    if brief.scenes:
        # Nobody is asked, but a name that does not exist is a mistake all the same.
        check_names(toolbox.writer_names)
        return
    reasons: list[UnavailableError] = []
    for writer in toolbox.writers():
        try:
            writer.check(brief)
        except UnavailableError as error:
            reasons.append(error)
        else:
            return
    # Whoever is named in the brief itself was meant; what settings name may be out of reach for this once.
    if not brief.providers.script and toolbox.may_degrade and OutlineWriter().can_write(brief):
        return
    raise UsageError("; ".join(error.message for error in reasons), hint=reasons[-1].hint if reasons else "")


def _check_orders(brief: Brief) -> None:
    """Scenes are spoken word for word, so scenes that only say what is to be made are no film."""
    from stages.script.instructions import MOST_WORDS, is_mere_order
    from stages.script.offline.sentences import split
    from stages.script.words import count_words

    said = [scene.narration for scene in brief.scenes if not scene.recording and scene.narration.strip()]
    if not said or sum(map(count_words, said)) > MOST_WORDS:
        return
    sentences = [sentence.text for text in said for sentence in split(text, brief.language)]
    if is_mere_order(sentences, brief.language):
        raise UsageError(
            f"The scenes of {brief.name} only say what is to be made (“{sentences[0]}”), and would be spoken as they are",
            hint="write under each `## ` heading what is to be said there; or leave the headings away and have a language "
            "model write it (`providers: {script: OpenAI}`)",
        )


def _check_speakers(brief: Brief, toolbox: Toolbox) -> None:
    from stages.speech.voice_registry import explain_missing

    voiced = [scene.narration for scene in brief.scenes if not scene.recording]
    text = " ".join(voiced).strip() if brief.scenes else brief.text
    if not text:
        return
    if not toolbox.speaker_names:
        missing = explain_missing(brief.language, text)
        raise UsageError(missing.message, hint=missing.hint)
    reasons: list[UnavailableError] = []
    for speaker in toolbox.speakers():
        # Silent text is a last resort that nobody gets unasked when the voice they named is unknown.
        if speaker.name == "text" and reasons:
            break
        try:
            speaker.check(brief.language, brief.voice, text)
        except UnavailableError as error:
            reasons.append(error)
        else:
            return
    raise UsageError("; ".join(dict.fromkeys(error.message for error in reasons)), hint=reasons[0].hint)


def _check_painters(toolbox: Toolbox) -> None:
    toolbox.painters()


def _check_glyphs(brief: Brief) -> None:
    """What a writer will add is known by its language alone."""
    from stages.typeset.font_packages import letters_of, shortage

    written = "" if brief.scenes else letters_of(brief.language)
    shown = " ".join([brief.title, *(scene.heading for scene in brief.scenes), spoken_text(brief), written])
    if found := shortage(shown):
        raise UsageError(found[0], hint=found[1])


def check_space(brief: Brief, options: JobOptions, settings: Settings, store: Store) -> None:
    """Raise DiskFullError unless the lowest level fits. A better one may still turn out too large: quality steps down."""
    words = len(spoken_text(brief).split())
    seconds = max(brief.target_length_s or words / _WORDS_PER_SECOND, _SHORTEST_S)
    level = settings.quality.ladder()[-1]
    need = level.bitrate_bps / 8 * seconds * len(options.exports) * _SPACE_FACTOR + _RESERVE_BYTES
    free = store.free_bytes()
    if free < need:
        raise DiskFullError(
            f"Not enough space at {store.root}: about {need / 1e6:.0f} MB are needed even at {level.name} quality, "
            f"{free / 1e6:.0f} MB are free",
            hint="free some space (framekeep gc --dry-run shows what could go), then: framekeep resume --all",
        )


def spoken_text(brief: Brief) -> str:
    """All that will be said, as far as the brief itself tells."""
    return " ".join(scene.narration for scene in brief.scenes).strip() or brief.text
