"""Scripts without a language model: sentences chosen and cut into scenes."""
