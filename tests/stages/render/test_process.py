"""Running ffmpeg: what it answers, how it is stopped, and which of our errors its failures become."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import pytest

from config.errors import (
    CancelledError,
    DiskFullError,
    FramekeepError,
    OutOfMemoryError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from stages.base import CancelToken
from stages.render.ffmpeg import process
from stages.render.ffmpeg.process import FfmpegRun, ffmpeg_identity, ffmpeg_path, run_ffmpeg

FRAME = bytes(64 * 36 * 3 // 2)
RAW = ["-f", "rawvideo", "-pix_fmt", "yuv420p", "-s", "64x36", "-r", "30", "-i", "pipe:0"]
posix = pytest.mark.skipif(os.name != "posix", reason="uses a script as the program")


@pytest.fixture(autouse=True)
def _forget_ffmpeg() -> Iterator[None]:
    """Which ffmpeg it is, is found out once; some tests name another one."""
    yield
    ffmpeg_path.cache_clear()


@pytest.fixture
def instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a Python script in ffmpeg's place."""

    def install(body: str) -> None:
        script = tmp_path / "ffmpeg"
        script.write_text(f"#!{sys.executable}\nimport os, signal, sys, time\n{body}\n")
        script.chmod(0o755)
        monkeypatch.setenv("FRAMEKEEP_FFMPEG", str(script))
        ffmpeg_path.cache_clear()

    return install


def run(folder: Path, **changes: object) -> FfmpegRun:
    values: dict[str, object] = {"what": "the test", "scratch": folder, "cancel": CancelToken()} | changes
    return FfmpegRun(**values)  # type: ignore[arg-type]


def frames(count: int) -> Callable[[IO[bytes]], None]:
    def feed(stdin: IO[bytes]) -> None:
        for _ in range(count):
            stdin.write(FRAME)

    return feed


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_frames_that_are_fed_are_encoded_and_counted(tmp_path: Path) -> None:
    seen: list[int] = []
    out = tmp_path / "out.mp4"
    run_ffmpeg([*RAW, "-c:v", "libx264", str(out)], run(tmp_path, on_frame=seen.append), frames(30))
    assert seen[-1] == 30
    assert seen == sorted(set(seen))
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_the_identity_is_that_of_the_binary() -> None:
    assert len(ffmpeg_identity()) == 64


def test_a_named_ffmpeg_that_cannot_run_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FRAMEKEEP_FFMPEG", str(tmp_path / "nothing"))
    ffmpeg_path.cache_clear()
    with pytest.raises(UnavailableError, match=r"FRAMEKEEP_FFMPEG names .*nothing"):
        run_ffmpeg(["-version"], run(tmp_path))


def test_options_it_does_not_know_are_rejected_and_named(tmp_path: Path) -> None:
    with pytest.raises(FramekeepError) as caught:
        run_ffmpeg([*RAW, "-c:v", "no_such_codec", str(tmp_path / "out.mp4")], run(tmp_path), frames(1))
    assert "no_such_codec" in caught.value.message
    assert "the test" in caught.value.message


