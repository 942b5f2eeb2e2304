"""The audio track: narration, music, loudness."""
