"""The doctor's checks of what does the work: ffmpeg, fonts, and the providers of each stage."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import FramekeepError
from pipeline.doctor import Finding, Findings

if TYPE_CHECKING:
    from config.settings import Settings
    from pipeline.toolbox import Toolbox
    from stages.models import Brief

_ENCODERS = ("libx264", "aac")
_FILTERS = ("aformat", "aresample", "ebur128")
_FRAMES = 12
_SAMPLE_TEXT = "The lamp was lit at dusk. Ships far out at sea could see it. They turned and came home."


def check_ffmpeg() -> Findings:
    """Which ffmpeg, whether it has what a render uses, and whether it really encodes."""
    from stages.render.process import ffmpeg_path

    path = ffmpeg_path()
    with tempfile.TemporaryDirectory(prefix="framekeep-doctor-") as folder:
        scratch = Path(folder)
        version = _first_line(_ask(path, "-version"))
        for kind, wanted in (("encoders", _ENCODERS), ("filters", _FILTERS)):
            known = {word for line in _ask(path, f"-{kind}").splitlines() for word in line.split()[1:2]}
            missing = [name for name in wanted if name not in known]
            if missing:
                yield Finding(
                    "ffmpeg",
                    "fail",
                    f"{path} has no {kind[:-1]} {', '.join(missing)}",
                    "unset FRAMEKEEP_FFMPEG to use the packaged ffmpeg",
                )
                return
        frames = _encode(scratch)
    if frames != _FRAMES:
        yield Finding(
            "ffmpeg",
            "fail",
            f"{path}: a test encode of {_FRAMES} frames has {frames}",
            "pip install --force-reinstall imageio-ffmpeg",
        )
        return
    yield Finding("ffmpeg", "ok", f"{version}; a test encode of {_FRAMES} frames is right\n{path}")


def _ask(path: Path, what: str) -> str:
    import subprocess

    run = subprocess.run(
        [str(path), "-hide_banner", "-nostdin", what], capture_output=True, text=True, errors="replace", timeout=20
    )
    return run.stdout


def _first_line(text: str) -> str:
    return " ".join(text.split("\n", 1)[0].split()[:3])


def _encode(scratch: Path) -> int:
    """Encode a test picture with sound as a render does; returns the frames that can be decoded."""
    from stages.base import CancelToken
    from stages.render.probe import decode_all
    from stages.render.process import Run, run_ffmpeg

    out = scratch / "test.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc=size=160x90:rate=24:duration={_FRAMES / 24}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={_FRAMES / 24}"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-threads", "1"]
    run_ffmpeg(
        [*picture, *sound, *codecs, str(out)], Run("the doctor's test", scratch, CancelToken(), stall_timeout_s=20)
    )
    return decode_all(out)


def check_encoders(settings: Settings) -> Findings:
    """Which encoders pass their test on this machine, and whether the one that is set does."""
    from config.codecs import SOFTWARE, hardware
    from stages.render.encoder_choice import choose, probe

    works = [
        f"{codec}: {', '.join(name for name in (software, *hardware(codec)) if not probe(name)) or 'none'}"
        for codec, software in SOFTWARE.items()
    ]
    rendering = settings.rendering
    choice = choose(rendering.codec, rendering.encoder)
    if choice.reason:
        hint = "Rendering.Encoder: auto takes hardware only where it works"
        yield Finding("encoders", "warn", f"{choice.name} will be used: {choice.reason}", hint)
    elif broken := probe(choice.name):
        yield Finding("encoders", "fail", broken, "unset FRAMEKEEP_FFMPEG to use the packaged ffmpeg")
    yield Finding("encoders", "ok", f"{'; '.join(works)}\nvideos are made with {choice.name}")


def check_fonts() -> Findings:
    """Whether the packaged fonts are there."""
    from stages.typeset.fonts import load_fonts

    fonts = load_fonts()
    yield Finding("fonts", "ok", f"{len(fonts.files)} files: {', '.join(fonts.families)}")


def check_script(settings: Settings) -> Findings:
    """Who would write scripts."""
    from pipeline.toolbox import Toolbox

    brief = _sample_brief()

    def check(toolbox: Toolbox) -> None:
        for writer in toolbox.writers():
            writer.check(brief)

    toolbox = Toolbox(brief, settings)
    # It stands in for those that cannot.
    last = ("outline",) if toolbox.may_degrade and "outline" not in toolbox.writer_names else ()
    yield from _check_each("script", "script", (*toolbox.writer_names, *last), settings, check)


def check_speech(settings: Settings) -> Findings:
    """Who would speak English."""
    from pipeline.toolbox import Toolbox

    brief = _sample_brief()

    def check(toolbox: Toolbox) -> None:
        for speaker in toolbox.speakers():
            speaker.check(brief.language, brief.voice, brief.text)

    yield from _check_each("speech", "speech", Toolbox(brief, settings).speaker_names, settings, check)


def check_pictures(settings: Settings) -> Findings:
    """Who would draw pictures."""
    from pipeline.toolbox import Toolbox

    names = Toolbox(_sample_brief(), settings).painter_names
    yield from _check_each("pictures", "images", names, settings, lambda toolbox: _made(toolbox.painters()))


def _made(providers: Iterable[object]) -> None:
    """Making them is the check."""
    assert list(providers)


def _sample_brief() -> Brief:
    from stages.models import Brief

    return Brief(title="A lamp", text=_SAMPLE_TEXT)


def _check_each(
    stage: str, field: str, names: tuple[str, ...], settings: Settings, check: Callable[[Toolbox], None]
) -> Findings:
    """Each provider by itself: one that cannot work is a warning, none that can is a failure."""
    from pipeline.toolbox import Toolbox
    from stages.models import Brief, ProviderChoice

    works: list[str] = []
    for name in names:
        choice = ProviderChoice.model_validate({field: (name,)})
        try:
            check(Toolbox(Brief(title="A lamp", text=_SAMPLE_TEXT, providers=choice), settings))
        except FramekeepError as error:
            yield Finding(stage, "warn", f"{name} cannot work: {error.message}", error.hint)
        else:
            works.append(name)
    if works:
        yield Finding(stage, "ok", f"in this order: {', '.join(works)}")
    else:
        yield Finding(
            stage,
            "fail",
            "nobody can do this stage's work",
            f"see above, or set Providers; asked: {', '.join(names) or 'nobody'}",
        )
