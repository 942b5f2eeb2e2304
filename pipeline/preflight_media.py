"""The user's own pictures, clips and sound, looked through before anything is paid for."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from config.errors import BriefError, FramekeepError
from stages.models import Brief, Music, SceneBrief, Visual

# A scene lasts at most about so many times as long as its text is expected to take, and so many seconds longer.
_LONGEST_SHARE, _LONGER_S = 2.0, 15.0
_MOST_NAMED = 8


def check_visuals(brief: Brief, is_taken: Callable[[Visual | Music], bool]) -> None:
    """Raise BriefError for pictures and clips that cannot be shown, each with its scene.

    Clips are decoded as far as they may be shown, but for those that `is_taken`: an earlier run has done so.
    """
    from stages.render.planes import inspect_visual
    from stages.script.stage import pictures_of

    problems = []
    for number, scene in enumerate(brief.scenes, 1):
        if scene.visual:
            check = partial(_check_visual, brief, scene, scene.visual, is_taken)
            problems += _problems(check, _place(brief, number, scene))
    for path in pictures_of(brief):
        problems += _problems(partial(inspect_visual, path), f"{brief.name}: pictures")
    if problems:
        raise BriefError(
            "These files of the brief cannot be shown:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="put them right, then run the same command again",
        )


def _check_visual(brief: Brief, scene: SceneBrief, visual: Visual, is_taken: Callable[[Visual | Music], bool]) -> None:
    from stages.render.clip_check import check_clip
    from stages.render.planes import inspect_visual
    from stages.speech.stage import expected_seconds

    kind, *_ = inspect_visual(visual.path)
    if kind == "clip" and not is_taken(visual):
        spoken_s = expected_seconds(scene.narration, brief.language) if scene.narration else 0.0
        check_clip(visual.path, _LONGEST_SHARE * spoken_s + scene.hold_s + _LONGER_S)


def check_music(brief: Brief) -> None:
    """Raise BriefError for music that cannot be decoded or is too short to be looped."""
    if brief.music:
        from stages.render.music import inspect_music

        inspect_music(brief.music.path)


def check_recordings(brief: Brief) -> None:
    """Raise BriefError for recordings that are silent, broken, or no reading of their scene."""
    from stages.speech.recording import Recording, check_recording

    problems = []
    for number, scene in enumerate(brief.scenes, 1):
        if scene.recording:
            recording = Recording(scene.recording, scene.narration, brief.language)
            problems += _problems(partial(check_recording, recording), _place(brief, number, scene), with_hint=False)
    if problems:
        raise BriefError(
            "These recordings of the brief cannot be used:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="record them again, or leave `recording` away to have a voice speak the scene",
        )


def _problems(check: Callable[[], object], place: str, *, with_hint: bool = True) -> list[str]:
    try:
        check()
    except FramekeepError as error:
        return [f"{place}: {error.message}" + (f"; {error.hint}" if error.hint and with_hint else "")]
    return []


def _place(brief: Brief, number: int, scene: SceneBrief) -> str:
    return f"{brief.name}, line {scene.line}: scene {number}" if scene.line else f"scene {number}"


def media_notices(brief: Brief, is_taken: Callable[[Visual | Music], bool]) -> list[str]:
    """What of the user's files will not be seen or heard, though nothing is wrong with the brief."""
    return [*_left_out_pictures(brief), *_music_notices(brief, is_taken)]


def _left_out_pictures(brief: Brief) -> list[str]:
    from stages.brief.media import left_out_of

    if not brief.pictures:
        return []
    reasons = left_out_of(brief.pictures)
    told = [f"Not shown from {brief.pictures.name}: {reason}" for reason in reasons[:_MOST_NAMED]]
    more = len(reasons) - len(told)
    return [*told, f"Not shown from {brief.pictures.name}: {more} more files"] if more > 0 else told


def _music_notices(brief: Brief, is_taken: Callable[[Visual | Music], bool]) -> list[str]:
    from stages.render.music import music_fault

    if not brief.music or not (fault := music_fault(brief.music.path, whole=not is_taken(brief.music))):
        return []
    return [f"Music: {brief.music.path.name} {fault}"]
