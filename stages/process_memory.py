"""What the C library keeps of memory that was freed, given back to the system; a matter of glibc alone, elsewhere nothing to do.

Decoded pictures, canvases and a voice's tables come and go by tens of megabytes. glibc keeps their pages for itself, a heap for
each thread: a long render would seem to grow with every scene, and would be the greater beside its encoders.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import gc
import os
import sys
from collections.abc import Iterator
from typing import Any

# glibc's malloc.h.
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3
# Greater blocks than this are the system's own from their first byte to their last, and leave no holes in a heap.
_LARGE_BYTES = 1 << 20
_HEAPS = 2
_MANY_OBJECTS = 50_000
# Of ffmpeg's blocks raw frames, up to those of 1080p, come out of its heap again and again; as blocks of the system's own each of
# them would begin with 760 page faults, over 2 ms. An encoder's own frames, which stay, are greater. Of what is freed at the heap's
# end a few frames are kept.
_CHILDRENS = {"MALLOC_MMAP_THRESHOLD_": 4_000_000, "MALLOC_TRIM_THRESHOLD_": 8_000_000}


def give_back() -> None:
    """Return unused pages of all heaps to the system. Takes about a millisecond."""
    if library := _glibc():
        library.malloc_trim(0)


def be_frugal() -> None:
    """Few heaps for all threads, and none for large blocks, here and in children. For a process that is ours alone, before its
    threads.
    """
    if library := _glibc():
        library.mallopt(_M_ARENA_MAX, _HEAPS)
        library.mallopt(_M_MMAP_THRESHOLD, _LARGE_BYTES)
        for name, size in _CHILDRENS.items():
            os.environ.setdefault(name, str(size))


@functools.cache
def _glibc() -> Any:
    """The C library where it is one that knows both calls, else None."""
    if not sys.platform.startswith("linux"):
        return None
    library = ctypes.CDLL(None)
    return library if hasattr(library, "malloc_trim") and hasattr(library, "mallopt") else None


@contextlib.contextmanager
def uncollected() -> Iterator[None]:
    """For work that makes many objects that stay and hardly any that refer to each other in circles: Python's collector would go
    through all of them again and again, and find nothing. It is as it was afterwards. Others in this process may use it, too.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            if gc.get_count()[0] > _MANY_OBJECTS and not gc.get_freeze_count():
                # They count as old from now on. As young ones all of them would be gone through at once.
                gc.freeze()
                gc.unfreeze()
            gc.enable()
