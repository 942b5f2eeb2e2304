"""The script stage: a brief's text becomes scenes with narration, headings and picture prompts."""
