"""The plan: which steps a brief makes, when each becomes possible, and how it grows, shrinks to a level, and is keyed."""

from __future__ import annotations

import sys
import time
from collections import deque
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from checkpoints.keys import step_key
from checkpoints.records import Record
from config.errors import UsageError
from config.settings import Settings
from pipeline.job.options import JobOptions, kept_options
from pipeline.planning import plan_state, step_keys, step_requests
from pipeline.planning.plan import Plan
from pipeline.planning.steps import Step
from stages.models import Brief, Degradation, Music, ProviderChoice, SceneBrief, Script, ScriptScene, Visual
from stages.render.captions import cues
from stages.render.specs import Cue, MixSpec, MuxSpec, SceneCut, SegmentSpec
from stages.script.script_stage import from_scenes

Answer = Callable[[Step], Record]
MakePlan = Callable[..., Plan]


def brief_of(*narrations: str, **fields: Any) -> Brief:
    scenes = tuple(SceneBrief(narration=text, heading=f"No. {n}") for n, text in enumerate(narrations, 1))
    return Brief(**({"title": "A title", "scenes": scenes} | fields))


@pytest.fixture
def make_plan(tiny_settings: Settings, stub_toolbox: Any) -> MakePlan:
    def make(
        brief: Brief, *exports: str, settings: Settings | None = None, toolbox: Any = None, **options: Any
    ) -> Plan:
        wanted = JobOptions(exports=exports or ("youtube",), output=Path("/videos"), stem="x", **options)
        return Plan(brief, wanted, settings or tiny_settings, toolbox or stub_toolbox)

    return make


def run(plan: Plan, answer: Answer, first: Iterable[Step] | None = None, *, until: str = "") -> list[Step]:
    """Every step in the order in which it became possible; stops before those of the stage `until`."""
    todo, seen = deque(plan.start() if first is None else first), []
    while todo:
        step = todo.popleft()
        seen.append(step)
        if step.stage != until:
            todo.extend(plan.done(step, answer(step)))
    return seen


def ids(steps: Iterable[Step]) -> list[str]:
    return [step.id for step in steps]


