"""Six small voices in five languages (SVOX Pico, by py-nanotts), a hundred times faster than speech."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

from config.errors import ProviderError, RejectedError, TransientError, UnavailableError
from stages.base import CancelToken
from stages.speech.providers.voice_checks import refuse_language, refuse_text, unknown_voice, versions
from stages.speech.reading import read
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken
from stages.text.languages import primary

VOICES = ("en-US", "en-GB", "de-DE", "es-ES", "fr-FR", "it-IT")
_RATE_HZ = 16_000
# Twice this, the default, clips.
_VOLUME = 0.5
# The engine keeps state from one text to the next, so that the same text sounds another time a little different: only the
# first text of a process is repeatable. A process for each line costs a tenth of a second, and a crash in C costs no more.
_CHILD = """\
import sys
from py_nanotts import NanoTTS
text = sys.stdin.buffer.read().decode()
sys.stdout.buffer.write(NanoTTS().speak(text, voice=sys.argv[1], volume=float(sys.argv[2])))
"""


class PicoProvider(SpeechProvider):
    """Voices are named by their locale. Without a name, the language's own; British for `en-GB`."""

    name = "pico"
    languages = tuple(dict.fromkeys(primary(voice) for voice in VOICES))

    def identity(self) -> dict[str, str]:
        return versions("py-nanotts", "numpy", "av", "unicode-rbnf")

    @staticmethod
    def installed() -> bool:
        """Whether its wheel is here: there is none for macOS."""
        return importlib.util.find_spec("py_nanotts") is not None

    def check(self, language: str, voice: str, text: str) -> None:
        if not self.installed():
            raise UnavailableError(
                "pico is not installed here", provider=self.name, hint="pip install py-nanotts (Linux and Windows only)"
            )
        refuse_language(self.name, language, self.languages)
        self._voice(language, voice)
        refuse_text(self.name, language, text)

    def connect(self, cancel: CancelToken, timeout_s: float) -> None:
        """Say one word: the engine lives in a process of its own."""
        self._synthesise("yes", VOICES[0], cancel)

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        import numpy as np

        from stages.speech.sound import write_wav
        from stages.speech.timing import estimate_words

        self.check(request.language, request.voice, request.text)
        voice = self._voice(request.language, request.voice)
        reading = read(request.text, request.language)
        if not reading.text:
            raise RejectedError(f"pico finds nothing to say in '{request.text}'", provider=self.name)
        cancel.check()
        samples = np.frombuffer(self._synthesise(reading.text, voice, cancel), dtype="<i2") / 32768.0
        cancel.check()
        path = folder / "pico.wav"
        write_wav(path, samples, _RATE_HZ)
        words = estimate_words(reading, samples, _RATE_HZ)
        return Spoken(path=path, words=words, timing="estimated", voice=voice, notes=reading.notes)

    def _synthesise(self, text: str, voice: str, cancel: CancelToken) -> bytes:
        """Samples as the engine gives them: 16-bit at 16 kHz."""
        command = [sys.executable, "-P", "-c", _CHILD, voice, str(_VOLUME)]
        try:
            child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        except OSError as error:
            raise TransientError(
                f"pico cannot be started: {error}", provider=self.name, kind="ServiceUnavailable"
            ) from error
        forget = cancel.on_cancel(child.kill)
        try:
            sound, complaint = child.communicate(text.encode())
        finally:
            forget()
        cancel.check()
        if child.returncode:
            raise self._failure(complaint.decode(errors="replace"), child.returncode)
        return sound

    def _failure(self, complaint: str, code: int) -> ProviderError:
        reason = complaint.strip().rpartition("\n")[2] or f"its process ended with {code}"
        if reason.startswith(("ImportError", "ModuleNotFoundError")):
            return UnavailableError(
                f"pico cannot be loaded: {reason}", provider=self.name, hint="pip install --force-reinstall py-nanotts"
            )
        return TransientError(f"pico failed: {reason}", provider=self.name, kind="ServiceUnavailable")

    def _voice(self, language: str, voice: str) -> str:
        if not voice:
            exact = [known for known in VOICES if known.lower() == language.replace("_", "-").lower()]
            return (exact or [known for known in VOICES if primary(known) == primary(language)])[0]
        named = {known.lower(): known for known in VOICES}.get(voice.replace("_", "-").lower())
        if named is None:
            raise unknown_voice(self.name, voice, VOICES)
        if primary(named) != primary(language):
            raise UnavailableError(
                f"pico's voice {named} does not speak the brief's language, {language}",
                provider=self.name,
                hint="change `voice` or `language` in the brief",
            )
        return named
