"""How well sentences are found: `sentencex` and `pysbd` alone, and what the project makes of the former.

    .venv/bin/python -m pip install pysbd==0.3.4    (for its column)
    .venv/bin/python benchmarks/sentences.py [--errors]

The passages are tests/tables/sentences_*.yaml. Of each, the places between words where a sentence ends are compared: found rightly,
found wrongly, missed. F1 is their harmonic mean; `whole` is the share of passages without any error.
"""

from __future__ import annotations

import argparse
import sys
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
LANGUAGES = ("en", "de", "fr", "es", "it")

Segmenter = Callable[[str, str], list[str]]


@dataclass
class Score:
    """Ends of sentences within passages, and whole passages."""

    right: int = 0
    wrong: int = 0
    missed: int = 0
    whole: int = 0
    passages: int = 0

    def add(self, wanted: list[str], found: list[str]) -> bool:
        """Count one passage; whether all of it is right."""
        want, got = _ends(wanted), _ends(found)
        self.right += len(want & got)
        self.wrong += len(got - want)
        self.missed += len(want - got)
        self.whole += want == got
        self.passages += 1
        return want == got

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall."""
        return 2 * self.right / (2 * self.right + self.wrong + self.missed)

    def __str__(self) -> str:
        return (
            f"F1 {self.f1:6.1%}  wrong {self.wrong:3}  missed {self.missed:3}  whole {self.whole / self.passages:6.1%}"
        )


def _ends(sentences: list[str]) -> set[int]:
    """After how many characters other than white space a sentence ends, the last one left out."""
    lengths = [len("".join(sentence.split())) for sentence in sentences]
    return {sum(lengths[: number + 1]) for number in range(len(lengths) - 1)}


def segmenters() -> dict[str, Segmenter]:
    """Those that are installed, by name."""
    import sentencex

    from stages.text.sentences import sentences

    found: dict[str, Segmenter] = {"sentencex": lambda text, language: list(sentencex.segment(language, text))}
    try:
        import pysbd
    except ImportError:
        print("pysbd is not installed: left out")
    else:
        warnings.simplefilter("ignore")
        found["pysbd"] = lambda text, language: list(pysbd.Segmenter(language=language, clean=False).segment(text))
    found["stages.text"] = sentences
    return found


def main() -> None:
    """Print one row a language and segmenter."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="show the passages that stages.text gets wrong")
    args = parser.parse_args()
    for name, segment in segmenters().items():
        total, started = Score(), time.perf_counter()
        for language in LANGUAGES:
            score = Score()
            for block in yaml.safe_load((ROOT / f"tests/tables/sentences_{language}.yaml").read_text("utf-8")):
                wanted = block.splitlines()
                found = segment(" ".join(wanted), language)
                total.add(wanted, found)
                if not score.add(wanted, found) and args.errors and name == "stages.text":
                    print(f"  {language}: {found}")
            print(f"{name:12} {language}   {score}")
        print(f"{name:12} all  {total}  in {time.perf_counter() - started:.2f} s")


if __name__ == "__main__":
    main()
