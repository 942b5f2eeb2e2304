"""What becomes of a clip's own sound: kept, ducked, muted, and by default heard where nobody speaks."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from checkpoints.records import Record
from config.settings import Settings
from pipeline import Event, Pipeline, load_brief
from pipeline.engine.preflight import notices
from pipeline.job.options import JobOptions
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.models import ClipSound
from stages.render.audio.mix import mix
from stages.render.ffmpeg.process import ffmpeg_path
from stages.render.specs import MixSpec, TimedClip, TimedLine
from stages.speech.sound import SAMPLE_RATE_HZ as RATE
from stages.speech.sound import write_wav

MakePipeline = Callable[..., Pipeline]
FFMPEG = [str(ffmpeg_path()), "-v", "error", "-nostdin"]
CLIP_HZ, VOICE_HZ, MUSIC_HZ = 440, 180, 1000


def clip(path: Path, *sound: str, seconds: float = 2.0) -> Path:
    """A clip whose tone is heard in its second half only."""
    source = f"sine=f={CLIP_HZ}:d={seconds}:r=44100,volume=enable='lt(t,{seconds / 2})':volume=0"
    command = [*FFMPEG, "-f", "lavfi", "-i", f"testsrc=s=64x48:r=30:d={seconds}", "-f", "lavfi", "-i", source, *sound]
    subprocess.run([*command, "-c:v", "libx264", "-pix_fmt", "yuv420p", str(path)], check=True)
    return path


def mute_clip(path: Path) -> Path:
    command = [*FFMPEG, "-f", "lavfi", "-i", "testsrc=s=64x48:r=30:d=1", "-c:v", "libx264", "-pix_fmt", "yuv420p"]
    subprocess.run([*command, str(path)], check=True)
    return path


def tone(path: Path, hertz: int, seconds: float, level: float = 0.2) -> str:
    write_wav(path, level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE))
    return path.name


def levels_db(path: Path, hertz: int, step_s: float = 0.5) -> list[float]:
    """The level of one tone in each half second."""
    with av.open(str(path)) as container:
        sound = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[0]
    return [
        level_db(sound[at : at + round(step_s * RATE)], hertz)
        for at in range(0, len(sound) - 4800, round(step_s * RATE))
    ]


def level_db(sound: NDArray[np.float32], hertz: int) -> float:
    window = np.hanning(len(sound))
    found = np.abs(np.fft.rfft(sound * window)) / window.sum() * 2
    near = np.abs(np.fft.rfftfreq(len(sound), 1 / RATE) - hertz) < 15
    return float(20 * np.log10(found[near].max() + 1e-6))


def mixed(tmp_path: Path, sound: ClipSound | None, music: bool = False) -> Path:
    """Eight seconds of a clip of two, somebody speaking from 4 to 6 s."""
    clip(tmp_path / "clip.mp4")
    spec = MixSpec(
        samples=8 * RATE,
        lines=(TimedLine(digest=tone(tmp_path / "voice.wav", VOICE_HZ, 2), samples=2 * RATE, at_sample=4 * RATE),),
        clips=(TimedClip(digest="clip.mp4", at_sample=0, samples=8 * RATE, sound=sound),),
        music_digest=tone(tmp_path / "music.wav", MUSIC_HZ, 10) if music else "",
        fade_in_s=0.0,
        fade_out_s=0.0,
    )
    out = tmp_path / "mix.m4a"
    mix(spec, out, lambda digest: tmp_path / digest, tmp_path, CancelToken(), lambda *_: None)
    return out


@pytest.mark.parametrize(("sound", "under_speech_db"), [(None, -50.0), ("duck", -18.0), ("keep", 0.0)])
def test_a_clip_is_heard_in_step_with_its_pictures_and_under_speech_as_was_asked(
    tmp_path: Path, sound: ClipSound | None, under_speech_db: float
) -> None:
    heard = levels_db(mixed(tmp_path, sound), CLIP_HZ)
    # It begins again after two seconds, and each time its first second is silent.
    assert max(heard[0], heard[1], heard[4], heard[5]) < -60
    assert heard[2:4] == pytest.approx([heard[2]] * 2, abs=1)
    assert heard[2] > -25
    if sound is None:
        assert heard[11] - heard[2] < under_speech_db
    else:
        assert heard[11] - heard[2] == pytest.approx(under_speech_db, abs=2)


def test_music_stays_over_a_clip_and_steps_back_for_one_that_is_kept(tmp_path: Path) -> None:
    default = mixed(tmp_path, None, music=True)
    assert levels_db(default, CLIP_HZ)[3] == pytest.approx(levels_db(default, MUSIC_HZ)[3] - 6, abs=3)
    kept = mixed(tmp_path, "keep", music=True)
    assert levels_db(kept, CLIP_HZ)[3] > levels_db(kept, MUSIC_HZ)[3] + 12


@pytest.mark.parametrize(
    "sound",
    [
        ("-ac", "6"),
        ("-ac", "1", "-ar", "22050"),
        ("-af", "pan=stereo|c0=c0|c1=-1*c0"),
        ("-af", "pan=stereo|c0=c0|c1=0*c0"),
    ],
    ids=["5.1", "mono", "antiphase", "left only"],
)
def test_every_channel_layout_is_heard_from_both_loudspeakers(tmp_path: Path, sound: tuple[str, ...]) -> None:
    clip(tmp_path / "clip.mkv", *sound, "-c:a", "pcm_s16le")
    spec = MixSpec(samples=2 * RATE, lines=(), clips=(TimedClip(digest="clip.mkv", at_sample=0, samples=2 * RATE),))
    mix(spec, tmp_path / "mix.m4a", lambda digest: tmp_path / digest, tmp_path, CancelToken(), lambda *_: None)
    with av.open(str(tmp_path / "mix.m4a")) as container:
        left, right = np.concatenate([frame.to_ndarray() for frame in container.decode(audio=0)], axis=1)[
            :, RATE + 9600 :
        ]
    assert level_db(left, CLIP_HZ) > -25
    assert np.mean((left + right) ** 2) > 3 * np.mean(left**2)


def test_the_mix_of_a_clip_does_not_depend_on_the_block(tmp_path: Path) -> None:
    whole = mixed(tmp_path, "duck").read_bytes()
    spec = MixSpec(
        samples=8 * RATE,
        lines=(TimedLine(digest="voice.wav", samples=2 * RATE, at_sample=4 * RATE),),
        clips=(TimedClip(digest="clip.mp4", at_sample=0, samples=8 * RATE, sound="duck"),),
        fade_in_s=0.0,
        fade_out_s=0.0,
    )
    mix(
        spec,
        tmp_path / "b.m4a",
        lambda digest: tmp_path / digest,
        tmp_path,
        CancelToken(),
        lambda *_: None,
        block=48_000,
    )
    assert (tmp_path / "b.m4a").read_bytes() == whole


# In briefs


def written(tmp_path: Path, body: str) -> Path:
    path = tmp_path / "b.md"
    path.write_text(f"---\ntitle: T\ncaptions: none\ntransition: cut\n---\n{body}")
    return path


def test_what_is_not_heard_of_a_clip_is_said(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4")
    mute_clip(tmp_path / "b.mp4")
    body = "## One\n![a](a.mp4)\nA lamp is lit.\n## Two\n![a](a.mp4){sound=mute}\nShips see it.\n"
    told = notices(load_brief(written(tmp_path, body + "## Three\n![b](b.mp4){sound=keep}\nThey come home.\n")))
    assert len(told) == 2
    assert told[0].startswith("Scene 3: there is no sound to be heard in b.mp4")
    assert told[1].startswith("Scene 1: the clip's own sound is not heard while somebody speaks")
    quiet = "## One\n![a](a.mp4)\n## Two\n![b](b.mp4)\nA lamp is lit.\n## Three\n![a](a.mp4){sound=duck}\nShips.\n"
    assert notices(load_brief(written(tmp_path, quiet))) == []


def test_a_sound_needs_a_clip_and_a_name_that_is_known(tmp_path: Path) -> None:
    from config.errors import BriefError

    clip(tmp_path / "a.mp4")
    with pytest.raises(BriefError) as caught:
        load_brief(written(tmp_path, "## One\n![a](a.mp4){sound=loud}\nA lamp.\n## Two\n{sound=keep}\nShips.\n"))
    assert "'loud' is not one of mute, duck, keep" in caught.value.problems[0]
    assert "this scene has no clip" in caught.value.problems[1]


def test_a_clip_in_which_nobody_speaks_lasts_as_long_as_it_is_and_sounds(
    make_pipeline: MakePipeline, tmp_path: Path, events: list[Event]
) -> None:
    clip(tmp_path / "a.mp4")
    path = written(tmp_path, "## One\n![a](a.mp4)\n")
    result = make_pipeline().render(path, output=tmp_path / "out")
    assert result.status == "done", result.error
    (output,) = result.outputs
    assert output.duration_s == pytest.approx(2.0)
    heard = levels_db(output.path, CLIP_HZ)
    assert max(heard[:2]) < -60
    assert min(heard[2], heard[3]) > -25
    events.clear()
    path.write_text(path.read_text().replace("(a.mp4)", "(a.mp4){sound=mute}"))
    muted = make_pipeline().render(path, output=tmp_path / "out")
    made = {str(event.data["step"]).split("/")[0] for event in events if event.kind == "step_executed"}
    assert made == {"mix", "mux"}
    assert max(levels_db(muted.outputs[0].path, CLIP_HZ)) < -60


def test_the_sound_waits_for_the_picture_of_a_scene_that_may_be_a_clip(
    tmp_path: Path, stub_toolbox: Any, stub_record: Callable[[Step], Record], tiny_settings: Settings
) -> None:
    clip(tmp_path / "a.mp4")
    brief = load_brief(written(tmp_path, "## One\n![a](a.mp4){sound=keep}\nA lamp is lit.\n## Two\nShips see it.\n"))
    plan = Plan(brief, JobOptions(exports=("youtube",), output=tmp_path, stem="b"), tiny_settings, stub_toolbox)
    waiting = plan.start()
    spoken = [step for step in waiting if step.stage != "images"]
    seen = [step for step in waiting if step.stage == "images"]
    new = [step for step in spoken for step in plan.done(step, stub_record(step))]
    assert "mix" not in [step.id for step in new]
    for step in seen:
        record = stub_record(step)
        facts = (
            record.facts | {"kind": "clip", "length_s": 2.0} if step.work == brief.scenes[0].visual else record.facts
        )
        new = [*new, *plan.done(step, record.model_copy(update={"facts": facts}))]
    (sound,) = [step.work for step in new if step.id == "mix"]
    assert isinstance(sound, MixSpec)
    (heard,) = sound.clips
    assert (heard.sound, heard.at_sample, heard.fade_in) == ("keep", 0, 0)