def test_a_scene_is_cut_when_its_last_line_and_encoded_when_its_picture_is_there(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    plan = make_plan(brief_of("One two three. Four five six."))
    first = plan.start()
    assert ids(first) == ["speech/0001/01", "speech/0001/02", "images/0001/16:9"]
    line, last_line, picture = first
    assert plan.done(last_line, stub_record(last_line)) == []
    assert plan.done(picture, stub_record(picture)) == []
    assert not plan.is_cut
    assert ids(plan.done(line, stub_record(line))) == ["segment/youtube/high/0001/01", "mix"]
    assert plan.is_cut


def test_a_transition_waits_for_both_its_scenes_and_stands_between_them(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    plan = make_plan(brief_of("One two.", "Three four.", "Five six."))
    by_id = {step.id: step for step in plan.start()}

    def done(name: str) -> list[str]:
        return ids(plan.done(by_id[name], stub_record(by_id[name])))

    for name in ("speech/0001/01", "speech/0003/01", "images/0002/16:9", "images/0003/16:9"):
        assert [step for step in done(name) if step.endswith("/00")] == []
    assert set(done("images/0001/16:9")) == {"segment/youtube/high/0001/01"}
    assert set(done("speech/0002/01")) == {
        "segment/youtube/high/0002/00",
        "segment/youtube/high/0002/01",
        "segment/youtube/high/0003/00",
        "mix",
    }
    assert sorted(plan.exports["youtube"].segments) == [(1, 1), (2, 0), (2, 1), (3, 0), (3, 1)]


def test_a_cut_between_scenes_has_no_segment_of_its_own(make_plan: MakePlan, stub_record: Answer) -> None:
    plan = make_plan(brief_of("One two.", "Three four.", transition="cut"))
    steps = run(plan, stub_record)
    assert [step.id[-7:] for step in steps if step.stage == "segment"] == ["0001/01", "0002/01"]
    assert plan.finished


@pytest.mark.parametrize("backwards", [False, True])
def test_all_segments_together_are_the_programme_in_whatever_order_results_come(
    make_plan: MakePlan, stub_record: Answer, backwards: bool
) -> None:
    plan = make_plan(brief_of("One two three.", "Four.", "Five six."), "youtube", "shorts")
    todo, done = plan.start(), []
    while todo:
        step = todo.pop(-1 if backwards else 0)
        done.append(step)
        todo.extend(plan.done(step, stub_record(step)))
    assert plan.finished
    assert ids(done).count("mix") == 1
    (mix,) = (step.work for step in done if isinstance(step.work, MixSpec))
    muxes = [step.work for step in done if isinstance(step.work, MuxSpec)]
    assert len(muxes) == 2
    for mux in muxes:
        frames = sum(mux.segment_frames)
        assert frames == sum(cut.frames - cut.head for cut in plan.cuts())
        assert mux.samples == mix.samples == frames * 2000
    assert plan.frames == 2 * sum(muxes[0].segment_frames)
    assert plan.frames == sum(step.frames for step in plan.steps.values())


def test_all_frames_are_counted_as_soon_as_the_film_is_cut_though_pictures_are_still_to_come(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    plan = make_plan(brief_of("One two three.", "Four.", "Five six."), "youtube", "shorts")
    todo, seen = deque(plan.start()), []
    while todo:
        # Pictures last: no segment can be planned without one.
        todo = deque(sorted(todo, key=lambda step: step.stage == "images"))
        step = todo.popleft()
        todo.extend(plan.done(step, stub_record(step)))
        if plan.is_cut:
            seen.append(plan.frames)
    assert set(seen) == {2 * sum(cut.frames - cut.head for cut in plan.cuts())}


def test_a_long_scene_is_encoded_in_parts_that_bound_what_a_kill_may_cost(
    make_plan: MakePlan, stub_record: Answer, tiny_settings: Settings
) -> None:
    rendering = tiny_settings.rendering.model_copy(
        update={"checkpoints": tiny_settings.rendering.checkpoints.model_copy(update={"interval_s": 10})}
    )
    plan = make_plan(brief_of("word " * 60), settings=tiny_settings.model_copy(update={"rendering": rendering}))
    segments = [step for step in run(plan, stub_record) if isinstance(step.work, SegmentSpec)]
    assert len(segments) > 3
    assert [step.id.rsplit("/", 1)[1] for step in segments] == [f"{n:02}" for n in range(1, len(segments) + 1)]
    assert max(step.frames for step in segments) <= 10 * step_requests.CAREFUL_FPS
    offsets = [step.work.layers[0].offset for step in segments if isinstance(step.work, SegmentSpec)]
    lengths = [step.frames for step in segments]
    assert offsets == [sum(lengths[:n]) for n in range(len(lengths))]


def test_a_text_is_written_first_and_its_script_makes_the_other_steps(make_plan: MakePlan, stub_record: Answer) -> None:
    plan = make_plan(Brief(title="T", text="Some text to tell."))
    (step,) = plan.start()
    assert step.stage == "script"
    scenes = (ScriptScene(narration="It is told."), ScriptScene(narration="It is over."))
    script = Script(title="Told", scenes=scenes, writer="writer")
    record = stub_record(step).model_copy(update={"facts": script.model_dump(mode="json")})
    run(plan, stub_record, plan.done(step, record))
    assert plan.finished
    assert plan.exports["youtube"].mux
    assert isinstance(plan.exports["youtube"].mux.work, MuxSpec)
    assert plan.exports["youtube"].mux.work.title == "Told"


def test_scenes_in_which_nobody_speaks_still_get_a_sound_track(
    make_plan: MakePlan, stub_record: Answer, tmp_path: Path
) -> None:
    (tmp_path / "a.png").write_bytes(b"a picture")
    scene = SceneBrief(visual=Visual(path=tmp_path / "a.png", kind="picture"), hold_s=1)
    plan = make_plan(Brief(title="T", scenes=(scene, scene)))
    steps = run(plan, stub_record)
    assert ids(steps).count("mix") == 1
    assert plan.finished


def test_the_mix_waits_for_the_music(make_plan: MakePlan, stub_record: Answer, tmp_path: Path) -> None:
    (tmp_path / "tune.ogg").write_bytes(b"a tune")
    plan = make_plan(brief_of("One two.", music=Music(path=tmp_path / "tune.ogg", gain_db=-3)))
    steps = run(plan, stub_record, until="music")
    assert ids(steps)[0] == "music"
    assert "mix" not in ids(steps)
    (mix,) = plan.done(steps[0], stub_record(steps[0]))
    assert isinstance(mix.work, MixSpec)
    assert mix.work.music_gain_db == -3
    assert mix.work.music_digest == stub_record(steps[0]).artifacts["music"].digest


def test_stepping_down_plans_one_export_again_and_keeps_all_that_does_not_depend_on_the_level(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    plan = make_plan(brief_of("One two.", "Three four."), "youtube", "shorts")
    steps = run(plan, stub_record, until="segment")
    old = [step for step in steps if step.id.startswith("segment/youtube")]
    fresh = plan.step_down("youtube", "no memory left")
    assert fresh is not None
    assert sorted(step.id.replace("/medium/", "/high/") for step in fresh) == sorted(ids(old))
    assert not set(ids(old)) & set(plan.steps)
    assert plan.exports["shorts"].level.name == "High"
    assert plan.done(old[0], stub_record(old[0])) == []
    assert plan.exports["youtube"].done == {}
    late = [step for step in steps if step.id.startswith("segment/shorts")]
    again = run(plan, stub_record, [*fresh, *late])
    assert {step.stage for step in again} == {"segment", "mux"}
    assert plan.finished
    assert plan.step_downs["youtube"] == Degradation(
        stage="render", wanted="High", got="Medium", reason="youtube: no memory left"
    )


def test_stepping_down_twice_still_names_what_was_wanted_and_ends_at_the_lowest_level(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    plan = make_plan(brief_of("One two."))
    run(plan, stub_record, until="segment")
    assert plan.step_down("youtube", "a") is not None
    assert plan.step_down("youtube", "b") is not None
    assert (plan.step_downs["youtube"].wanted, plan.step_downs["youtube"].got) == ("High", "Low")
    assert plan.step_down("youtube", "c") is None
    assert plan.exports["youtube"].level.name == "Low"


def test_a_forced_level_that_the_settings_no_longer_have_is_forgotten(make_plan: MakePlan) -> None:
    def forced(level: str) -> dict[str, Degradation]:
        return {"youtube": Degradation(stage="render", wanted="High", got=level, reason="memory")}

    assert make_plan(brief_of("One."), levels=forced("Medium")).exports["youtube"].level.name == "Medium"
    plan = make_plan(brief_of("One."), levels=forced("Cinema"))
    assert plan.exports["youtube"].level.name == "High"
    assert plan.step_downs == {}


def test_options_of_another_version_are_refused_with_a_remedy() -> None:
    with pytest.raises(UsageError, match="kept options cannot be read") as caught:
        kept_options({"exports": ["youtube"], "output": "/videos", "stem": "x", "frills": True})
    assert caught.value.hint == "render the brief anew"


# Keys


def keys(plan: Plan, answer: Answer) -> dict[str, str]:
    return {step.id: step.key for step in run(plan, answer)}


@pytest.mark.parametrize(
    ("changed", "stages"),
    [
        ({"title": "Another"}, {"images", "segment", "mux"}),
        ({"seed": 4}, {"speech", "images", "segment", "mix", "mux"}),
        ({"voice": "other"}, {"speech", "mix", "mux"}),
        ({"captions": "none"}, {"images", "segment", "mux"}),
        ({"captions": "words"}, {"segment", "mux"}),
        ({"transition": "cut"}, {"segment", "mix", "mux"}),
        ({"transition": "slide"}, {"segment", "mux"}),
        ({"author": "Somebody"}, {"mux"}),
        ({"description": "Of numbers."}, {"mux"}),
        ({"language": "fr"}, {"speech", "images", "segment", "mix", "mux"}),
        ({"name": "renamed", "base": Path("/elsewhere")}, set()),
    ],
)
def test_what_a_brief_says_is_in_the_keys_of_the_stages_that_it_changes(
    make_plan: MakePlan, stub_record: Answer, changed: dict[str, Any], stages: set[str]
) -> None:
    before = keys(make_plan(brief_of("One two.", "Three.")), stub_record)
    after = keys(make_plan(brief_of("One two.", "Three.", **changed)), stub_record)
    assert {name.split("/")[0] for name in before if before[name] != after.get(name)} == stages


@pytest.mark.parametrize(
    ("path", "value", "stages"),
    [
        ("rendering.fps", 25, {"segment", "mix", "mux"}),
        ("rendering.crf", 30, {"segment", "mux"}),
        ("rendering.preset", "fast", {"segment", "mux"}),
        ("rendering.threads", 2, {"segment", "mux"}),
        ("rendering.jobs", 1, set()),
        ("rendering.stall_timeout_s", 5, set()),
        ("rendering.sound.target_lufs", -16, {"mix", "mux"}),
        ("rendering.sound.duck_db", -9, {"mix", "mux"}),
        ("rendering.sound.bitrate_bps", 96_000, {"mix", "mux"}),
        ("rendering.pacing.tail_s", 0.4, {"segment", "mix", "mux"}),
        ("resilience.retry.max_retry_attempts", 9, set()),
        ("timeouts.request_ms", 9, set()),
    ],
)
def test_a_setting_is_in_the_keys_of_exactly_the_stages_whose_results_it_changes(
    make_plan: MakePlan, stub_record: Answer, tiny_settings: Settings, path: str, value: Any, stages: set[str]
) -> None:
    data = tiny_settings.model_dump()
    *above, last = path.split(".")
    section = data
    for name in above:
        section = section[name]
    section[last] = value
    before = keys(make_plan(brief_of("One two.", "Three.")), stub_record)
    after = keys(make_plan(brief_of("One two.", "Three."), settings=Settings.model_validate(data)), stub_record)
    assert {name.split("/")[0] for name in before if before[name] != after.get(name)} == stages


@pytest.mark.parametrize(
    ("attribute", "value", "stages"),
    [
        ("speaker_identities", [{"name": "other"}], {"speech", "mix", "mux"}),
        ("painter_identities", [{"name": "other"}], {"images", "segment", "mux"}),
        ("encoder_identity", {"encoder": "next"}, {"segment", "mix", "mux"}),
        ("font_identity", "others", {"segment", "mux"}),
        ("writer_identities", [{"name": "other"}], set()),
    ],
)
def test_who_does_a_stages_work_is_in_its_keys(
    make_plan: MakePlan, stub_record: Answer, stub_toolbox: Any, attribute: str, value: Any, stages: set[str]
) -> None:
    before = keys(make_plan(brief_of("One two.", "Three.")), stub_record)
    setattr(stub_toolbox, attribute, value)
    after = keys(make_plan(brief_of("One two.", "Three."), toolbox=stub_toolbox), stub_record)
    assert {name.split("/")[0] for name in before if before[name] != after[name]} == stages


def test_a_file_counts_by_its_bytes_and_not_by_its_place(tmp_path: Path) -> None:
    for name, data in {"a.png": b"same", "b.png": b"same", "c.png": b"more"}.items():
        (tmp_path / name).write_bytes(data)
    a, b, c = (step_keys.visual(Visual(path=tmp_path / f"{name}.png", kind="picture")) for name in "abc")
    assert a == b != c
    assert str(tmp_path) not in str(a)
    (tmp_path / "a.png").write_bytes(b"altered")
    assert step_keys.visual(Visual(path=tmp_path / "a.png", kind="picture")) != a


def test_a_clips_frames_depend_on_who_decodes_them(
    make_plan: MakePlan, stub_record: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = next(step.work for step in run(make_plan(brief_of("One.")), stub_record) if step.stage == "segment")
    assert isinstance(spec, SegmentSpec)
    (layer,) = spec.layers
    clip = layer.model_copy(update={"picture": layer.picture.model_copy(update={"kind": "clip"})})
    of_clip = spec.model_copy(update={"layers": (clip,)})
    toolbox: Any = make_plan(brief_of("One.")).toolbox
    still_key, clip_key = (step_key("segment", step_keys.segment(one, toolbox)) for one in (spec, of_clip))
    monkeypatch.setattr(step_keys, "_version", _other_version("av", step_keys._version))
    assert step_key("segment", step_keys.segment(of_clip, toolbox)) != clip_key
    assert "av" not in step_keys.segment(spec, toolbox)["libraries"]
    assert still_key != clip_key


def _other_version(name: str, known: Callable[[str], str]) -> Callable[[str], str]:
    return lambda asked: "another" if asked == name else known(asked)


def test_three_thousand_scenes_are_planned_in_time_that_grows_with_their_number_only(
    make_plan: MakePlan, stub_record: Answer
) -> None:
    """Once each finished segment looked at all others, and each step at the whole plan."""

    def seconds(scenes: int) -> float:
        plan = make_plan(brief_of(*[f"Words of scene {n}." for n in range(scenes)], transition="cut"))
        steps = run(plan, stub_record, until="segment")
        segments = [step for step in steps if step.stage == "segment"]
        records = [stub_record(step) for step in segments]
        started = time.process_time()
        for step, record in zip(segments, records, strict=True):
            plan.done(step, record)
            assert plan.is_cut
            assert plan.frames
        elapsed = time.process_time() - started
        assert plan.exports["youtube"].mux
        return elapsed

    # 0.2 s where it was measured; the quadratic way took 2.7 s for a thousand, and nine times that for three thousand.
    assert seconds(3000) < 3


def operations(work: Callable[[], object]) -> int:
    """Byte codes that Python executes for `work`."""
    found, before = 0, sys.gettrace()

    def count(frame: FrameType, event: str, arg: object) -> Any:
        nonlocal found
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        found += event == "opcode"
        return count

    sys.settrace(count)
    try:
        work()
    finally:
        sys.settrace(before)
    return found


def test_each_further_scene_costs_the_same_work_to_plan(make_plan: MakePlan, stub_record: Answer) -> None:
    def plan_all(scenes: int) -> None:
        # Names of equal length: a number's digits are no work of the plan's.
        plan = make_plan(brief_of(*[f"Words of scene {n:04}." for n in range(scenes)]), "youtube", "shorts")
        run(plan, stub_record)
        assert plan.finished

    plan_all(160)
    few, more, most = (operations(lambda scenes=scenes: plan_all(scenes)) for scenes in (40, 80, 160))  # type: ignore[misc]
    assert most - more == pytest.approx(2 * (more - few), rel=0.005)


@pytest.mark.parametrize(("captions", "language", "has_cues", "has_words"), [
    ("burned", "en", True, False), ("words", "en", True, True), ("words", "ar", True, False), ("none", "en", False, False),
])  # fmt: skip
def test_a_segment_is_told_of_captions_only_what_it_shows(
    make_plan: MakePlan, stub_record: Answer, captions: str, language: str, has_cues: bool, has_words: bool
) -> None:
    plan = make_plan(brief_of("One two three.", captions=captions, language=language))
    steps = run(plan, stub_record)
    segment = next(step.work for step in steps if isinstance(step.work, SegmentSpec))
    assert (bool(segment.cues), any(cue.words for cue in segment.cues)) == (has_cues, has_words)
    video = next(step.work for step in steps if isinstance(step.work, MuxSpec))
    assert [line for cue in video.cues for line in cue.lines] == ["One two three."]


def test_captions_of_a_scene_are_set_once_for_all_that_show_them_alike(
    make_plan: MakePlan, stub_record: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, int]] = []
    build = cues.build_cues

    def counted(cut: SceneCut, *, max_chars: int, language: str, timed_words: bool) -> tuple[Cue, ...]:
        asked.append((cut.index, max_chars))
        return build(cut, max_chars=max_chars, language=language, timed_words=timed_words)

    monkeypatch.setattr(plan_state, "build_cues", counted)
    plan = make_plan(brief_of("One.", "Two."), "youtube", "shorts")
    run(plan, stub_record)
    fresh = plan.step_down("youtube", "no room")
    assert fresh
    run(plan, stub_record, fresh)
    assert sorted(asked) == [(1, 22), (1, 42), (2, 22), (2, 42)]


@pytest.mark.parametrize(
    ("captions", "speech", "safe"), [("burned", (), True), ("none", (), False), ("none", ("text",), True)]
)
def test_cards_leave_room_for_what_will_be_shown_of_the_words(
    captions: str, speech: tuple[str, ...], safe: bool
) -> None:
    brief = brief_of("One.", captions=captions, providers=ProviderChoice(speech=speech))
    assert step_requests.picture_request(brief, from_scenes(brief), 1, (640, 360)).caption_safe is safe
