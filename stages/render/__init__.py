"""Rendering: scenes become frame ranges, frame ranges become segments, segments are joined and muxed once."""
