"""The doctor's checks of this machine's own tools: ffmpeg, its encoders, fonts."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from config.errors import RejectedError, UnavailableError
from pipeline.health.doctor import Finding, Findings

if TYPE_CHECKING:
    from config.settings import Settings
    from stages.base import CancelToken

_ENCODERS = ("libx264", "aac")
_FILTERS = ("aformat", "aresample", "ebur128")
_FRAMES = 12
_PACKAGED = "unset FRAMEKEEP_FFMPEG to use the packaged ffmpeg"


def check_ffmpeg(*, execute: bool = True) -> Findings:
    """Which ffmpeg, whether it has what a render uses, and, if it is to `execute`, whether it really encodes."""
    from stages.base import CancelToken
    from stages.render.ffmpeg.process import ffmpeg_path

    path = ffmpeg_path()
    try:
        version = ask_ffmpeg()
        if execute:
            try_ffmpeg(CancelToken())
    except RejectedError as error:
        yield Finding("ffmpeg", "fail", error.message, error.hint)
        return
    tried = f"a test encode of {_FRAMES} frames is right" if execute else "it was not tried"
    yield Finding("ffmpeg", "ok", f"{version}; {tried}\n{path}")


def ask_ffmpeg() -> str:
    """Which version it is. Raises RejectedError where it lacks what a render uses, UnavailableError where it cannot be started."""
    from stages.render.ffmpeg.process import ffmpeg_path

    path = ffmpeg_path()
    version = _first_line(_ask(path, "-version"))
    for kind, wanted in (("encoders", _ENCODERS), ("filters", _FILTERS)):
        known = {word for line in _ask(path, f"-{kind}").splitlines() for word in line.split()[1:2]}
        if missing := [name for name in wanted if name not in known]:
            raise RejectedError(
                f"{path} has no {kind[:-1]} {', '.join(missing)}",
                provider="ffmpeg",
                hint=_PACKAGED,
                kind="NotSupported",
            )
    return version


def try_ffmpeg(cancel: CancelToken) -> None:
    """Encode and decode a few small frames. Raises FramekeepError where that goes wrong."""
    from stages.render.ffmpeg.process import ffmpeg_path

    with tempfile.TemporaryDirectory(prefix="framekeep-doctor-") as folder:
        frames = _encode(Path(folder), cancel)
    if frames != _FRAMES:
        raise RejectedError(
            f"{ffmpeg_path()}: a test encode of {_FRAMES} frames has {frames}",
            provider="ffmpeg",
            hint="pip install --force-reinstall imageio-ffmpeg",
            kind="NotSupported",
        )


def _ask(path: Path, what: str) -> str:
    import subprocess

    try:
        run = subprocess.run(
            [str(path), "-hide_banner", "-nostdin", what], capture_output=True, text=True, errors="replace", timeout=20
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnavailableError(f"{path} cannot be started: {error}", provider="ffmpeg", hint=_PACKAGED) from error
    return run.stdout


def _first_line(text: str) -> str:
    return " ".join(text.split("\n", 1)[0].split()[:3])


def _encode(scratch: Path, cancel: CancelToken) -> int:
    """Encode a test picture with sound as a render does; returns the frames that can be decoded."""
    from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
    from stages.render.sources.probe import decode_all

    out = scratch / "test.mp4"
    picture = ["-f", "lavfi", "-i", f"testsrc=size=160x90:rate=24:duration={_FRAMES / 24}"]
    sound = ["-f", "lavfi", "-i", f"sine=frequency=440:sample_rate=48000:duration={_FRAMES / 24}"]
    codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", "-threads", "1"]
    run_ffmpeg(
        [*picture, *sound, *codecs, str(out)], FfmpegRun("the doctor's test", scratch, cancel, stall_timeout_s=20)
    )
    return decode_all(out)


def check_encoders(settings: Settings) -> Findings:
    """Which encoders pass their test on this machine, and whether the one that is set does."""
    from config.codecs import SOFTWARE, hardware
    from stages.render.encoders.encoder_choice import choose, probe

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
        yield Finding("encoders", "fail", broken, _PACKAGED)
    yield Finding("encoders", "ok", f"{'; '.join(works)}\nvideos are made with {choice.name}")


def check_fonts() -> Findings:
    """Whether the packaged fonts are there, and which package adds which script."""
    from stages.typeset.font_packages import offers
    from stages.typeset.fonts import load_fonts

    fonts = load_fonts()
    more = "".join(f"\nfor {', '.join(names)}: pip install {package}" for package, names in offers(fonts).items())
    yield Finding("fonts", "ok", f"{len(fonts.files)} files: {', '.join(fonts.families)}{more}")
