"""Writes the pages that are made from the code: `make reference`."""

from __future__ import annotations

from pathlib import Path

from pipeline.cli.reference import write

if __name__ == "__main__":
    write(Path(__file__).parent)
