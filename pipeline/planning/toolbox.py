"""Who does the work of each stage for one brief: providers by name, made when first needed, and what identifies them in keys."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Literal, TypedDict

from pydantic import SecretStr

from config.providers import ElevenLabsAccount
from config.secret_keys import find_key
from config.settings import LlmAccount, Settings
from stages.models import Brief

if TYPE_CHECKING:
    from stages.base import Provider
    from stages.images.picture_provider import ImageProvider
    from stages.render.encoders.encoder import Encoder
    from stages.render.encoders.encoder_choice import Choice
    from stages.script.script_writer import ScriptWriter
    from stages.speech.speech_provider import SpeechProvider

Identities = list[dict[str, str]]
Kind = Literal["openai", "anthropic", "compatible"]


class _Account(TypedDict, total=False):
    kind: Kind
    model: str
    api_key: SecretStr | None
    base_url: str | None


class _VoiceAccount(TypedDict, total=False):
    api_key: SecretStr | None
    model: str
    voice: str
    base_url: str


def identities(providers: Iterable[Provider]) -> Identities:
    """What enters a key of those who are asked in turn.

    Of a free one after a paid one it is the name alone: the code and packages of a stand-in change with an upgrade, which is no
    reason to buy a result again.
    """
    found: Identities = []
    bought = False
    for provider in providers:
        bought = bought or provider.paid
        found.append({"name": provider.name, **(provider.identity() if provider.paid or not bought else {})})
    return found


class Toolbox:
    """Providers in the order in which they are asked: the brief's choice, else the settings', else what fits the language."""

    def __init__(self, brief: Brief, settings: Settings) -> None:
        self._brief = brief
        self._settings = settings

    @functools.cached_property
    def writer_names(self) -> tuple[str, ...]:
        return self._brief.providers.script or self._settings.providers.llm.names() or ("outline",)

    @functools.cached_property
    def speaker_names(self) -> tuple[str, ...]:
        from stages.speech.voice_registry import default_order

        named = self._brief.providers.speech or self._settings.providers.tts.names()
        # Silence is nobody's choice, but a last resort.
        return named or tuple(name for name in default_order(self._brief.language, self._brief.voice) if name != "text")

    @functools.cached_property
    def painter_names(self) -> tuple[str, ...]:
        return self._brief.providers.images or self._settings.providers.images.names()

    @property
    def may_degrade(self) -> bool:
        """Whether somebody else may do the work of those who are asked."""
        return self._settings.features.graceful_degradation.enabled

    def wanted(self, stage: str) -> str:
        """Who is asked first for a stage's work; empty for a stage that is this machine's own."""
        match stage:
            case "script":
                names = self.writer_names
            case "speech":
                names = self.speaker_names
            case "images":
                names = self.painter_names
            case _:
                names = ()
        return names[0] if names else ""

    def writers(self) -> tuple[ScriptWriter, ...]:
        return self._writers

    @functools.cached_property
    def _writers(self) -> tuple[ScriptWriter, ...]:
        from stages.script.writer_registry import create

        return tuple(create(name, **self._account(name)) for name in self.writer_names)

    def speakers(self) -> tuple[SpeechProvider, ...]:
        return self._speakers

    @functools.cached_property
    def _speakers(self) -> tuple[SpeechProvider, ...]:
        from stages.speech.voice_registry import create

        return tuple(create(name, **self._voice_account(name)) for name in self.speaker_names)

    def rest_speakers(self) -> None:
        """All lines are spoken: who spoke them may let go of what is large."""
        if "_speakers" in vars(self):
            for speaker in self._speakers:
                speaker.rest()

    def painters(self) -> tuple[ImageProvider, ...]:
        return self._painters

    @functools.cached_property
    def _painters(self) -> tuple[ImageProvider, ...]:
        from stages.images.picture_registry import create

        return tuple(create(name) for name in self.painter_names)

    @functools.cached_property
    def encoder_choice(self) -> Choice:
        """Who makes segments. Asks hardware where settings do, and is then a tenth of a second or more late, once."""
        from stages.render.encoders.encoder_choice import choose

        return choose(self._settings.rendering.codec, self._settings.rendering.encoder)

    def encoder(self, name: str) -> Encoder:
        """One that the choice or its substitute named; it is the only one that a segment's call is handed."""
        from stages.render.encoders.encoder_choice import create

        return create(name, self._settings.rendering.stall_timeout_s)

    @functools.cached_property
    def joiner(self) -> Encoder:
        """Mixes sound and joins segments. The same for every codec: the sound stays."""
        from stages.render.encoders.encoder import Libx264

        return Libx264(self._settings.rendering.stall_timeout_s)

    def services(self) -> list[Provider]:
        """Those over the network that this brief may ask. A brief with scenes needs no writer."""
        writers = () if self._brief.scenes else self.writers()
        return [one for one in (*writers, *self.speakers(), *self.painters()) if one.is_remote]

    def renew(self) -> None:
        """Make providers anew when they are needed next, with their keys as they are found then."""
        for made in ("_writers", "_speakers", "_painters"):
            self.__dict__.pop(made, None)

    # What enters keys

    @functools.cached_property
    def writer_identities(self) -> Identities:
        return identities(self.writers())

    @functools.cached_property
    def speaker_identities(self) -> Identities:
        return identities(self.speakers())

    @functools.cached_property
    def painter_identities(self) -> Identities:
        return identities(self.painters())

    @functools.cached_property
    def encoder_identity(self) -> Mapping[str, str]:
        """ffmpeg's; which of its encoders a segment uses stands in its spec."""
        return self.joiner.identity()

    @functools.cached_property
    def font_identity(self) -> str:
        from stages.typeset.fonts import packaged_identity

        return packaged_identity()

    def _voice_account(self, name: str) -> _VoiceAccount:
        account = self._settings.providers.account_of(name)
        if not isinstance(account, ElevenLabsAccount):
            return {}
        return {
            "api_key": find_key(name, account, os.environ)[0],
            "model": account.model,
            "voice": account.voice,
            "base_url": account.base_url,
        }

    def _account(self, name: str) -> _Account:
        providers = self._settings.providers
        accounts: dict[str, tuple[Kind, LlmAccount]] = {
            "openai": ("openai", providers.openai),
            "anthropic": ("anthropic", providers.anthropic),
            "localllm": ("compatible", providers.local_llm),
        }
        found = accounts.get(name.lower())
        if found is None:
            return {}
        kind, account = found
        return {
            "kind": "compatible" if kind == "openai" and account.base_url else kind,
            "model": account.model,
            "api_key": find_key(name, account, os.environ)[0],
            "base_url": account.base_url or None,
        }
