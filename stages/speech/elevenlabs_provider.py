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
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import quote

from pydantic import SecretStr

from config.errors import (
    ProviderError,
    QuotaError,
    RateLimitedError,
    RejectedError,
    TimedOutError,
    TransientError,
    UnavailableError,
)
from stages.base import CancelToken
from stages.loop_call import call_in_loop
from stages.models import Word
from stages.speech.base import SpeechProvider, SpeechRequest, Spoken
from stages.text.languages import primary

if TYPE_CHECKING:
    import httpx2

NAME = "ElevenLabs"
_SERVICE = "https://api.elevenlabs.io"
_CONNECT_S = 10.0
_MOST_CHARS = 240
_LONGEST_WAIT_S = 86_400.0
# Only these models take the language as a parameter; the others find it out.
_TAKES_LANGUAGE = re.compile(r"turbo|flash|_v3")
_SPENT = re.compile(r"quota|credit|subscription|payment", re.IGNORECASE)
_SECONDS = re.compile(r"^\d+(?:\.\d+)?$")


class ElevenLabsProvider(SpeechProvider):
    """Asks for one line at a time. The brief's `voice` is a voice id; without one the account's is taken."""

    name = NAME
    paid = True
    is_remote = True

    def __init__(self, api_key: SecretStr | None, model: str, voice: str, base_url: str = "") -> None:
        self._key, self._model, self._voice = api_key, model, voice
        self._url = (base_url or _SERVICE).rstrip("/")
        self._request_id = ""

    def asking(self, request_id: str) -> Self:
        """Sent along as `Idempotency-Key`; whether it is heeded is not documented, so `remembers` stays off."""
        asking = copy.copy(self)
        asking._request_id = request_id
        return asking

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
        from stages.connection import ask_for_list

        ask_for_list(NAME, f"{self._url}/v1/models", self._headers(), cancel, timeout_s)

    def speak(self, request: SpeechRequest, cancel: CancelToken, folder: Path) -> Spoken:
        text = " ".join(request.text.split())
        voice = request.voice or self._voice
        answer = call_in_loop(lambda: self._ask(request, text, voice), cancel, 0.0)
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
        import httpx2

        body: dict[str, Any] = {"text": text, "model_id": self._model, "seed": request.seed % 2**32}
        if _TAKES_LANGUAGE.search(self._model):
            body["language_code"] = primary(request.language)
        headers = self._headers()
        if self._request_id:
            headers["Idempotency-Key"] = self._request_id
        url = f"{self._url}/v1/text-to-speech/{quote(voice, safe='')}/with-timestamps"
        try:
            # How long the answer may take is the caller's to say: it cancels the call.
            async with httpx2.AsyncClient(timeout=httpx2.Timeout(None, connect=_CONNECT_S)) as client:
                answer = await client.post(url, params={"output_format": "mp3_44100_128"}, json=body, headers=headers)
        except httpx2.TimeoutException as error:
            raise TimedOutError(f"{NAME} did not answer in time", provider=NAME, hint="framekeep resume") from error
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise TransientError(
                f"{NAME} cannot be reached: {type(error).__name__}", provider=NAME, hint="check the network"
            ) from error
        if answer.status_code >= 400:
            raise self._refused(answer)
        try:
            document = answer.json()
        except ValueError:
            document = None
        if not isinstance(document, dict):
            raise TransientError(
                f"{NAME} gave an answer that is no JSON object", provider=NAME, hint="framekeep resume"
            )
        return document

    def _headers(self) -> dict[str, str]:
        return {"xi-api-key": self._key.get_secret_value() if self._key else ""}

    def _refused(self, answer: httpx2.Response) -> ProviderError:
        status, (code, message) = answer.status_code, _said(answer)
        if self._key:
            message = message.replace(self._key.get_secret_value(), "…")
        said = f"{NAME} answered {status}: {message}"
        if status == 402 or _SPENT.search(code):
            hint = "top up the account, or name another voice with `providers: {speech: ...}`"
            return QuotaError(said, provider=NAME, hint=hint)
        if status in (401, 403):
            hint = "check the key: framekeep config keys"
            return UnavailableError(said, provider=NAME, hint=hint, kind="InvalidApiKey")
        if status == 429:
            return RateLimitedError(said, provider=NAME, retry_after_s=_wait(answer.headers), hint="framekeep resume")
        if status in (408, 504):
            return TimedOutError(said, provider=NAME, hint="framekeep resume")
        if status in (409, 425) or status >= 500:
            return TransientError(said, provider=NAME, hint="framekeep resume", kind="ServiceUnavailable")
        return RejectedError(said, provider=NAME, hint="check voice, model and text")


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


def _said(answer: httpx2.Response) -> tuple[str, str]:
    """The service's own code and words; pages of proxies are HTML and are not repeated."""
    try:
        detail = answer.json().get("detail")
    except (ValueError, AttributeError):
        detail = None
    if isinstance(detail, Mapping):
        return str(detail.get("status", "")), " ".join(str(detail.get("message", "")).split())[:_MOST_CHARS]
    return "", " ".join(detail.split())[:_MOST_CHARS] if isinstance(detail, str) else answer.reason_phrase


def _wait(headers: Mapping[str, str]) -> float | None:
    said = headers.get("retry-after", "").strip()
    return min(float(said), _LONGEST_WAIT_S) if _SECONDS.match(said) else None
