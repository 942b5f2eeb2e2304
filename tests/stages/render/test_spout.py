"""Frames reach the reader of a pipe whole and in order, though two buffers take turns and a frame is still on its way."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import IO

import numpy as np
import pytest

from stages.render.ffmpeg import pipe_writer
from stages.render.ffmpeg.pipe_writer import Spout

FRAMES = 9
# More than a pipe holds by itself (64 KB), no whole number of pages, and far less than it holds.
LARGE, SMALL = 200_001, 3_001


def frame(number: int, size: int) -> bytes:
    return bytes(np.random.default_rng(number).integers(0, 255, size, dtype=np.uint8))


def carried(size: int, make: Callable[[IO[bytes]], Spout] = Spout) -> bytes:
    """What a reader gets that begins to read only when the writer waits for it, or has ended."""
    reader, writer = os.pipe()
    buffers = [np.zeros(size, np.uint8) for _ in range(2)]
    begun = threading.Event()

    def write() -> None:
        with os.fdopen(writer, "wb") as pipe:
            out = make(pipe)
            for number in range(FRAMES):
                buffer = buffers[number % 2]
                buffer[:] = np.frombuffer(frame(number, size), np.uint8)
                begun.set()
                out.write(buffer.data)

    thread = threading.Thread(target=write)
    thread.start()
    begun.wait(20)
    with os.fdopen(reader, "rb") as pipe:
        found = pipe.read()
    thread.join()
    return found


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_every_frame_arrives_as_it_was_when_it_was_written(size: int) -> None:
    assert carried(size) == b"".join(frame(number, size) for number in range(FRAMES))


@pytest.mark.skipif(pipe_writer._vmsplice() is None, reason="this system copies")
def test_large_frames_are_referred_to_and_small_ones_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    real, taken = pipe_writer._vmsplice(), []
    assert real

    def counted(pipe: int, address: int, length: int) -> int:
        taken.append(length)
        return real(pipe, address, length)

    monkeypatch.setattr(pipe_writer, "_vmsplice", lambda: counted)
    carried(SMALL)
    assert taken == []
    carried(LARGE)
    assert taken.count(LARGE) == FRAMES


def test_a_system_that_refuses_is_written_to_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(pipe: int, address: int, length: int) -> int:
        pipe_writer.ctypes.set_errno(errno.ENOSYS)
        return -1

    monkeypatch.setattr(pipe_writer, "_vmsplice", lambda: refused)
    assert carried(LARGE) == b"".join(frame(number, LARGE) for number in range(FRAMES))


def test_a_file_is_written_to_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "frames"
    with path.open("wb") as file:
        Spout(file).write(memoryview(frame(1, LARGE)))
    assert path.read_bytes() == frame(1, LARGE)


@pytest.mark.parametrize("size", [LARGE, SMALL])
def test_a_reader_that_has_gone_is_a_broken_pipe(size: int) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb", buffering=0) as pipe, pytest.raises(BrokenPipeError):
        Spout(pipe).write(memoryview(bytearray(size)))
