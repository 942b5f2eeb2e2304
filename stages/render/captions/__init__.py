"""Captions: cues, their breaks, their look, and their files."""
