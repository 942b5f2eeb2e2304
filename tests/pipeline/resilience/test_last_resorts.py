"""When every provider has failed: an earlier answer to the same request, then a last resort; each is named as what it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import Image

from checkpoints.keys import step_key
from checkpoints.ledger.responses import Responses
from checkpoints.records import Record
from config.errors import ProviderError, RetryExhaustedError, TransientError, UnavailableError
from config.settings import Settings
from pipeline.engine.last_resort import is_allowed
from pipeline.planning import step_keys
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.images.cards.placeholder import render_placeholder
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.models import Brief, Script, ScriptScene
from stages.script.offline.template import TemplateWriter
from stages.script.script_writer import FIRST_ASK, Ask, ScriptWriter
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken

if TYPE_CHECKING:
    from conftest import Workbench

TINY: dict[str, Any] = {"resilience": {"retry": {"max_retry_attempts": 1, "initial_delay_ms": 1}}}
TEXT = (
    "The tide is a wave as long as half the Earth. It runs around the world twice a day. Most coasts see two high waters. "
    "Some see only one, and nobody was sure why for a long time. The shape of the sea floor decides."
)
LINE = SpeechRequest(text="A lamp is lit on the cliff.", language="en", voice="", seed=0)
PICTURE = PictureRequest("One", "A lamp.", "A lamp", 1, 3, "Lighthouses", "auto", 0, 160, 90, True)
DAY_S = 86_400


class Down(TransientError):
    pass


class Painter(ImageProvider):
    def __init__(self, name: str, colour: str = "") -> None:
        self.name = name
        self.colour = colour
        self.calls = 0

    def identity(self) -> dict[str, str]:
        return {"name": self.name, "colour": self.colour}

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        self.calls += 1
        if not self.colour:
            raise Down(f"{self.name} is down", provider=self.name)
        Image.new("RGB", (request.width, request.height), self.colour).save(folder / "drawn.png")
        return folder / "drawn.png"


class Voice(SpeechProvider):
    def __init__(self, name: str) -> None:
        self.name = name

    def identity(self) -> dict[str, str]:
        return {}

    def check(self, language: str, voice: str, text: str) -> None:
        """It always could."""

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        raise Down(f"{self.name} is down", provider=self.name)


class Writer(ScriptWriter):
    def __init__(self, name: str, narration: str = "") -> None:
        self.name = name
        self.narration = narration

    def identity(self) -> dict[str, str]:
        return {}

    def check(self, brief: Brief) -> None:
        """It always could."""

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script:
        if not self.narration:
            raise Down(f"{self.name} is down", provider=self.name)
        return Script(title=brief.title, scenes=(ScriptScene(narration=self.narration),), writer=self.name)


def settings(cache: dict[str, Any] | None = None, **degradation: bool) -> Settings:
    return Settings.model_validate(
        {**TINY, "features": {"graceful_degradation": degradation}, "providers": {"cache_fallback": cache or {}}}
    )


def picture(bench: Workbench, given: Settings, painters: Sequence[Painter]) -> Record:
    toolbox = bench.toolbox(given, painters=painters)
    step = Step("images/0001/16:9", "images", 1, step_key("images", step_keys.picture(PICTURE, toolbox)), PICTURE)
    return bench.run(step, given, toolbox)


def line(bench: Workbench, given: Settings, request: SpeechRequest = LINE, *names: str) -> Record:
    toolbox = bench.toolbox(given, speakers=[Voice(name) for name in names or ("network",)])
    step = Step("speech/0001/01", "speech", 1, step_key("speech", step_keys.speech(request, toolbox)), request)
    return bench.run(step, given, toolbox)


def script(bench: Workbench, given: Settings, text: str, *writers: Writer) -> Record:
    brief = Brief(title="The tide", text=text)
    toolbox = bench.toolbox(given, brief, writers=writers or (Writer("OpenAI"),))
    step = Step("script", "script", 0, step_key("script", step_keys.script(brief, toolbox)), brief)
    return bench.run(step, given, toolbox)


# Last resorts


def test_a_picture_that_nobody_draws_becomes_an_empty_frame_that_is_named(workbench: Workbench) -> None:
    record = picture(workbench, settings(), [Painter("OpenAI"), Painter("Stability")])
    (told,) = record.degradations
    assert (told["stage"], told["scene"], told["wanted"], told["got"]) == ("images", 1, "OpenAI", "placeholder")
    assert "OpenAI is down" in told["reason"]
    assert "Stability is down" in told["reason"]
    assert (record.provider, record.stand_in, record.facts["is_card"]) == ("placeholder", "basic", True)
    with Image.open(workbench.store.path(record.artifacts["picture"].digest)) as image:
        assert image.size == (160, 90)


def test_a_line_is_spoken_by_another_installed_voice_before_it_is_only_shown(workbench: Workbench) -> None:
    record = line(workbench, settings())
    assert (record.provider, record.stand_in, record.facts["silent"]) == ("hibari", "other", False)
    assert record.degradations[0]["got"] == "hibari"


def test_a_voice_that_was_named_by_its_name_is_not_asked_of_another_provider(workbench: Workbench) -> None:
    named = SpeechRequest(text=LINE.text, language="en", voice="Rachel", seed=0)
    assert line(workbench, settings(), named).provider == "hibari"


def test_a_line_that_no_installed_voice_can_speak_is_shown_in_silence_for_as_long_as_it_takes_to_read(
    workbench: Workbench,
) -> None:
    record = line(
        workbench, settings(), SpeechRequest(text="Световая башня на берегу.", language="ru", voice="", seed=0)
    )
    assert (record.provider, record.stand_in, record.facts["silent"]) == ("text", "basic", True)
    assert 1.4 * 48_000 <= record.facts["samples"] <= 4 * 48_000
    assert record.degradations[0]["got"] == "text"


def test_a_text_is_cut_by_the_offline_writer_when_the_model_is_down(workbench: Workbench) -> None:
    record = script(workbench, settings(), TEXT)
    assert (record.provider, record.stand_in) == ("outline", "other")
    assert record.degradations[0]["wanted"] == "OpenAI"


def test_a_topic_is_read_out_from_a_template_when_even_that_cannot_write_it(workbench: Workbench) -> None:
    record = script(workbench, settings(), "The history of lighthouses.")
    assert (record.provider, record.stand_in) == ("template", "basic")
    assert record.facts["scenes"][0]["narration"] == "The history of lighthouses."


def test_an_order_to_write_something_is_never_read_out(workbench: Workbench) -> None:
    with pytest.raises(RetryExhaustedError):
        script(workbench, settings(), "Make a video about lighthouses.")


@pytest.mark.parametrize("spared", [True, False])
def test_failures_on_purpose_leave_the_plainest_stand_in_alone_unless_settings_say_otherwise(
    workbench: Workbench, spared: bool
) -> None:
    testing = {"simulate_failures": True, "failure_rate": 1, "kinds": ["error"], "spare_last_resort": spared}
    shaken = Settings.model_validate({**settings().model_dump(mode="json"), "testing": testing})
    if spared:
        assert picture(workbench, shaken, [Painter("OpenAI", "red")]).provider == "placeholder"
        assert line(workbench, shaken).provider == "text"
    else:
        with pytest.raises(RetryExhaustedError, match="simulated failure"):
            picture(workbench, shaken, [Painter("OpenAI", "red")])


def test_without_degradation_the_error_stands_and_parks_the_job(workbench: Workbench) -> None:
    off = settings(enabled=False)
    attempts: tuple[Callable[[], Record], ...] = (
        lambda: picture(workbench, off, [Painter("OpenAI")]),
        lambda: line(workbench, off),
        lambda: script(workbench, off, TEXT),
    )
    for attempt in attempts:
        with pytest.raises(ProviderError) as caught:
            attempt()
        assert caught.value.exit_code == 75


def test_without_the_plain_ones_only_real_voices_and_writers_stand_in(workbench: Workbench) -> None:
    real = settings(fallback_to_basic=False)
    assert script(workbench, real, TEXT).provider == "outline"
    assert line(workbench, real).provider == "hibari"
    with pytest.raises(ProviderError):
        picture(workbench, real, [Painter("OpenAI")])
    with pytest.raises(ProviderError):
        line(workbench, real, SpeechRequest(text="Башня.", language="ru", voice="", seed=0))
    with pytest.raises(ProviderError):
        script(workbench, real, "The history of lighthouses.")


def test_a_stand_in_is_not_found_again_where_settings_no_longer_allow_it(workbench: Workbench) -> None:
    record = picture(workbench, settings(), [Painter("OpenAI")])
    step = Step("images/0001/16:9", "images", 1, record.key, PICTURE)
    for given, found in (
        (settings(), True),
        (settings(enabled=False), False),
        (settings(fallback_to_basic=False), False),
    ):
        checkpoints = workbench.checkpoints(accepts=lambda one, given=given: is_allowed(one, given))
        assert (checkpoints.load(step) is not None) == found
    assert workbench.checkpoints(insist=True).load(step) is None


def test_a_failing_encoder_has_no_last_resort(workbench: Workbench, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise UnavailableError("no encoder", provider="libx264")

    monkeypatch.setattr("pipeline.engine.step_executor.perform", fail)
    work: Any = object()
    with pytest.raises(UnavailableError):
        workbench.run(Step("mix", "mix", 0, "0" * 64, work), settings(), workbench.toolbox(settings()))


# The template


def test_the_template_takes_the_text_from_its_beginning_a_few_sentences_a_scene() -> None:
    written = TemplateWriter().write(Brief(title="The tide", text=f"{TEXT}\n\nThat is all."), CancelToken(), 0)
    said = [scene.narration for scene in written.scenes]
    assert " ".join(said) == f"{TEXT} That is all."
    assert said[-1] == "That is all."
    assert all(len(part.split()) <= 30 for part in said)
    assert [scene.heading for scene in written.scenes] == ["The tide", *[""] * (len(said) - 1)]


def test_the_template_keeps_quotation_marks_and_abbreviations_whole() -> None:
    text = "Dr. Marsh said: “It is late.” Then she left for No. 5. “Good night!” cried the keeper, who stayed until 6 a.m. alone."
    written = TemplateWriter().write(Brief(title="Late", text=text), CancelToken(), 0)
    assert " ".join(scene.narration for scene in written.scenes) == text


def test_the_template_ends_where_the_length_that_was_asked_for_is_full() -> None:
    brief = Brief(title="The tide", text=TEXT * 5, target_length_s=10)
    written = TemplateWriter().write(brief, CancelToken(), 0)
    assert 20 < sum(len(scene.narration.split()) for scene in written.scenes) < 60


# The placeholder


@pytest.mark.parametrize("size", [(160, 90), (90, 160), (90, 90)])
def test_the_placeholder_is_a_drawing_on_a_calm_ground_in_every_shape(size: tuple[int, int]) -> None:
    width, height = size
    pixels = render_placeholder(PictureRequest("H", "T", "P", 1, 3, "Lighthouses", "ember", 0, width, height, True))
    assert pixels.shape == (height, width, 3)
    grey = pixels.mean(axis=2)
    lowest = grey[round(height * 0.84) :]
    # Captions find their place free: nothing there changes from one pixel to the next.
    assert np.abs(np.diff(lowest, axis=1)).max() < 6
    assert np.abs(np.diff(grey, axis=1)).max() > 10


def test_the_placeholder_takes_the_colours_of_the_film_and_none_of_its_words() -> None:
    def drawn(theme: str, text: str) -> bytes:
        return render_placeholder(PictureRequest(text, text, text, 1, 3, "T", theme, 0, 96, 54, True)).tobytes()

    assert drawn("ember", "a") == drawn("ember", "b")
    assert drawn("ember", "a") != drawn("paper", "a")


# Earlier answers


def test_an_earlier_answer_to_the_same_request_comes_before_any_last_resort(workbench: Workbench) -> None:
    first = picture(workbench, settings(), [Painter("OpenAI", "red")])
    later = picture(workbench, settings(), [Painter("Stability"), Painter("Pexels")])
    assert later.key != first.key
    assert later.artifacts == first.artifacts
    (told,) = later.degradations
    assert told["wanted"] == "Stability"
    assert told["got"].startswith("cached answer of OpenAI from 20")
    assert "Stability is down" in told["reason"]
    assert (later.stand_in, later.provider) == ("cached", "OpenAI")


def test_no_answer_is_taken_from_the_cache_while_somebody_answers(workbench: Workbench) -> None:
    first = picture(workbench, settings(), [Painter("OpenAI", "red")])
    fresh = Painter("Stability", "blue")
    later = picture(workbench, settings(), [fresh])
    assert fresh.calls == 1
    assert later.artifacts != first.artifacts
    assert later.degradations == ()


def test_another_request_has_no_earlier_answer(workbench: Workbench) -> None:
    script(workbench, settings(), TEXT, Writer("OpenAI", "One."))
    assert script(workbench, settings(), TEXT + " More.", Writer("Anthropic")).stand_in == "other"
    assert script(workbench, settings(), TEXT, Writer("Anthropic")).stand_in == "cached"


@pytest.mark.parametrize(
    ("cache", "found"),
    [
        ({"cache_expiration_s": DAY_S}, True),
        ({"cache_expiration_s": 0}, True),
        ({"cache_expiration_s": 3600}, False),
        ({"use_cache_on_error": False}, False),
        ({"enabled": False}, False),
    ],
)
def test_settings_say_whether_and_how_long_an_answer_may_be_used(
    workbench: Workbench, cache: dict[str, Any], found: bool
) -> None:
    picture(workbench, settings(), [Painter("OpenAI", "red")])
    workbench.now += 2 * 3600
    later = picture(workbench, settings(cache), [Painter("Stability")])
    assert (later.stand_in == "cached") == found


def test_answers_are_not_kept_where_the_cache_is_off(workbench: Workbench) -> None:
    picture(workbench, settings({"enabled": False}), [Painter("OpenAI", "red")])
    assert picture(workbench, settings(), [Painter("Stability")]).stand_in == "basic"


def test_what_stood_in_is_never_kept_as_an_answer(workbench: Workbench) -> None:
    picture(workbench, settings(), [Painter("OpenAI")])
    assert Responses(workbench.ledger).keys_since(0) == set()


def test_using_an_answer_makes_it_no_younger(workbench: Workbench) -> None:
    picture(workbench, settings(), [Painter("OpenAI", "red")])
    before = Responses(workbench.ledger).keys_since(0)
    picture(workbench, settings(), [Painter("Stability")])
    assert Responses(workbench.ledger).keys_since(0) == before


def test_an_earlier_answer_whose_picture_is_damaged_is_not_used(workbench: Workbench) -> None:
    first = picture(workbench, settings(), [Painter("OpenAI", "red")])
    path = workbench.store.path(first.artifacts["picture"].digest)
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    assert picture(workbench, settings(), [Painter("Stability")]).stand_in == "basic"


def test_a_steps_own_former_result_stays_to_be_found_when_it_is_asked_for_again_in_vain(workbench: Workbench) -> None:
    painter = Painter("OpenAI", "red")
    first = picture(workbench, settings(), [painter])
    toolbox = workbench.toolbox(settings(), painters=[painter])
    step = Step("images/0001/16:9", "images", 1, first.key, PICTURE)
    painter.colour = ""
    for _ in range(2):
        again = workbench.run(step, settings(), toolbox)
        assert again.artifacts == first.artifacts
        assert again.degradations[0]["got"].startswith("cached answer of OpenAI")
