"""ElevenLabs' voices over their HTTP API, with the time of every character.

POST {base}/v1/text-to-speech/{voice}/with-timestamps?output_format=mp3_44100_128
{"text", "model_id", "language_code"?, "seed"} → {"audio_base64", "alignment": {"characters", "character_*_times_seconds"}}
"""

from __future__ import annotations

import base64
import binascii
import copy
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import quote

from pydantic import SecretStr

from config.errors import TransientError, UnavailableError
from config.secret_text import clean_key
from stages.base import CancelToken
from stages.http.answers import answer_of, refused
from stages.http.client import Sending, call_service, loading, open_client
from stages.http.loop_call import call_in_loop
from stages.models import Word
from stages.speech.speech_provider import SpeechProvider, SpeechRequest, Spoken
from stages.text.languages import primary

NAME = "ElevenLabs"
_SERVICE = "https://api.elevenlabs.io"
# Only these models take the language as a parameter; the others find it out.
_TAKES_LANGUAGE = re.compile(r"turbo|flash|_v3")


class ElevenLabsProvider(SpeechProvider):
    """Asks for one line at a time. The brief's `voice` is a voice id; without one the account's is taken."""

    name = NAME
    paid = True
    is_remote = True

    def __init__(self, api_key: SecretStr | None, model: str, voice: str, base_url: str = "") -> None:
        self._key = SecretStr(clean_key(api_key.get_secret_value())) if api_key else None
        self._model, self._voice = model, voice
        self._url = (base_url or _SERVICE).rstrip("/")
        self._request_id = ""
        self._sending = Sending()

    def asking(self, request_id: str) -> Self:
        """Sent along as `Idempotency-Key`; whether it is heeded is not documented, so `remembers` stays off."""
        asking = copy.copy(self)
        asking._request_id, asking._sending = request_id, Sending()
        return asking

    def may_have_asked(self) -> bool:
        return self._sending.has_begun

    def prepare(self, cancel: CancelToken) -> None:
        call_in_loop(self._load, cancel, 0.0)

    async def _load(self) -> None:
        with loading(NAME):
            import httpx2  # noqa: F401 - what `_ask` needs

    def identity(self) -> dict[str, str]:
        # No version of ours: an upgrade is no reason to buy a line again.
        return {"version": "1", "model": self._model, "voice": self._voice, "url": self._url}

    def check(self, language: str, voice: str, text: str) -> None:
        if not self._key:
            raise UnavailableError(
                f"{NAME} needs an API key",
                provider=NAME,
                hint="set ELEVENLABS_API_KEY, or: framekeep config keys --set ElevenLabs",
                kind="InvalidApiKey",
            )

    def connect(self, cancel: CancelToken, timeout_s: float) -> None:
        from stages.http.service_check import ask_for_list

        ask_for_list(NAME, f"{self._url}/v1/models", self._headers(), cancel, timeout_s)

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        text = " ".join(request.text.split())
        voice = request.voice or self._voice
        self.prepare(cancel)
        answer = call_service(NAME, self._url, lambda: self._ask(request, text, voice), cancel, 0.0)
        path = folder / "elevenlabs.mp3"
        try:
            path.write_bytes(base64.b64decode(answer["audio_base64"], validate=True))
        except (KeyError, TypeError, binascii.Error) as error:
            raise TransientError(
                f"{NAME} gave an answer without sound", provider=NAME, hint="framekeep resume"
            ) from error
        words = timed_words(text, answer.get("alignment"))
        if words:
            return Spoken(path=path, words=words, timing="exact", voice=voice)
        return Spoken(path=path, words=_estimated(request, path), timing="estimated", voice=voice)

    async def _ask(self, request: SpeechRequest, text: str, voice: str) -> dict[str, Any]:
        body: dict[str, Any] = {"text": text, "model_id": self._model, "seed": request.seed % 2**32}
        if _TAKES_LANGUAGE.search(self._model):
            body["language_code"] = primary(request.language)
        headers = self._headers()
        if self._request_id:
            headers["Idempotency-Key"] = self._request_id
        url = f"{self._url}/v1/text-to-speech/{quote(voice, safe='')}/with-timestamps"
        # How long the answer may take is the caller's to say: it cancels the call.
        async with open_client(NAME, 0.0, self._sending) as client:
            answer = await client.post(url, params={"output_format": "mp3_44100_128"}, json=body, headers=headers)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not answer.is_success:
            raise refused(NAME, answer_of(answer.status_code, answer.headers, document))
        if not isinstance(document, dict):
            raise TransientError(
                f"{NAME} gave an answer that is no JSON object", provider=NAME, hint="framekeep resume"
            )
        return document

    def _headers(self) -> dict[str, str]:
        return {"xi-api-key": self._key.get_secret_value() if self._key else ""}


def timed_words(text: str, alignment: object) -> tuple[Word, ...]:
    """Each word's time from its first character's start to its last one's end; empty where the alignment is of another text."""
    if not isinstance(alignment, Mapping):
        return ()
    characters = alignment.get("characters")
    starts, ends = (alignment.get(f"character_{end}_times_seconds") for end in ("start", "end"))
    if not all(isinstance(part, list) for part in (characters, starts, ends)):
        return ()
    assert isinstance(characters, list)
    assert isinstance(starts, list)
    assert isinstance(ends, list)
    if "".join(map(str, characters)) != text or not len(characters) == len(starts) == len(ends) == len(text):
        return ()
    words, at, latest = [], 0, 0.0
    for word in text.split():
        at = text.index(word, at)
        start = max(latest, float(starts[at]))
        latest = max(start, float(ends[at + len(word) - 1]))
        words.append(Word(text=word, start_s=start, end_s=latest))
        at += len(word)
    return tuple(words)


def _estimated(request: SpeechRequest, path: Path) -> tuple[Word, ...]:
    from stages.speech import sound
    from stages.speech.reading import read
    from stages.speech.timing import estimate_words

    try:
        samples = sound.read_sound(path)
    except sound.UnreadableSoundError as error:
        raise TransientError(
            f"{NAME} gave no readable sound: {error}", provider=NAME, hint="framekeep resume"
        ) from error
    return estimate_words(read(request.text, request.language), samples, sound.SAMPLE_RATE_HZ)
