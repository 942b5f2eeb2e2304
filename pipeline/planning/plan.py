"""From a brief to steps. The plan grows as results come in: a script gives lines and pictures, their lengths give frame ranges,
all frame ranges of an export give its finished file.

It touches no file and starts nothing; it is told each step's record and answers with the steps that became possible.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from checkpoints.keys import step_key
from checkpoints.records import Record
from config.codecs import SOFTWARE
from config.settings import QualityLevel, Settings
from pipeline.job.options import JobOptions, forced_encoders, forced_levels, frame_size, next_lower, start_level
from pipeline.planning import step_keys, step_requests
from pipeline.planning.plan_state import ExportState, SceneState
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from stages.models import Brief, Degradation, Narration, Picture, Script
from stages.process_memory import uncollected
from stages.render.sources.focus import NAMED_REACH
from stages.render.specs import RenderPacing, SceneCut, SegmentSpec
from stages.render.timing import cut_scene
from stages.script.script_stage import from_scenes, pictures_of, with_pictures


class Plan:
    """The growing set of a job's steps."""

    def __init__(self, brief: Brief, options: JobOptions, settings: Settings, toolbox: Toolbox) -> None:
        self.brief = brief
        self.options = options
        self.settings = settings
        self.toolbox = toolbox
        self.script: Script | None = None
        self.scenes: list[SceneState] = []
        self.encoder_changes = forced_encoders(options, toolbox.encoder_choice)
        self.exports = {name: self._fresh(name, start_level(settings, options, name)) for name in options.exports}
        self.steps: dict[str, Step] = {}
        self.step_downs: dict[str, Degradation] = forced_levels(settings, options)
        self._pacing = step_requests.pacing(settings)
        self._mix: Step | None = None
        self._mix_record: Record | None = None
        self.music_digest = ""
        # Counted as they change: a plan of thousands of scenes is asked after each of its steps.
        self._uncut = 0
        # Scenes of which it is not known yet whether there is a clip in them that may be heard.
        self._unseen: set[int] = set()
        self._length = 0

    # What the runner asks

    @uncollected()
    def start(self) -> list[Step]:
        """The first steps: the script, or, where the brief has scenes, all lines and pictures."""
        steps: list[Step] = []
        if music := self.brief.music:
            steps.append(Step("music", "music", 0, step_key("music", step_keys.music(music)), music))
        if self.brief.scenes:
            return self._add(steps) + self._take_script(from_scenes(self.brief))
        key = step_key("script", step_keys.script(self.brief, self.toolbox))
        return self._add([*steps, Step("script", "script", 0, key, self.brief)])

    def done(self, step: Step, record: Record) -> list[Step]:
        """Take a step's record; the steps that it made possible. A superseded level's records change nothing."""
        if self.steps.get(step.id) != step:
            return []
        if step.stage == "script":
            return self._take_script(Script.model_validate(record.facts))
        if step.stage == "speech":
            return self._take_line(step, record)
        if step.stage == "images":
            return self._take_picture(step, record)
        if step.stage == "music":
            self.music_digest = record.artifacts["music"].digest
            return self._add(self._mixes())
        if step.stage == "mix":
            self._mix_record = record
            return self._add(self._muxes())
        export = self.exports[step.export]
        if step.stage == "mux":
            export.final = record
            return []
        export.done[step.id] = record
        return self._add(self._mux(export))

    def step_down(self, export_name: str, reason: str) -> list[Step] | None:
        """Plan an export again one level lower; None when there is none. Script, speech, pictures and sound are kept."""
        export = self.exports[export_name]
        lower = next_lower(self.settings.quality, export.level.name)
        if lower is None:
            return None
        wanted = self.step_downs[export_name].wanted if export_name in self.step_downs else export.level.name
        self.step_downs[export_name] = Degradation(
            stage="render", wanted=wanted, got=lower.name, reason=f"{export_name}: {reason}"
        )
        return self._anew(export_name, lower)

    def to_software(self, export_name: str, reason: str) -> list[Step] | None:
        """Plan an export again with the software encoder; None when it has that already. All but its segments is kept."""
        export, software = self.exports[export_name], SOFTWARE[self.settings.rendering.codec]
        if export.encoder == software:
            return None
        self.encoder_changes[export_name] = Degradation(
            stage="render", wanted=export.encoder, got=software, reason=f"{export_name}: {reason}"
        )
        return self._anew(export_name, export.level)

    def undo(self, join: Step, digests: Collection[str]) -> list[Step]:
        """The segments that stand in a join under these digests, as steps that are to be done again; then it is, too."""
        export = self.exports[join.export]
        again = [
            step
            for step in export.segments.values()
            if step.id in export.done and export.done[step.id].artifacts["segment"].digest in digests
        ]
        if again:
            for step in again:
                del export.done[step.id]
            self.steps.pop(join.id, None)
            export.mux = None
        return again

    def _anew(self, export_name: str, level: QualityLevel) -> list[Step]:
        for step_id in [step.id for step in self.steps.values() if step.export == export_name]:
            del self.steps[step_id]
        self.exports[export_name] = fresh = self._fresh(export_name, level)
        return self._add(self._segments(fresh))

    def _fresh(self, name: str, level: QualityLevel) -> ExportState:
        change = self.encoder_changes.get(name)
        encoder = change.got if change else self.toolbox.encoder_choice.name
        aspect = self.settings.exports[name].aspect
        return ExportState(name, aspect, level, encoder, step_requests.encoding(self.settings, level, aspect, encoder))

    @property
    def finished(self) -> bool:
        """Whether every export has its finished file."""
        return all(export.final for export in self.exports.values())

    @property
    def is_cut(self) -> bool:
        """Whether every scene's length is known, and so all frames that are to be encoded."""
        return bool(self.scenes) and not self._uncut

    @property
    def frames(self) -> int:
        """Frames of all exports: all that are to come once the film is cut, before that those of the segments planned so far."""
        if self.is_cut:
            return len(self.exports) * self._length
        return sum(export.frames for export in self.exports.values())

    def cuts(self) -> list[SceneCut]:
        """All scenes in frames; only when `is_cut`."""
        return [scene.cut for scene in self.scenes if scene.cut]

    # Growing

    def _add(self, steps: list[Step]) -> list[Step]:
        for step in steps:
            self.steps[step.id] = step
        return steps

    def _take_script(self, script: Script) -> list[Step]:
        self.script = script = with_pictures(script, pictures_of(self.brief))
        self.scenes = [SceneState() for _ in script.scenes]
        self._uncut = len(self.scenes)
        visuals = enumerate((scene.visual for scene in script.scenes), 1)
        self._unseen = {number for number, visual in visuals if visual and visual.sound != "mute"}
        steps: list[Step] = []
        for number, (scene, state) in enumerate(zip(script.scenes, self.scenes, strict=True), 1):
            lines = step_requests.lines(self.brief, script, scene)
            state.lines = len(lines)
            for position, request in enumerate(lines, 1):
                key = step_key("speech", step_keys.line(request, self.toolbox))
                steps.append(Step(f"speech/{number:04}/{position:02}", "speech", number, key, request))
            steps += self._picture_steps(number)
        # Scenes nobody speaks in wait for no line; their pictures are new steps, so only cuts can appear here.
        for number, state in enumerate(self.scenes, 1):
            if not state.lines and not self._lasts_as_its_clip(number):
                self._cut(number)
        return self._add(steps + self._mixes())

    def _picture_steps(self, number: int) -> Iterator[Step]:
        assert self.script
        scene = self.script.scenes[number - 1]
        if scene.visual:
            key = step_key("images", step_keys.visual(scene.visual))
            yield Step(f"images/{number:04}", "images", number, key, scene.visual)
            return
        for aspect in dict.fromkeys(export.aspect for export in self.exports.values()):
            # Drawn once at the best level's size: a lower level reuses it.
            size = frame_size(self.settings.quality.ladder()[0], aspect)
            request = step_requests.picture_request(self.brief, self.script, number, size)
            key = step_key("images", step_keys.picture(request, self.toolbox))
            yield Step(f"images/{number:04}/{aspect}", "images", number, key, request)

    def _take_line(self, step: Step, record: Record) -> list[Step]:
        state = self.scenes[step.scene - 1]
        position = int(step.id.rsplit("/", 1)[1])
        state.narrations[position] = (
            record.artifacts["line"].digest,
            Narration.model_validate(record.facts),
        )
        if len(state.narrations) < state.lines:
            return []
        self._cut(step.scene)
        return self._add(self._around(step.scene) + self._mixes())

    def _take_picture(self, step: Step, record: Record) -> list[Step]:
        assert self.script
        picture = Picture.model_validate(record.facts | {"digest": record.artifacts["picture"].digest})
        visual = self.script.scenes[step.scene - 1].visual
        if visual and visual.focus:
            picture = picture.model_copy(update={"focus": visual.focus, "reach": NAMED_REACH})
        named = step.id.split("/")[2:]
        aspects = named or [export.aspect for export in self.exports.values()]
        self.scenes[step.scene - 1].pictures.update(dict.fromkeys(aspects, picture))
        self._unseen.discard(step.scene)
        if self._lasts_as_its_clip(step.scene) and not self.scenes[step.scene - 1].cut:
            self._cut(step.scene)
        return self._add(self._around(step.scene) + self._mixes())

    def _cut(self, number: int) -> None:
        assert self.script
        scenes, state = self.script.scenes, self.scenes[number - 1]
        last = len(scenes)
        state.cut = cut = cut_scene(
            number,
            scenes[number - 1],
            [state.narrations[position] for position in sorted(state.narrations)],
            self.settings.rendering.fps,
            self._pacing_of(number),
            first=number == 1,
            last=number == last,
            transition_in="cut" if number == 1 else scenes[number - 1].transition or self.brief.transition,
            transition_out="cut" if number == last else scenes[number].transition or self.brief.transition,
        )
        self._uncut -= 1
        self._length += cut.frames - cut.head

    def _lasts_as_its_clip(self, number: int) -> bool:
        """Whether nobody speaks in a scene, and nothing but its clip says how long it lasts."""
        assert self.script
        scene = self.script.scenes[number - 1]
        is_clip = bool(scene.visual and scene.visual.kind == "clip")
        return is_clip and not scene.narration.strip() and not scene.hold_s

    def _pacing_of(self, number: int) -> RenderPacing:
        picture = next(iter(self.scenes[number - 1].pictures.values()), None)
        if picture and picture.length_s and self._lasts_as_its_clip(number):
            return self._pacing.model_copy(update={"empty_scene_s": picture.length_s})
        return self._pacing

    def _around(self, number: int) -> list[Step]:
        """Segments that a scene's news may have made possible: its own, and the transitions at its two ends."""
        return [step for export in self.exports.values() for step in self._segments(export, number)]

    def _segments(self, export: ExportState, around: int | None = None) -> list[Step]:
        numbers = range(1, len(self.scenes) + 1) if around is None else [around]
        steps: list[Step] = []
        for number in numbers:
            steps += self._body(export, number)
            for earlier in {number - 1, number}:
                steps += self._transition(export, earlier)
        return steps

    def _ready(self, export: ExportState, number: int) -> tuple[SceneCut, Picture] | None:
        if not 1 <= number <= len(self.scenes):
            return None
        state = self.scenes[number - 1]
        picture = state.pictures.get(export.aspect)
        return (state.cut, picture) if state.cut and picture else None

    def _body(self, export: ExportState, number: int) -> Iterator[Step]:
        if not (ready := self._ready(export, number)) or (number, 1) in export.segments:
            return
        cut, picture = ready
        specs = step_requests.body_specs(self, export, cut, picture)
        for part, spec in enumerate(specs, 1):
            yield self._segment(export, number, part, spec)

    def _transition(self, export: ExportState, earlier: int) -> Iterator[Step]:
        """The shared frames of a scene and the next one; they stand between the two as part 0 of the later."""
        first, second = self._ready(export, earlier), self._ready(export, earlier + 1)
        if not first or not second or not second[0].head or (earlier + 1, 0) in export.segments:
            return
        yield self._segment(export, earlier + 1, 0, step_requests.transition_spec(self, export, first, second))

    def _segment(self, export: ExportState, number: int, part: int, spec: SegmentSpec) -> Step:
        key = step_key("segment", step_keys.segment(spec, self.toolbox))
        step_id = f"segment/{export.path}/{number:04}/{part:02}"
        step = Step(step_id, "segment", number, key, spec, export=export.name, frames=spec.frames)
        export.segments[number, part] = step
        export.frames += spec.frames
        return step

    def _mixes(self) -> list[Step]:
        if self._mix or not self.is_cut or (self.brief.music and not self.music_digest) or self._unseen:
            return []
        spec = step_requests.mix_spec(self, self.music_digest)
        self._mix = Step("mix", "mix", 0, step_key("mix", step_keys.mix(spec, self.toolbox)), spec)
        return [self._mix]

    def _muxes(self) -> list[Step]:
        return [step for export in self.exports.values() for step in self._mux(export)]

    def _mux(self, export: ExportState) -> list[Step]:
        if export.mux or not self._mix_record or not self.is_cut:
            return []
        if export.frames != self._length or len(export.done) < len(export.segments):
            return []
        planned = [export.segments[position] for position in sorted(export.segments)]
        records = [export.done[step.id] for step in planned]
        spec = step_requests.mux_spec(self, export, planned, records, self._mix_record)
        key = step_key("mux", step_keys.mux(spec, self.toolbox))
        export.mux = Step(f"mux/{export.path}", "mux", 0, key, spec, export=export.name)
        return [export.mux]
