"""Speech providers by name, and who is asked for which language."""

from __future__ import annotations

from pydantic import SecretStr

from config.errors import UnavailableError, UsageError
from stages.speech.normalise.scripts import foreign_script
from stages.speech.providers.hibari_provider import HibariProvider
from stages.speech.providers.pico_provider import PicoProvider
from stages.speech.providers.text_provider import TextProvider
from stages.speech.providers.voice_checks import SILENT_HINT
from stages.speech.speech_provider import SpeechProvider
from stages.text.languages import LANGUAGE_NAMES, language_name, primary

NAMES = ("hibari", "pico", "ElevenLabs", "text")


def create(
    name: str, *, api_key: SecretStr | None = None, model: str = "", voice: str = "", base_url: str = ""
) -> SpeechProvider:
    """The provider called `name`; all but the name is for one over the network. Raises UsageError for an unknown one."""
    match name.lower():
        case "hibari":
            return HibariProvider()
        case "pico":
            return PicoProvider()
        case "elevenlabs":
            from stages.speech.providers.elevenlabs_provider import ElevenLabsProvider

            return ElevenLabsProvider(api_key, model, voice, base_url)
        case "text":
            return TextProvider()
        case _:
            raise UsageError(f"There is no speech provider '{name}'", hint=f"known: {', '.join(NAMES)}")


def default_order(language: str, voice: str) -> tuple[str, ...]:
    """Who is asked when nobody is named: those who speak the language, best first, then silent text as the last resort.

    A voice's name chooses among them. Empty when nobody speaks the language: silence is never chosen unasked.
    """
    names = [provider.name for provider in _speaking(language)]
    known = [provider.name for provider in _speaking(language) if voice and _has_voice(provider, language, voice)]
    chosen = known or names
    return (*chosen, "text") if chosen else ()


def explain_missing(language: str, text: str) -> UnavailableError:
    """Why nobody is there for this language, and what can be done."""
    script = foreign_script(text)
    written = f" (the text is in {script})" if script else ""
    if primary(language) in PicoProvider.languages and not PicoProvider.installed():
        return UnavailableError(
            f"No installed voice speaks {language_name(language)}: pico does, but is not installed here",
            hint=f"pip install py-nanotts (Linux and Windows only); or {SILENT_HINT}",
        )
    spoken = ", ".join(LANGUAGE_NAMES[code] for code in PicoProvider.languages)
    return UnavailableError(
        f"No installed voice speaks {language_name(language)}{written}. Missing is a speech provider for it; "
        f"the installed ones speak {spoken}",
        hint=f"{SILENT_HINT}; or translate the brief and set its language",
    )


def _speaking(language: str) -> list[HibariProvider | PicoProvider]:
    hibari, pico = HibariProvider(), PicoProvider()
    found: list[HibariProvider | PicoProvider] = []
    if primary(language) in hibari.languages:
        found.append(hibari)
    if primary(language) in pico.languages and pico.installed():
        found.append(pico)
    return found


def _has_voice(provider: SpeechProvider, language: str, voice: str) -> bool:
    try:
        provider.check(language, voice, "")
    except UnavailableError:
        return False
    return True
