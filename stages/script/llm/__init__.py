"""Scripts by a language model."""
