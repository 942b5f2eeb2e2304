"""Painting frames: pictures, camera moves, transitions."""
