"""The command line: what goes where, which exit code, and that nothing ends in a traceback."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest

import pipeline.api
from config.errors import BriefError, BusyError, FramekeepError, UsageError
from config.exit_codes import MEANINGS, ExitCode
from pipeline.batch import BatchItem, BatchResult, run_batch
from pipeline.cli.app import main
from pipeline.events import Event, EventKind, Listener
from pipeline.home import Home
from pipeline.report import EXIT_CODES, ErrorReport, Output, Result, StepCount
from stages.base import CancelToken
from stages.models import Degradation

Run = Callable[..., tuple[int, str, str]]


JOB = "tides-0a1b2c3d"


class FakePipeline:
    """Stands in for `pipeline.api.Pipeline`; `script` decides what `render` and `resume` do."""

    script: Callable[[FakePipeline, Any], Result] = staticmethod(lambda self, what: done())
    made: FakePipeline
    asked: list[tuple[str, dict[str, Any]]]

    def __init__(self, settings: Any = None, *, home: Any = None, on_event: Listener | None = None) -> None:
        self.settings = settings
        self.home = Home(Path(home) if home else None)
        self.cancelled = CancelToken()
        self._listener = on_event
        self.asked = []
        type(self).made = self

    def __enter__(self) -> FakePipeline:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.home.close()

    def tell(self, kind: EventKind, **data: Any) -> None:
        assert self._listener
        self._listener(Event(kind, JOB, data))

    def cancel(self, reason: str = "") -> None:
        self.cancelled.cancel(reason)

    def render(self, brief: Any, **options: Any) -> Result:
        self.asked.append((str(brief), options))
        return self.script(self, brief)

    def resume(self, job: str | None = None) -> Result:
        self.asked.append(("resume", {"job": job}))
        return self.script(self, job)

    def resume_all(self) -> list[Result]:
        return [self.script(self, None)]

    def batch(
        self, briefs: Iterable[Path], *, on_item: Callable[[BatchItem], None] = lambda item: None, **options: Any
    ) -> BatchResult:
        def render(brief: Any, stem: str) -> Result:
            return self.render(brief, **options)

        return run_batch(list(briefs), render, lambda: self.cancelled.cancelled, on_item)


def done(path: Path = Path("/videos/tides-youtube.mp4"), **changes: Any) -> Result:
    """A finished run with one video."""
    output = Output(
        export="youtube",
        path=path,
        width=1920,
        height=1080,
        fps=30,
        frames=900,
        duration_s=30.0,
        quality="High",
        sha256="ab" * 32,
        sidecars={"srt": path.with_suffix(".srt")},
    )
    values: dict[str, Any] = {
        "job_id": JOB,
        "status": "done",
        "outputs": (output,),
        "steps": StepCount(executed=9, reused=2),
        "elapsed_s": 12.0,
    }
    return Result(**(values | changes))


def degraded() -> Result:
    """A finished run with one fallback."""
    item = Degradation(stage="speech", scene=3, wanted="hibari", got="pico", reason="hibari: [bold]timed out[/bold]")
    return done(status="degraded", degradations=(item,))


def stopped(status: str, code: str = "DISK_FULL", message: str = "No space left", hint: str = "") -> Result:
    """A run that did not finish."""
    error = ErrorReport(code=code, message=message, hint=hint or f"framekeep resume {JOB}")
    return Result.model_validate({"job_id": JOB, "status": status, "error": error.model_dump()})


def play(pipeline: FakePipeline) -> None:
    """The events of a short run: a plan, a spoken line, two encodes, a fallback."""
    step: dict[str, Any] = {"export": "", "scene": 1, "frames": 0}
    pipeline.tell("job_started", title="The [red]tides[/red]\x1b[2J", exports=["youtube"], output="/videos")
    pipeline.tell("planned", steps=4, scenes=2, frames=0, complete=False)
    pipeline.tell("step_started", step="speech-1", stage="speech", quality="", **step)
    pipeline.tell("attempt_started", step="speech-1", scene=1, operation="speak", provider="hibari", number=1, of=4)
    pipeline.tell("step_executed", step="speech-1", stage="speech", provider="hibari", **step)
    pipeline.tell("planned", steps=4, scenes=2, frames=200, complete=True)
    segment = {"step": "segment-1", "stage": "segment", "scene": 1, "export": "youtube", "frames": 100}
    pipeline.tell("step_started", quality="High", **segment)
    pipeline.tell("attempt_started", step="segment-1", scene=1, operation="encode", provider="libx264", number=1, of=4)
    for frame in range(1, 101):
        pipeline.tell("step_progress", step="segment-1", done=frame, total=100, unit="frames")
    pipeline.tell("step_executed", provider="libx264", **segment)
    pipeline.tell("degraded", stage="render", scene=0, wanted="High", got="Low", reason="memory ran out")
    pipeline.tell("repaired", step="speech-2", stage="speech", scene=2, artifact="line")
    pipeline.tell("warning", step="speech-2", scene=2, message="an emoji was not read out")
    pipeline.tell("warning", step="speech-2", scene=2, message="an emoji was not read out")


@pytest.fixture(autouse=True)
def quiet_world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder, a home of its own, and no settings from outside."""
    for name in list(os.environ):
        if name.startswith("FRAMEKEEP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("FRAMEKEEP_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command line: exit code, stdout, stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        captured = capsys.readouterr()
        assert "Traceback" not in captured.out + captured.err
        return code, captured.out, captured.err

    return call


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Let a fake pipeline do `work(pipeline, brief)` for each render."""
    monkeypatch.setattr(pipeline.api, "Pipeline", FakePipeline)

    def use(work: Any) -> None:
        monkeypatch.setattr(FakePipeline, "script", staticmethod(work))

    return use


def test_the_paths_of_videos_go_to_stdout_and_all_else_to_stderr(run: Run, script: Any) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        play(pipeline)
        return done()

    script(work)
    code, out, err = run("render", "tides.md")
    assert (code, out) == (0, "/videos/tides-youtube.mp4\n")
    assert "youtube: High, 1920×1080, 30 fps, 0:30" in err
    assert "beside it: tides-youtube.srt" in err
    assert "9 steps executed, 2 reused" in err


def test_plain_progress_says_each_change_once_and_not_each_frame(run: Run, script: Any) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        play(pipeline)
        return done()

    script(work)
    _, _, err = run("render", "tides.md")
    lines = err.splitlines()
    assert sum("speaking scene 1 of 2 (hibari)" in line for line in lines) == 1
    assert sum("encoding youtube · 0 of 200 frames" in line for line in lines) == 1
    assert sum("an emoji was not read out" in line for line in lines) == 1
    assert any("degraded: render: High → Low: memory ran out" in line for line in lines)
    assert any("repaired: speech, scene 2" in line for line in lines)
    assert len(lines) < 15


def test_titles_and_messages_are_neither_markup_nor_terminal_commands(run: Run, script: Any) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        play(pipeline)
        return degraded()

    script(work)
    _, _, err = run("render", "tides.md")
    assert "The [red]tides[/red][2J" in err
    assert "[bold]timed out[/bold]" in err
    assert "\x1b" not in err


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (done(), 0),
        (stopped("failed", "CHECK_FAILED"), 1),
        (degraded(), 3),
        (stopped("parked"), 75),
        (stopped("interrupted", "INTERRUPTED"), 130),
    ],
    ids=lambda value: value.status if isinstance(value, Result) else "",
)
def test_the_exit_code_tells_how_a_run_ended(run: Run, script: Any, result: Result, code: int) -> None:
    script(lambda pipeline, brief: result)
    assert run("render", "tides.md")[0] == code
    assert run("resume", JOB)[0] == code
    exit_code, out, _ = run("render", "tides.md", "--json")
    assert exit_code == code
    assert json.loads(out) == result.as_json()


def test_every_exit_code_of_a_result_has_a_name_and_a_meaning() -> None:
    assert {ExitCode(code) for code in EXIT_CODES.values()} <= set(MEANINGS)
    assert set(MEANINGS) == set(ExitCode)


def test_an_unfinished_run_says_what_to_type_next(run: Run, script: Any) -> None:
    script(lambda pipeline, brief: stopped("parked"))
    _, out, err = run("render", "tides.md")
    assert out == ""
    assert "✗ No space left\n→ framekeep resume tides-0a1b2c3d\n" in err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (BriefError("bad brief", problems=["a.md:1: x"], hint="mend it"), 2),
        (UsageError("no such export", hint="known: youtube"), 2),
        (BusyError("owned by process 7", hint="wait"), 75),
    ],
)
def test_an_error_that_left_no_job_is_a_message_and_a_document(
    run: Run, script: Any, error: FramekeepError, code: int
) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        raise error

    script(work)
    exit_code, out, err = run("render", "tides.md", "--json")
    assert exit_code == code
    document = json.loads(out)
    assert (document["error"]["code"], document["error"]["hint"]) == (error.code, error.hint)
    assert document["outputs"] == []
    assert document["error"].get("problems") == (["a.md:1: x"] if code == 2 and error.code == "BAD_BRIEF" else None)
    assert f"✗ {error.message}\n→ {error.hint}\n" in err


def test_every_problem_of_a_brief_is_shown(run: Run) -> None:
    Path("bad.md").write_text("---\ntitle: X\nvoyce: a\ncaptions: maybe\n---\n## One\nHello.\n")
    code, _, err = run("render", "bad.md")
    assert code == 2
    assert err.startswith("✗ 2 problems:\n  bad.md:3: ")
    assert "\n  bad.md:4: " in err


def test_a_fault_of_ours_ends_in_a_log_without_secrets(
    run: Run, script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")

    def work(pipeline: FakePipeline, brief: Any) -> Result:
        raise RuntimeError("the server said sk-very-secret and hunter-2-secret")

    script(work)
    code, out, err = run(
        "render",
        "tides.md",
        "--json",
        "--home",
        str(tmp_path / "other"),
        "--set",
        "Providers.OpenAI.ApiKey=hunter-2-secret",
    )
    assert code == 1
    assert json.loads(out)["error"]["code"] == "INTERNAL"
    usual, log = sorted((tmp_path / "other" / "logs").iterdir(), key=lambda path: path.name != "framekeep.log")
    assert usual.name == "framekeep.log"
    assert str(log) in err
    said = log.read_text()
    assert "RuntimeError" in said
    assert "Traceback" in said
    for text in (out, err, said, usual.read_text()):
        assert "sk-very-secret" not in text
        assert "hunter-2-secret" not in text


def test_a_display_that_fails_does_not_fail_the_render(
    run: Run, script: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        pipeline.tell("planned", nonsense=1)
        play(pipeline)
        return done()

    script(work)
    code, out, err = run("render", "tides.md")
    assert (code, out) == (0, "/videos/tides-youtube.mp4\n")
    assert "the progress display failed" in err


def test_options_are_taken_before_and_after_the_command(run: Run, script: Any, tmp_path: Path) -> None:
    script(lambda pipeline, brief: done())
    for arguments in (["--home", "h", "--json", "render", "a.md"], ["render", "a.md", "--json", "--home", "h"]):
        code, out, _ = run(*arguments)
        assert code == 0
        assert json.loads(out)["job_id"] == JOB
        assert FakePipeline.made.home.root == tmp_path / "work" / "h"


def test_what_was_asked_for_reaches_the_pipeline(run: Run, script: Any, tmp_path: Path) -> None:
    script(lambda pipeline, brief: done())
    Path("framekeep.toml").write_text("[Rendering]\nCrf = 25\nFps = 25\n")
    code, _, err = run(
        *("render", "a.md", "-e", "youtube", "-e", "shorts", "--out", "v", "--quality", "low", "--restore-quality"),
        *("--jobs", "3", "--set", "Rendering.Crf=18", "--profile", "development"),
    )
    assert (code, err.count("✗")) == (0, 0)
    asked = {"exports": ["youtube", "shorts"], "output": Path("v"), "quality": "low", "restore_quality": True}
    assert FakePipeline.made.asked == [("a.md", asked)]
    rendering = FakePipeline.made.settings.rendering
    assert (rendering.jobs, rendering.crf, rendering.fps) == (3, 18, 25)
    assert FakePipeline.made.settings.resilience.retry.max_retry_attempts == 1


def test_a_batch_goes_on_after_a_failure_and_ends_with_a_table(run: Run, script: Any) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        if Path(brief).name == "b.md":
            raise BriefError("b.md: the brief is empty", hint="write a text")
        return done(Path(f"/videos/{Path(brief).stem}-youtube.mp4"))

    for name in ("a.md", "b.md", "c.md"):
        Path(name).write_text("x")
    script(work)
    code, out, err = run("batch", "a.md", "b.md", "c.md")
    assert code == 4
    assert out.splitlines() == ["/videos/a-youtube.mp4", "/videos/c-youtube.mp4"]
    assert "3 briefs: 2 done, 1 failed" in err
    assert "failed      b.md  b.md: the brief is empty" in err
    code, out, _ = run("batch", "a.md", "b.md", "c.md", "--json")
    document = json.loads(out)
    assert (code, document["counts"]) == (4, {"done": 2, "failed": 1})
    assert [job["brief"] for job in document["jobs"]] == ["a.md", "b.md", "c.md"]


def test_resuming_everything_reports_each_job(run: Run, script: Any) -> None:
    script(lambda pipeline, brief: stopped("parked"))
    code, out, _ = run("resume", "--all", "--json")
    assert code == 75
    assert json.loads(out)["counts"] == {"parked": 1}


def test_quiet_says_only_paths_and_what_went_wrong(run: Run, script: Any) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        play(pipeline)
        return done()

    script(work)
    _, out, err = run("render", "tides.md", "--quiet")
    assert out == "/videos/tides-youtube.mp4\n"
    assert "speech · scene" not in err
    assert "degraded: render: High → Low" in err


def test_the_fake_pipeline_takes_what_the_real_one_takes() -> None:
    import inspect

    from pipeline.api import Pipeline

    for name in ("__init__", "resume", "resume_all", "cancel"):
        real, fake = (inspect.signature(getattr(kind, name)) for kind in (Pipeline, FakePipeline))
        assert list(real.parameters) == [p.replace("job", "job_id") if p == "job" else p for p in fake.parameters]


@pytest.mark.parametrize(
    ("ahead_s", "hint"),
    [((90, 300), "then: framekeep resume --all"), ((-5, 300), "→ framekeep resume --all"), ((), "")],
)
def test_a_batch_that_waits_says_from_when_on_resuming_makes_sense(
    run: Run, script: Any, ahead_s: tuple[float, ...], hint: str
) -> None:
    def work(pipeline: FakePipeline, brief: Any) -> Result:
        number = "ab".index(Path(brief).stem)
        if number >= len(ahead_s):
            return done()
        at = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=ahead_s[number])
        parked = stopped("parked", "CIRCUIT_OPEN")
        assert parked.error
        told = parked.error.model_copy(update={"resume_after": at.isoformat()})
        return parked.model_copy(update={"error": told})

    for name in ("a.md", "b.md"):
        Path(name).write_text("x")
    script(work)
    code, _, err = run("batch", "a.md", "b.md")
    last = err.splitlines()[-1]
    assert code == (75 if ahead_s else 0)
    assert (hint or "2 done") in last
    assert ("wait until" in last) == (ahead_s[:1] == (90,))
