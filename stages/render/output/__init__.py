"""The finished file: joined, tagged, checked."""
