"""Handing raw frames to a child through a pipe: on Linux by reference, without a copy in the kernel."""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable
from typing import IO

# The system or the pipe cannot do it; anything else that goes wrong would go wrong with a copy, too.
_NOT_HERE = frozenset({errno.EBADF, errno.EINVAL, errno.ENOSYS, errno.EPERM})


class Spout:
    """Writes frames to a pipe. Each must stay as it is until the next one has been written, the last until the reader has ended."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe
        self._capacity = _capacity(pipe)

    def write(self, frame: memoryview) -> None:
        """Write all of it. Raises OSError."""
        # Only of a frame that is no smaller than the pipe is it certain that nothing before it is left in there.
        rest = frame
        if 0 < self._capacity <= frame.nbytes and (vmsplice := _vmsplice()):
            rest = self._refer(frame, vmsplice)
        if rest:
            self._pipe.write(rest)

    def _refer(self, frame: memoryview, vmsplice: Callable[[int, int, int], int]) -> memoryview:
        """Put references to the frame's memory into the pipe; what is left of it where that cannot be done."""
        import numpy as np

        address, done = np.frombuffer(frame, np.uint8).ctypes.data, 0
        while done < frame.nbytes:
            taken = vmsplice(self._pipe.fileno(), address + done, frame.nbytes - done)
            if taken < 0:
                code = ctypes.get_errno()
                if code == errno.EINTR:
                    continue
                if code in _NOT_HERE:
                    self._capacity = 0
                    return frame.cast("B")[done:]
                raise OSError(code, os.strerror(code))
            done += taken
        return frame[:0]


def _capacity(pipe: IO[bytes]) -> int:
    """How many bytes a pipe holds; 0 where that is unknown, or it is no pipe."""
    if sys.platform != "linux":
        return 0
    import fcntl

    try:
        return fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ)
    except (OSError, ValueError):
        return 0


class _PipePiece(ctypes.Structure):
    _fields_ = (("address", ctypes.c_void_p), ("length", ctypes.c_size_t))


@functools.cache
def _vmsplice() -> Callable[[int, int, int], int] | None:
    """The system call of that name, of (pipe, address, length): how much it took, or -1 and an errno."""
    call = getattr(ctypes.CDLL(None, use_errno=True), "vmsplice", None) if sys.platform == "linux" else None
    if call is None:
        return None
    call.argtypes = (ctypes.c_int, ctypes.POINTER(_PipePiece), ctypes.c_size_t, ctypes.c_uint)
    call.restype = ctypes.c_ssize_t

    def vmsplice(pipe: int, address: int, length: int) -> int:
        return int(call(pipe, ctypes.byref(_PipePiece(address, length)), 1, 0))

    return vmsplice
