"""What speech providers share: refusing what a voice cannot read, and saying which voices there are."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterable

from checkpoints.keys import code_digest
from config.errors import UnavailableError
from stages.speech.normalise.scripts import foreign_script, looks_like, script_of
from stages.text.languages import language_name, primary

SILENT_HINT = "to get a silent video with captions, add to the brief: providers: {speech: [text]}"


def refuse_language(provider: str, language: str, spoken: Iterable[str]) -> None:
    """Raise when none of the provider's languages is the text's."""
    known = tuple(spoken)
    if primary(language) in known:
        return
    names = ", ".join(language_name(code) for code in known)
    raise UnavailableError(
        f"{provider} has no voice for {language_name(language)}; it speaks {names}", provider=provider, hint=SILENT_HINT
    )


def refuse_text(provider: str, language: str, text: str) -> None:
    """Raise when the text is in letters that no voice here reads, or plainly in another language than it is said to be."""
    if script := foreign_script(text):
        raise UnavailableError(
            f"The text is in {script}, which no voice for {language_name(language)} reads: {_first_foreign(text)}",
            provider=provider,
            hint=f"set the brief's language, if it is not {language_name(language)}; {SILENT_HINT}",
        )
    if other := looks_like(language, text):
        raise UnavailableError(
            f"The text looks {language_name(other)}, but the brief's language is {language}: it would be misread",
            provider=provider,
            hint=f"set language: {other} in the brief",
        )


def unknown_voice(provider: str, voice: str, known: Iterable[str]) -> UnavailableError:
    """The error for a voice that this provider does not have."""
    return UnavailableError(
        f"{provider} has no voice '{voice}'; it has: {', '.join(known)}",
        provider=provider,
        hint="change `voice` in the brief, or leave it out",
    )


def versions(*packages: str) -> dict[str, str]:
    """Installed versions, for keys. `absent` where there is none."""
    found = {"code": code_digest("stages.speech", "stages.text", "stages.sound")}
    for package in packages:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            found[package] = "absent"
    return found


def _first_foreign(text: str) -> str:
    """What the text says from its first word that is not in Latin letters."""
    words = text.split()
    first = next((at for at, word in enumerate(words) if any(script_of(char) not in ("", "LATIN") for char in word)), 0)
    rest = " ".join(words[first:])
    return rest if len(rest) <= 40 else f"{rest[:39]}…"
