"""Whether a clip can be decoded as far as it is shown: looked for before the work, which would end at such a place."""

from __future__ import annotations

from pathlib import Path

from config.errors import BriefError
from stages.render.sources.clip_files import ENDS_S, opened, replace_hint, time_base

# Packets of one damaged place: their times are not in order.
_NEIGHBOURS = 12


def check_clip(path: Path, until_s: float) -> None:
    """Decode the first `until_s` seconds of a clip. Raises BriefError with the second at which it is damaged.

    Players pass over what is wrong before the first picture and in the last half second, and so do we.
    """
    import av

    with opened(path) as (container, stream):
        context = stream.codec_context
        # Unsmoothed pictures cost a sixth less and fail where the smoothed ones do.
        context.options = {"skip_loop_filter": "all"}
        context.thread_type, context.thread_count = "AUTO", 0
        base, start = time_base(stream), stream.start_time or 0
        end_s = float((stream.duration or 0) * base) or float("inf")
        failed: list[float] = []
        has_begun, since = False, 0
        for packet in container.demux(stream):
            time = packet.pts if packet.pts is not None else packet.dts
            at_s = None if time is None else float((time - start) * base)
            if (at_s or 0.0) > until_s or since > _NEIGHBOURS:
                break
            since += bool(failed)
            try:
                has_begun = bool(packet.decode()) or has_begun
            except av.FFmpegError:
                if has_begun and at_s is not None and at_s < end_s - ENDS_S:
                    failed.append(at_s)
    if failed:
        raise BriefError(f"{path.name} is damaged at {min(failed):.1f} s", hint=replace_hint(path))
