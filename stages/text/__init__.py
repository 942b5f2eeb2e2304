"""Text as every stage needs it, one copy of each: markup to plain words, languages, sentences, line breaks."""
