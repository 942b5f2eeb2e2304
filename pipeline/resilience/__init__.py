"""The guard that every provider call and every encoder run passes through."""
