"""The user's own pictures, clips and sound, looked through before anything is paid for."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

from config.errors import BriefError, FramekeepError
from stages.models import Brief, Music, SceneBrief, Visual

IsTaken = Callable[[Visual | Music], bool]
# A scene lasts at most about so many times as long as its text is expected to take (a person may read slowly), and so many seconds
# longer.
_LONGEST_SHARE, _LONGEST_READING, _LONGER_S = 1.5, 3.0, 6.0
_MOST_NAMED = 8


def check_visuals(brief: Brief, is_taken: IsTaken) -> None:
    """Raise BriefError for pictures and clips that cannot be shown, each with its scene.

    Clips are decoded as far as they may be shown, but for those that `is_taken`: an earlier run has done so.
    """
    from stages.render.sources.planes import inspect_visual
    from stages.script.script_stage import pictures_of

    problems = []
    longest: dict[Path, float] = {}
    for scene in brief.scenes:
        if scene.visual:
            path = scene.visual.path
            longest[path] = max(longest.get(path, 0.0), _longest_s(brief, scene))
    for number, scene in enumerate(brief.scenes, 1):
        # A file that serves several scenes is looked through once, and named with the first of them.
        if scene.visual and (longest_s := longest.pop(scene.visual.path, None)) is not None:
            check = partial(_check_visual, scene.visual, longest_s, is_taken)
            problems += _problems(check, _place(brief, number, scene))
    for path in pictures_of(brief):
        problems += _problems(partial(inspect_visual, path), f"{brief.name}: pictures")
    if problems:
        raise BriefError(
            "These files of the brief cannot be shown:\n" + "\n".join(f"  {problem}" for problem in problems),
            problems=problems,
            hint="put them right, then run the same command again",
        )


def _check_visual(visual: Visual, longest_s: float, is_taken: IsTaken) -> None:
    from stages.render.sources.clip_check import check_clip
    from stages.render.sources.planes import inspect_visual

    kind, *_ = inspect_visual(visual.path)
    if kind == "clip" and not is_taken(visual):
        check_clip(visual.path, longest_s)


def _longest_s(brief: Brief, scene: SceneBrief) -> float:
    """More seconds than a scene can be expected to last; one in which nobody speaks may last as long as its clip."""
    from stages.speech.speech_stage import expected_seconds

    if scene.narration:
        share = _LONGEST_READING if scene.recording else _LONGEST_SHARE
        return share * expected_seconds(scene.narration, brief.language) + scene.hold_s + _LONGER_S
    return scene.hold_s + _LONGER_S if scene.hold_s else math.inf


def check_music(brief: Brief) -> None:
    """Raise BriefError for music that cannot be decoded or is too short to be looped."""
    if brief.music:
        from stages.render.audio.music import inspect_music

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


def media_notices(brief: Brief, is_taken: IsTaken) -> list[str]:
    """What of the user's files will not be seen or heard, though nothing is wrong with the brief."""
    return [*_left_out_pictures(brief), *_music_notices(brief, is_taken), *_clip_notices(brief, is_taken)]


def _clip_notices(brief: Brief, is_taken: IsTaken) -> list[str]:
    """What of the own sound of clips is not heard."""
    from stages.sound.files import UnreadableSoundError
    from stages.sound.listening import Heard, listen

    found, spoken_over = [], []
    for number, scene in enumerate(brief.scenes, 1):
        visual = scene.visual
        if not visual or visual.sound == "mute":
            continue
        try:
            heard = listen(visual.path, _longest_s(brief, scene), whole=not is_taken(visual))
        except UnreadableSoundError:
            heard = Heard(False, ())
        if visual.sound and not heard.is_audible:
            found.append(f"Scene {number}: there is no sound to be heard in {visual.path.name}")
        if heard.is_audible and scene.narration and not visual.sound:
            spoken_over.append(str(number))
        if heard.fault:
            found.append(f"Scene {number}: the sound of {visual.path.name} {heard.fault}")
    if spoken_over:
        named = ", ".join(spoken_over[:_MOST_NAMED]) + (", …" if len(spoken_over) > _MOST_NAMED else "")
        found.append(
            f'Scene {named}: the clip\'s own sound is not heard while somebody speaks (sound="duck" has it under the speech, '
            'sound="mute" leaves it out)'
        )
    return found


def _left_out_pictures(brief: Brief) -> list[str]:
    from stages.brief.media import left_out_of

    if not brief.pictures:
        return []
    reasons = left_out_of(brief.pictures)
    told = [f"Not shown from {brief.pictures.name}: {reason}" for reason in reasons[:_MOST_NAMED]]
    more = len(reasons) - len(told)
    return [*told, f"Not shown from {brief.pictures.name}: {more} more files"] if more > 0 else told


def _music_notices(brief: Brief, is_taken: IsTaken) -> list[str]:
    from stages.render.audio.music import music_fault

    if not brief.music or not (fault := music_fault(brief.music.path, whole=not is_taken(brief.music))):
        return []
    return [f"Music: {brief.music.path.name} {fault}"]
