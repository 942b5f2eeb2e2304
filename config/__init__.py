"""Settings and errors: the lowest layer, which imports nothing of the others."""
