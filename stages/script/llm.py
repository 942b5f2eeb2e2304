"""Scripts by a language model: OpenAI, Anthropic, or any server that speaks OpenAI's protocol."""

from __future__ import annotations

import copy
import os
import re
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import SecretStr

from config.errors import RejectedError, TransientError, UnavailableError
from config.secret_text import clean_key
from stages.base import CancelToken
from stages.http_client import Sending, call_service, loading, open_client
from stages.loop_call import call_in_loop
from stages.models import Brief, Script, ScriptScene
from stages.script.base import ScriptWriter
from stages.script.prompt import INSTRUCTIONS, PROMPT_VERSION, Draft, DraftScene, message, wanted_words
from stages.script.words import count_words

if TYPE_CHECKING:
    from pydantic_ai.models import Model
    from pydantic_ai.output import OutputSpec

Kind = Literal["openai", "anthropic", "compatible"]

#: Noted beyond this share of the words asked for; beyond this many times more or fewer it is no answer at all.
_TOLERANCE = 0.25
_FAR_OFF = 5
_MOST_PROMPT_CHARS = 400
_MOST_NAMES = 5
_KEY_VARIABLES = {"openai": "OPENAI_API_KEY", "anthropic": "ANTHROPIC_API_KEY"}
_URL_VARIABLES = {"openai": "OPENAI_BASE_URL", "anthropic": "ANTHROPIC_BASE_URL"}
_USUAL_URLS = {"openai": "https://api.openai.com/v1", "anthropic": "https://api.anthropic.com"}
_MARKUP = re.compile(r"^[#>*\-\s]+|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", re.MULTILINE)
#: "[music fades in]", "(pause)" on its own, "Narrator:".
_DIRECTION = re.compile(
    r"\[[^\]]{0,80}\]|^\s*\([^)]{0,80}\)\s*$|^\s*(?:narrator|voice-?over|vo|sprecher|narrateur)\s*:", re.I | re.M
)