def test_a_missing_input_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(RejectedError, match="No such file"):
        run_ffmpeg(["-i", str(tmp_path / "none.mp4"), str(tmp_path / "out.mp4")], run(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_from_other_failures(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError, match="No space left while making the test"):
        run_ffmpeg([*RAW, "-f", "rawvideo", "/dev/full"], run(tmp_path), frames(60))


@posix
def test_what_ffmpeg_says_has_its_space_before_it_starts(tmp_path: Path, instead: Callable[[str], None]) -> None:
    # A script that says how long the file is into which it speaks.
    instead("print(os.fstat(2).st_size, 'bytes are there', file=sys.stderr)")
    assert run_ffmpeg([], run(tmp_path)) == "65536 bytes are there\n"
    assert list(tmp_path.glob("*.log")) == []


@posix
def test_no_room_for_what_ffmpeg_says_is_a_full_disk(tmp_path: Path, instead: Callable[[str], None]) -> None:
    import resource

    instead("sys.exit(0)")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(DiskFullError):
            run_ffmpeg([], run(tmp_path))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, before)
    assert list(tmp_path.glob("*.log")) == []


def test_a_cancelled_run_ends_at_once_and_leaves_no_process(tmp_path: Path) -> None:
    cancel = CancelToken()
    begun = threading.Event()

    def endless(stdin: IO[bytes]) -> None:
        while True:
            stdin.write(FRAME)
            begun.set()

    def stop() -> None:
        begun.wait(20)
        stopped.append(time.monotonic())
        cancel.cancel("enough")

    stopped: list[float] = []
    stopper = threading.Thread(target=stop)
    stopper.start()
    with pytest.raises(CancelledError, match="enough"):
        run_ffmpeg([*RAW, "-f", "null", "-"], run(tmp_path, cancel=cancel), endless)
    ended = time.monotonic()
    stopper.join()
    assert ended - stopped[0] < 1.0
    assert list(tmp_path.iterdir()) == []


def test_an_error_while_feeding_is_passed_on(tmp_path: Path) -> None:
    def feed(stdin: IO[bytes]) -> None:
        stdin.write(FRAME)
        raise LookupError("no more pictures")

    with pytest.raises(LookupError, match="no more pictures"):
        run_ffmpeg([*RAW, "-f", "null", "-"], run(tmp_path), feed)
    assert list(tmp_path.iterdir()) == []


@posix
def test_an_ffmpeg_that_reports_the_same_frame_for_ever_is_stuck(
    tmp_path: Path, instead: Callable[[str], None]
) -> None:
    instead("while True:\n    print('frame=7', flush=True)\n    time.sleep(0.02)")
    with pytest.raises(TimedOutError, match=r"no progress for 0\.3 s at the test"):
        run_ffmpeg([], run(tmp_path, stall_timeout_s=0.3))


@posix
def test_a_slow_ffmpeg_that_gets_on_is_left_alone(tmp_path: Path, instead: Callable[[str], None]) -> None:
    instead("for n in range(12):\n    print(f'out_time_us={n}', flush=True)\n    time.sleep(0.08)")
    run_ffmpeg([], run(tmp_path, stall_timeout_s=0.5))


@posix
def test_an_ffmpeg_that_was_killed_is_worth_another_try(tmp_path: Path, instead: Callable[[str], None]) -> None:
    instead("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(TransientError, match="ended by SIGKILL at the test"):
        run_ffmpeg([], run(tmp_path))


@posix
def test_a_kill_for_want_of_memory_is_no_matter_of_trying_again(
    tmp_path: Path, instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = iter([3, 4])
    monkeypatch.setattr(process, "oom_kills", lambda: next(counts))
    instead("os.kill(os.getpid(), signal.SIGKILL)")
    with pytest.raises(OutOfMemoryError):
        run_ffmpeg([], run(tmp_path))


@posix
def test_closing_its_input_early_is_a_failure_even_with_a_zero_exit_code(
    tmp_path: Path, instead: Callable[[str], None]
) -> None:
    instead("os.close(0)")
    with pytest.raises(TransientError, match="exit code 0"):
        run_ffmpeg([], run(tmp_path), frames(1000))


@posix
@pytest.mark.parametrize(
    ("code", "log", "error"),
    [
        (228, "", DiskFullError),
        (1, "av_interleaved_write_frame(): No space left on device", DiskFullError),
        (1, "x264 [error]: malloc of size 8000000 failed", OutOfMemoryError),
        (234, "Error opening output", RejectedError),
        (183, "moov atom not found", RejectedError),
        (1, "something new", TransientError),
        (255, "Exiting normally, received signal 15.", TransientError),
    ],
)
def test_exit_codes_and_logs_become_errors_of_ours(
    tmp_path: Path, instead: Callable[[str], None], code: int, log: str, error: type[FramekeepError]
) -> None:
    instead(f"sys.stderr.write({log!r})\nsys.exit({code})")
    with pytest.raises(error) as caught:
        run_ffmpeg([], run(tmp_path))
    assert type(caught.value) is error
    assert "the test" in caught.value.message
    assert caught.value.hint


@pytest.mark.skipif(sys.platform != "linux", reason="the kernel's service for it is Linux's")
@pytest.mark.parametrize("setpriv", ["as it is here", "missing", "too old"])
def test_ffmpeg_dies_with_the_program_however_that_dies(tmp_path: Path, setpriv: str) -> None:
    found = {"as it is here": "shutil.which", "missing": "lambda name: None", "too old": "lambda name: '/bin/false'"}
    program = (
        "import os, shutil, sys; from pathlib import Path; from stages.base import CancelToken\n"
        f"shutil.which = {found[setpriv]}\n"
        "from stages.render.ffmpeg.process import FfmpegRun, run_ffmpeg\n"
        "run_ffmpeg(['-re', '-f', 'lavfi', '-i', 'testsrc=s=64x36', '-f', 'null', '-'],"
        " FfmpegRun('x', Path(sys.argv[1]), CancelToken(), on_frame=lambda n: print(n, flush=True)))"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, cwd=Path(__file__).parents[3]
    )
    with parent:
        assert parent.stdout
        assert parent.stdout.readline()
        children = Path(f"/proc/{parent.pid}/task/{parent.pid}/children").read_text().split()
        assert children
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10
    while any(alive(int(child)) for child in children) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(alive(int(child)) for child in children)


def test_no_memory_to_start_it_is_a_shortage_and_no_failing_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.ENOMEM, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(OutOfMemoryError, match="No memory to start ffmpeg for the test"):
        run_ffmpeg(["-version"], run(tmp_path))


@posix
def test_a_child_that_nobody_could_watch_is_not_left_behind(
    tmp_path: Path, instead: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    instead("time.sleep(60)")
    children: list[subprocess.Popen[bytes]] = []
    start = process.start

    def remember(*given: Any) -> subprocess.Popen[bytes]:
        children.append(start(*given))
        return children[-1]

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    token = CancelToken()
    monkeypatch.setattr(process, "start", remember)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        with pytest.raises(OutOfMemoryError, match="can't start new thread"):
            run_ffmpeg([*RAW, "x.mp4"], run(tmp_path, cancel=token), frames(1))
    assert children[0].returncode == -signal.SIGKILL
    assert token._callbacks == []


@posix
@pytest.mark.parametrize("content", [b"", b"MZ, but no program"])
def test_what_cannot_be_run_is_said_to_be_that(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    """And is not handed to a shell, which would take it for a script, and an empty one for a success."""
    program = tmp_path / "ffmpeg"
    program.write_bytes(content)
    program.chmod(0o755)
    monkeypatch.setenv("FRAMEKEEP_FFMPEG", str(program))
    ffmpeg_path.cache_clear()
    with pytest.raises(TransientError, match="ffmpeg could not be started for the test: Exec format error"):
        run_ffmpeg(["-version"], run(tmp_path))


@pytest.mark.skipif(sys.platform != "linux", reason="large pages of this kind are Linux's")
@pytest.mark.parametrize("own", [0, 1])
def test_only_ffmpeg_goes_without_large_pages(tmp_path: Path, instead: Callable[[str], None], own: int) -> None:
    """The run's own pictures may have them, unless it was started without."""
    call = ctypes.CDLL(None).prctl
    instead(f"import ctypes; open({str(tmp_path / 'seen')!r}, 'w').write(str(ctypes.CDLL(None).prctl(42, 0, 0, 0, 0)))")
    call(41, own, 0, 0, 0)
    try:
        run_ffmpeg([], run(tmp_path))
        assert (tmp_path / "seen").read_text() == "1"
        assert call(42, 0, 0, 0, 0) == own
    finally:
        call(41, 0, 0, 0, 0)
