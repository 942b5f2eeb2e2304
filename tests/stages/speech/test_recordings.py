"""Narrations that the user spoke: they always win, sound like every line, and are checked before the work starts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from config.errors import BriefError
from config.settings import Settings
from pipeline import Event, Pipeline, load_brief
from stages.brief import brief_from_canonical, canonical
from stages.speech.recording import Recording, check_recording, take_recording
from stages.speech.sound import SAMPLE_RATE_HZ, loudness, read_sound, write_wav

MakePipeline = Callable[..., Pipeline]
SAID = "Ships see the light, and they come home."


def voice(path: Path, *bursts: tuple[float, float], rate_hz: int = 44_100, level: float = 0.05) -> Path:
    """Something like speech: tones of these starts and ends in seconds, and silence around them."""
    length = bursts[-1][1] + 0.6
    time = np.arange(round(length * rate_hz)) / rate_hz
    loud = np.zeros(len(time))
    for start, end in bursts:
        loud[(time >= start) & (time < end)] = level
    tone = np.sin(2 * np.pi * 180 * time) + 0.5 * np.sin(2 * np.pi * 740 * time) * (1 + np.sin(2 * np.pi * 4 * time))
    write_wav(path, tone * loud, rate_hz)
    return path


@pytest.fixture
def spoken(tmp_path: Path) -> Path:
    """Two bursts with a pause between them, where the comma stands."""
    return voice(tmp_path / "ships.wav", (0.5, 1.7), (2.3, 3.5))


def brief_with(tmp_path: Path, attribute: str, front: str = "") -> Path:
    path = tmp_path / "small.md"
    path.write_text(f"---\ntitle: T\n{front}---\n\n## One\nA lamp is lit.\n\n## Two\n{attribute}\n\n{SAID}\n")
    return path


def test_a_recording_comes_out_as_a_line_like_any_other(spoken: Path, tmp_path: Path) -> None:
    path, narration = take_recording(Recording(spoken, SAID, "en"), tmp_path)
    sound = read_sound(path)
    assert len(sound) == narration.samples
    # Half a second of silence at each end is gone; the pause within stays.
    assert 3.0 <= narration.samples / SAMPLE_RATE_HZ <= 3.3
    assert loudness(sound) == pytest.approx(-20, abs=0.5)
    assert [word.text for word in narration.words] == SAID.split()
    assert (narration.provider, narration.silent, narration.timing) == ("brief", False, "estimated")


def test_its_words_are_held_to_the_pauses_in_it(spoken: Path, tmp_path: Path) -> None:
    _, narration = take_recording(Recording(spoken, SAID, "en"), tmp_path)
    after_comma = next(word for word in narration.words if word.text == "and")
    before = next(word for word in narration.words if word.text == "light,")
    assert before.end_s == pytest.approx(1.24, abs=0.08)
    assert after_comma.start_s == pytest.approx(1.84, abs=0.08)


@pytest.mark.parametrize(
    ("bursts", "reason"),
    [(((0.5, 0.8),), r"0\.4 s of speech where"), (((0.5, 40.0),), "of speech where its scene's text")],
)
def test_a_recording_of_another_text_is_refused(
    tmp_path: Path, bursts: tuple[tuple[float, float], ...], reason: str
) -> None:
    with pytest.raises(BriefError, match=reason):
        check_recording(Recording(voice(tmp_path / "x.wav", *bursts), SAID, "en"))


def test_silence_and_what_is_no_sound_are_refused(tmp_path: Path) -> None:
    silent = tmp_path / "silent.wav"
    write_wav(silent, np.zeros(96_000))
    torn = tmp_path / "torn.wav"
    torn.write_bytes(b"RIFF but nothing more")
    with pytest.raises(BriefError, match=r"silent\.wav is silent"):
        check_recording(Recording(silent, SAID, "en"))
    with pytest.raises(BriefError, match=r"torn\.wav is no sound that can be read"):
        check_recording(Recording(torn, SAID, "en"))


# In briefs


@pytest.mark.parametrize("ending", ["md", "yaml", "json"])
def test_every_kind_of_brief_names_recordings(tmp_path: Path, spoken: Path, ending: str) -> None:
    scene = {"narration": SAID, "recording": "ships.wav"}
    texts = {
        "md": f'---\ntitle: T\n---\n\n## Two\n{{recording="ships.wav"}}\n\n{SAID}\n',
        "yaml": f"title: T\nscenes:\n  - narration: {SAID}\n    recording: ships.wav\n",
        "json": json.dumps({"title": "T", "scenes": [scene]}),
    }
    path = tmp_path / f"brief.{ending}"
    path.write_text(texts[ending])
    brief = load_brief(path)
    assert brief.scenes[0].recording == spoken
    assert brief_from_canonical(canonical(brief)).scenes[0].recording == spoken


def test_a_folder_of_recordings_is_given_to_the_spoken_scenes_in_natural_order(tmp_path: Path) -> None:
    folder = tmp_path / "voice"
    folder.mkdir()
    for number in (10, 2):
        voice(folder / f"{number}.wav", (0.2, 1.5))
    brief = load_brief(brief_with(tmp_path, "", "recordings: voice\n"))
    assert [scene.recording and scene.recording.name for scene in brief.scenes] == ["2.wav", "10.wav"]


@pytest.mark.parametrize(
    ("attribute", "front", "problem"),
    [
        ('{recording="none.wav"}', "", "there is no file"),
        ('{recording="small.md"}', "", "does not end in one of"),
        ("", "recordings: voice\n", "1 sound files for 2 spoken scenes"),
        ("", "recordings: nowhere\n", "there is no folder"),
        ('{voice="ships.wav"}', "", "unknown attribute 'voice'"),
    ],
)
def test_what_is_wrong_with_recordings_is_said_with_its_line(
    tmp_path: Path, attribute: str, front: str, problem: str
) -> None:
    (tmp_path / "voice").mkdir()
    voice(tmp_path / "voice" / "1.wav", (0.2, 1.5))
    with pytest.raises(BriefError, match=problem) as caught:
        load_brief(brief_with(tmp_path, attribute, front))
    assert any(":" in found for found in caught.value.problems)


def test_a_recording_needs_its_words_and_scenes(tmp_path: Path, spoken: Path) -> None:
    assert spoken
    path = tmp_path / "brief.yaml"
    path.write_text("title: T\nscenes:\n  - heading: A\n    hold: 2\n    recording: ships.wav\n")
    with pytest.raises(BriefError, match="needs the words that are spoken in it"):
        load_brief(path)
    (tmp_path / "voice").mkdir()
    voice(tmp_path / "voice" / "1.wav", (0.2, 1.5))
    path.write_text("title: T\ntext: Some words to write about.\nrecordings: voice\n")
    with pytest.raises(BriefError, match="needs `## ` scenes"):
        load_brief(path)


# The whole way


def test_a_recorded_scene_is_heard_and_captioned_and_nobody_is_asked_to_speak_it(
    make_pipeline: MakePipeline, tmp_path: Path, spoken: Path, events: list[Event]
) -> None:
    path = brief_with(tmp_path, '{recording="ships.wav"}')
    result = make_pipeline().render(path, output=tmp_path / "out")
    assert result.status == "done", result.error
    assert result.attempts.by_provider["speak:hibari"] == 1
    captions = result.outputs[0].sidecars["srt"].read_text()
    assert "Ships see the light, and they come" in " ".join(captions.split())
    events.clear()
    assert make_pipeline().render(path, output=tmp_path / "out").steps.executed == 0
    voice(spoken, (0.5, 1.4), (2.0, 3.0))
    again = make_pipeline().render(path, output=tmp_path / "out")
    made = sorted(event.data["step"] for event in events if event.kind == "step_executed")
    assert again.status == "done"
    assert [name for name in made if name.startswith("speech")] == ["speech/0002/01"]
    assert "images/0002/16:9" not in made


def test_a_recording_in_a_language_that_nobody_speaks_needs_no_voice(
    make_pipeline: MakePipeline, tmp_path: Path, tiny_settings: Settings
) -> None:
    voice(tmp_path / "ships.wav", (0.2, 2.0))
    path = tmp_path / "small.md"
    path.write_text('---\ntitle: T\nlanguage: ru\n---\n\n## Один\n{recording="ships.wav"}\n\nСвет на берегу моря.\n')
    result = make_pipeline(tiny_settings).render(path, output=tmp_path / "out")
    assert (result.status, result.attempts.by_provider.get("speak:hibari")) == ("done", None), result.error


def test_recordings_that_cannot_be_used_are_all_named_before_the_work_starts(
    make_pipeline: MakePipeline, tmp_path: Path
) -> None:
    for name in ("1.wav", "2.wav"):
        (tmp_path / name).write_bytes(b"no sound")
    path = tmp_path / "small.md"
    path.write_text(
        "---\ntitle: T\n---\n\n## One\n{recording=1.wav}\n\nA lamp is lit.\n\n## Two\n{recording=2.wav}\n\nShips see it.\n"
    )
    with pytest.raises(BriefError) as caught:
        make_pipeline().render(path, output=tmp_path / "out")
    assert [problem.split(": ")[1] for problem in caught.value.problems] == ["scene 1", "scene 2"]
    assert not (tmp_path / "out").exists()