@dataclass(frozen=True)
class Account:
    """How to reach a model. Without `api_key` the SDK's environment variable counts, but not for a server of one's own."""

    kind: Kind
    model: str
    api_key: SecretStr | None = None
    base_url: str | None = None

    @property
    def key(self) -> str:
        own = self.api_key.get_secret_value() if self.api_key else ""
        return clean_key(own or os.environ.get(_KEY_VARIABLES.get(self.kind, ""), ""))

    @property
    def url(self) -> str:
        named = self.base_url or os.environ.get(_URL_VARIABLES.get(self.kind, ""), "")
        return (named or _USUAL_URLS.get(self.kind, "")).strip()

    @property
    def address(self) -> str:
        """Host, port and path: never a user name, password or query, which may be secret."""
        try:
            parts = urlsplit(self.url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return ""
        return f"{host}:{port}{parts.path}" if port else f"{host}{parts.path}"


class LlmWriter(ScriptWriter):
    """Asks a language model once for the whole script, as typed output."""

    def __init__(self, name: str, account: Account) -> None:
        self.name = name
        self._account = account
        self._request_id = ""
        self._sending = Sending()
        self.is_remote = True
        # A server of one's own that wants no key sends no bill either.
        self.paid = account.kind != "compatible" or bool(account.key)

    def asking(self, request_id: str) -> Self:
        """Sent along as `Idempotency-Key`. Not every service heeds it, so it is no promise: `remembers` stays off."""
        asking = copy.copy(self)
        asking._request_id, asking._sending = request_id, Sending()
        return asking

    def may_have_asked(self) -> bool:
        return self._sending.has_begun

    def prepare(self, cancel: CancelToken) -> None:
        call_in_loop(self._load, cancel, 0.0)

    async def _load(self) -> None:
        with loading(self.name):
            if self._account.kind == "anthropic":
                import pydantic_ai.models.anthropic
                import pydantic_ai.providers.anthropic
            else:
                import pydantic_ai.models.openai
                import pydantic_ai.providers.openai  # noqa: F401 - what `_ask` needs, see there

    def identity(self) -> dict[str, str]:
        return {
            "kind": self._account.kind,
            "model": self._account.model,
            "address": self._account.address,
            "prompt": PROMPT_VERSION,
        }

    def check(self, brief: Brief) -> None:
        """Raise `UnavailableError` when key, model or address is missing, or the brief has nothing to write about."""
        account = self._account
        settings = f"FRAMEKEEP_PROVIDERS__{self.name.upper()}__"
        variable = _KEY_VARIABLES.get(account.kind)
        if variable and not account.key:
            raise self._unavailable("no API key", f"set {variable}, or {settings}APIKEY for Framekeep alone")
        if not account.model.strip():
            raise self._unavailable("no model is named", f"set {settings}MODEL, for example to what the server lists")
        if not account.url:
            example = f"for example {settings}BASEURL=http://127.0.0.1:11434/v1"
            raise self._unavailable("no address is set", f"name the server, {example}")
        if not account.url.lower().startswith(("http://", "https://")) or not account.address:
            raise self._unavailable("its address is not a http:// or https:// URL", f"correct {settings}BASEURL")
        if not count_words(brief.text) and not count_words(brief.title):
            raise self._unavailable("the brief has neither text nor title", "say in the brief what the film is about")

    def connect(self, cancel: CancelToken, timeout_s: float) -> None:
        """Ask for the list of models, and look whether it names the account's, where that can be told."""
        from stages.connection import ask_for_list

        account = self._account
        if account.kind == "anthropic":
            path, headers = "/v1/models?limit=1", {"x-api-key": account.key, "anthropic-version": "2023-06-01"}
        else:
            path, headers = "/models", {"authorization": f"Bearer {account.key or 'none'}"}
        listed = ask_for_list(self.name, account.url.rstrip("/") + path, headers, cancel, timeout_s)
        names = [] if account.kind == "anthropic" else _listed_names(listed)
        if names and account.model not in names:
            # Not Anthropic's: its list has no aliases.
            raise RejectedError(
                f"{self.name} does not list a model '{account.model}'",
                provider=self.name,
                hint=f"set Providers.{self.name}.Model to one that it lists: {', '.join(names[:_MOST_NAMES])}",
            )

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float) -> Script:
        """The script, by one request that is never repeated here. A length off target is noted, not refused."""
        from stages.script.llm_errors import translate

        self.check(brief)
        self.prepare(cancel)
        draft = call_service(
            self.name,
            self._account.url,
            lambda: self._ask(brief, timeout_s),
            cancel,
            timeout_s,
            lambda error: translate(error, self.name, self._account.url),
        )
        scenes = self._scenes(draft.scenes)
        words, wanted = sum(count_words(scene.narration) for scene in scenes), wanted_words(brief)
        if not wanted / _FAR_OFF <= words <= wanted * _FAR_OFF:
            raise TransientError(
                f"{self.name} wrote {words} words where about {wanted} were asked for",
                provider=self.name,
                hint="framekeep resume, or choose a larger model",
                kind="ServiceUnavailable",
            )
        return Script(title=brief.title, scenes=scenes, writer=self.name, notes=_notes(words, wanted))

    async def _ask(self, brief: Brief, timeout_s: float) -> Draft:
        import pydantic_ai

        pydantic_ai.BANNER_ENABLED = False
        async with self._client(timeout_s) as client:
            model = self._model(client)
            agent: pydantic_ai.Agent[None, Draft] = pydantic_ai.Agent(
                model,
                output_type=self._output(model),
                instructions=INSTRUCTIONS,
                retries=0,
                model_settings={"extra_headers": {"Idempotency-Key": self._request_id}} if self._request_id else None,
            )
            return (await agent.run(message(brief))).output

    def _client(self, timeout_s: float) -> Any:
        """The SDK's client with its own retries off: retrying is the caller's business."""
        client = open_client(self.name, timeout_s, self._sending, follow_redirects=True)
        options: dict[str, Any] = {"base_url": self._account.url, "max_retries": 0, "http_client": client}
        if self._account.kind == "anthropic":
            from anthropic import AsyncAnthropic

            return AsyncAnthropic(api_key=self._account.key, **options)
        from openai import AsyncOpenAI

        # A server of one's own may need no key, but the SDK insists on one.
        return AsyncOpenAI(api_key=self._account.key or "none", **options)

    def _model(self, client: Any) -> Model:
        if self._account.kind == "anthropic":
            from pydantic_ai.models.anthropic import AnthropicModel
            from pydantic_ai.providers.anthropic import AnthropicProvider

            return AnthropicModel(self._account.model, provider=AnthropicProvider(anthropic_client=client))
        from pydantic_ai.models.openai import OpenAIChatModel
        from pydantic_ai.providers.openai import OpenAIProvider
        from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

        if self._account.kind == "openai":
            return OpenAIChatModel(self._account.model, provider=OpenAIProvider(openai_client=client))
        # Expects less of the server: only what the protocol's copies have in common.
        return OpenAIChatModel(self._account.model, provider=OpenAICompatibleProvider(self.name, openai_client=client))

    def _output(self, model: Model) -> OutputSpec[Draft]:
        """JSON by schema where the model has it: local servers know that and no tools. Older Anthropic models know only tools."""
        from pydantic_ai import NativeOutput, ToolOutput

        if self._account.kind != "anthropic" or model.profile.get("supports_json_schema_output"):
            return NativeOutput(Draft, name="script", strict=True)
        return ToolOutput(Draft, name="script")

    def _scenes(self, drafts: Sequence[DraftScene]) -> tuple[ScriptScene, ...]:
        """The model's scenes as ours. Empty ones are found by the stage; what only a model does wrong is found here."""
        scenes = tuple(
            ScriptScene(
                narration=_spoken(draft.narration),
                heading=_spoken(draft.heading).rstrip(".:;,"),
                picture_prompt=textwrap.shorten(draft.picture_prompt, _MOST_PROMPT_CHARS, placeholder="…"),
            )
            for draft in drafts
        )
        if len({scene.narration for scene in scenes}) < len(scenes):
            raise TransientError(
                f"{self.name}: the answer says the same thing in several scenes",
                provider=self.name,
                hint="framekeep resume, or choose a larger model",
                kind="ServiceUnavailable",
            )
        return scenes

    def _unavailable(self, what: str, hint: str) -> UnavailableError:
        return UnavailableError(f"{self.name}: {what}", provider=self.name, hint=hint)


def _listed_names(document: Any) -> list[str]:
    """Models in an answer of OpenAI's form; none where it has another."""
    rows = document.get("data") if isinstance(document, dict) else None
    found = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [name for name in found if isinstance(name, str)]


def _spoken(text: str) -> str:
    """Without what models add although they are told not to: marks, stage directions, speakers' names."""
    return " ".join(_MARKUP.sub("", _DIRECTION.sub(" ", text)).split())


def _notes(words: int, wanted: int) -> tuple[str, ...]:
    if abs(words - wanted) <= wanted * _TOLERANCE:
        return ()
    return (f"the model wrote {words} words where about {wanted} were asked for",)
