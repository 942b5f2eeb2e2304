"""From written text to the words that a voice says."""
