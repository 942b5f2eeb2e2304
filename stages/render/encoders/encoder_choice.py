"""Which encoder makes an export: the settings' wish, and what a tiny encode says of it on this machine."""

from __future__ import annotations

import functools
import re
import tempfile
import threading
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO, get_args

from config.codecs import SOFTWARE, Codec, EncoderName, hardware
from config.errors import FramekeepError
from stages.base import CancelToken
from stages.render.encoders.codecs import FACTS
from stages.render.encoders.encoder import Encoder, Libx264
from stages.render.encoders.hardware import INTERFACES
from stages.render.encoders.software import Libx265, SvtAv1
from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg
from stages.render.sources.probe import BT709, decode_all, probe_video
from stages.render.specs import Encoding

_PROBE_FRAMES = 8
_PROBE_S = 10.0
# Hardware has smallest sizes of its own: 145 × 49 for one.
_PROBE_SIZE = (256, 144)
_NOT_BUILT_IN = re.compile(r"Unknown encoder|Unrecognized option")
_PART = re.compile(r"\[[^\]]* @ 0x[0-9a-f]+\]")
_CONSEQUENCE = "Error while opening encoder"


def _hardware_classes() -> dict[str, type[Encoder]]:
    found: dict[str, type[Encoder]] = {}
    for codec in get_args(Codec):
        for name in hardware(codec):
            interface = INTERFACES[name.removeprefix(f"{codec}_")]
            found[name] = type(interface.__name__, (interface,), {"name": name, "codec": codec})
    return found


ENCODERS: dict[str, type[Encoder]] = {
    "libx264": Libx264,
    "libx265": Libx265,
    "libsvtav1": SvtAv1,
    **_hardware_classes(),
}


@dataclass(frozen=True)
class Choice:
    """The encoder that makes the exports. `reason` says why it is not the `wanted` one; empty where it is."""

    wanted: str
    name: str
    reason: str = ""


def create(name: str, stall_timeout_s: float = 60.0) -> Encoder:
    """An encoder by its name."""
    return ENCODERS[name](stall_timeout_s)


def choose(codec: Codec, wanted: EncoderName) -> Choice:
    """`software`, the best hardware that works (`auto`), or one by name; in place of hardware that does not, the software."""
    software = SOFTWARE[codec]
    if wanted == "auto":
        name = next((name for name in hardware(codec) if not probe(name)), software)
        return Choice(name, name)
    if wanted == "software" or not ENCODERS[wanted].is_hardware:
        name = software if wanted == "software" else wanted
        return Choice(name, name)
    reason = probe(wanted)
    return Choice(wanted, software, reason) if reason else Choice(wanted, wanted)


def probe(name: str) -> str:
    """Why an encoder cannot be used here; empty when it can. Asked once in a process, by encoding a few frames."""
    return _probe(ENCODERS[name])


@functools.cache
def _probe(kind: type[Encoder]) -> str:
    encoder = kind()
    width, height = _PROBE_SIZE
    encoding = Encoding(
        level="probe",
        width=width,
        height=height,
        fps=30,
        bitrate_bps=1_000_000,
        codec=encoder.codec,
        encoder=encoder.name,
    )
    with tempfile.TemporaryDirectory(prefix="framekeep-probe-") as folder:
        out = Path(folder) / "probe.mp4"
        try:
            _encode(encoder, encoding, out)
            return _faults(encoder, out)
        except FramekeepError as error:
            return f"{encoder.name} does not work on this machine: {_cause(error.message)}"


def _encode(encoder: Encoder, encoding: Encoding, out: Path) -> None:
    token = CancelToken()
    timer = threading.Timer(_PROBE_S, token.cancel, [f"no answer within {_PROBE_S:g} s"])
    timer.daemon = True
    timer.start()
    try:
        run = FfmpegRun(f"a probe of {encoder.name}", out.parent, token, stall_timeout_s=_PROBE_S)
        run_ffmpeg(["-loglevel", "error", *encoder.arguments(encoding, out)], run, _feeder(encoding))
    finally:
        timer.cancel()


def _feeder(encoding: Encoding) -> Callable[[IO[bytes]], None]:
    """Stripes that move: nothing an encoder could answer from what it has seen before."""
    chroma = b"\x80" * (encoding.width * encoding.height // 2)
    stripes = bytes(16 + (at * 3) % 220 for at in range(encoding.width + 8 * _PROBE_FRAMES))

    def feed(stdin: IO[bytes]) -> None:
        for frame in range(_PROBE_FRAMES):
            row = stripes[8 * frame : 8 * frame + encoding.width]
            stdin.write(row * encoding.height + chroma)

    return feed


def _faults(encoder: Encoder, out: Path) -> str:
    """How what an encoder made differs from what finished files must be."""
    wanted, found = FACTS[encoder.codec], probe_video(out)
    checks = [
        ("codec", found.codec, wanted.codec),
        ("tag", found.tag, wanted.tag),
        ("profile", found.profile, wanted.profile),
        ("pixel format", found.pix_fmt, wanted.pix_fmt),
        ("colour", found.colour, BT709),
        ("frames", (found.frames, decode_all(out)), (_PROBE_FRAMES, _PROBE_FRAMES)),
        ("start", found.start_pts, 0),
        ("frame rate", found.fps, Fraction(30)),
    ]
    wrong = [f"{name} is {got}, wanted {want}" for name, got, want in checks if got != want]
    return f"{encoder.name} works, but not as promised: {'; '.join(wrong)}" if wrong else ""


def _cause(message: str) -> str:
    """What ffmpeg said went wrong, without the addresses of its parts: the same failure is always told the same way."""
    if _NOT_BUILT_IN.search(message):
        return "this ffmpeg does not have it"
    said = [_PART.sub("", line).strip() for line in message.split(": ", 1)[-1].splitlines()]
    causes = [line for line in said if line and not line.startswith(_CONSEQUENCE)]
    return (causes or said)[0]
