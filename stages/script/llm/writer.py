"""Scripts by a language model: OpenAI, Anthropic, or any server that speaks OpenAI's protocol."""

from __future__ import annotations

import copy
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

from config.errors import ProviderError, RejectedError, TransientError, UnavailableError
from stages.base import CancelToken
from stages.http.client import Sending, call_service, loading
from stages.http.loop_call import call_in_loop
from stages.models import Brief, Script, ScriptScene
from stages.script.llm.account import KEY_VARIABLES, ModelAccount
from stages.script.llm.answer import Answer, AnswerError, read_answer
from stages.script.llm.narration_text import heading, spoken
from stages.script.llm.prompt import PROMPT_VERSION, DraftScene, message, wanted_words
from stages.script.llm.request import ask_model
from stages.script.llm.request_style import RequestStyle
from stages.script.script_writer import FIRST_ASK, Again, Ask, ScriptWriter, again
from stages.script.words import count_words

#: Noted beyond this share of the words asked for, and asked again once; beyond this many times more or fewer it is no answer.
_TOLERANCE = 0.15
_FAR_OFF = 5
_MOST_PROMPT_CHARS = 400
_MOST_SAID_CHARS = 160
_MOST_NAMES = 5
#: Room for an answer that was cut off before: so many times what it was, and at least enough for a model that thinks aloud.
_MORE_ROOM = 3
_LEAST_ROOM_TOKENS = 8192
_MARKS = ("\u201c", "\u201d")


class LlmWriter(ScriptWriter):
    """Asks a language model once for the whole script, as typed output."""

    def __init__(self, name: str, account: ModelAccount) -> None:
        self.name = name
        self._account = account
        self._request_id = ""
        self._sending = Sending()
        self.is_remote = True
        self.server = f"{account.address} {account.model}"
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
                import pydantic_ai.providers.openai  # noqa: F401 - what `ask_model` needs, see there

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
        variable = KEY_VARIABLES.get(account.kind)
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
        from stages.http.service_check import ask_for_list

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

    def write(self, brief: Brief, cancel: CancelToken, timeout_s: float, ask: Ask = FIRST_ASK) -> Script | Again:
        """The script, by one request that is never repeated here, or what to ask next."""
        self.check(brief)
        self.prepare(cancel)
        style = RequestStyle.read(ask.style, self._usual_style())
        text = message(brief, ask.words_before)
        refusals: list[Exception] = []
        try:
            answer = call_service(
                self.name,
                self._account.url,
                lambda: ask_model(self.name, self._account, style, text, self._request_id, self._sending, timeout_s),
                cancel,
                timeout_s,
                lambda error: self._translated(error, refusals),
            )
        except (RejectedError, TransientError) as error:
            other = self._other_style(style, error, refusals)
            if other is None and ask.was_cut_off and style.is_too_much(error.message):
                raise self._cut_off(f"it does not take a request with room for {style.room_tokens} tokens") from error
            if other is None:
                raise
            changed = ask.model_copy(update={"style": other.text()})
            return again(changed, f"{error.message}; asked again in another form", is_charged=False)
        try:
            drafts = read_answer(answer)
        except AnswerError as error:
            return self._after(error, answer, ask, style)
        return self._judged(self._script(brief, drafts), brief, ask)

    def _translated(self, error: Exception, refusals: list[Exception]) -> ProviderError | None:
        from stages.script.llm.errors import translate

        refusals.append(error)
        return translate(error, self.name, self._account.url)

    def _other_style(self, style: RequestStyle, error: ProviderError, refusals: list[Exception]) -> RequestStyle | None:
        """The style to ask in next, where it was for the style that the server refused."""
        from stages.script.llm.errors import refusal_of

        if error.kind == "ContentRefused":
            return None
        # A refusal that came as a success is told before the client sees it, and has no other words.
        told = (400 if isinstance(error, RejectedError) else None, error.message)
        status, said = refusal_of(refusals[-1]) if refusals else told
        return style.after_refusal(status, said, may_guess=self._account.kind == "compatible")

    def style_to_keep(self, ask: Ask) -> str:
        usual = self._usual_style()
        lasting = RequestStyle.read(ask.style, usual).lasting()
        return "" if lasting == usual.lasting() else lasting.text()

    def _usual_style(self) -> RequestStyle:
        return RequestStyle(limit_name="max_tokens" if self._account.kind == "compatible" else "max_completion_tokens")

    def _after(self, error: AnswerError, answer: Answer, ask: Ask, style: RequestStyle) -> Again:
        """What to ask next after an answer that holds no script. Raises ProviderError where nothing is left to ask."""
        said = (
            f": {_MARKS[0]}{textwrap.shorten(error.said, _MOST_SAID_CHARS, placeholder='…')}{_MARKS[1]}"
            if error.said
            else ""
        )
        if error.fault == "cut off" and not ask.was_cut_off:
            room = max(_LEAST_ROOM_TOKENS, answer.tokens * _MORE_ROOM)
            changed = {"was_cut_off": True, "style": replace(style, room_tokens=room).text()}
            why = f"{self.name} stopped at its token limit; asked again with room for {room} tokens"
            return again(ask.model_copy(update=changed), why, is_charged=True)
        if error.fault == "cut off":
            raise self._cut_off(f"also when it was given room for {style.room_tokens} tokens")
        if error.fault == "refused":
            raise RejectedError(
                f"{self.name} refused to write this{said}",
                provider=self.name,
                hint="change the brief's text, or name another writer with `providers: {script: ...}`",
                kind="ContentRefused",
            )
        what = "the model answered nothing" if error.fault == "nothing" else f"the model's answer holds no script{said}"
        if not ask.was_unreadable and not ask.earlier:
            changed_ask = ask.model_copy(update={"was_unreadable": True})
            return again(changed_ask, f"{self.name}: {what}; asked once more", is_charged=True)
        raise RejectedError(
            f"{self.name}: {what}, and nothing else when it was asked again",
            provider=self.name,
            hint="choose another model, or name another writer with `providers: {script: ...}`",
        )

    def _cut_off(self, why: str) -> RejectedError:
        return RejectedError(
            f"{self.name} stopped at its token limit, {why}: its script is cut off",
            provider=self.name,
            hint="give the brief a shorter `length`, raise the server's limit on an answer or its context, "
            "or name another writer with `providers: {script: ...}`",
        )

    def _script(self, brief: Brief, drafts: Sequence[DraftScene]) -> Script:
        """The model's scenes as ours. What only a model does wrong is found here."""
        scenes: list[ScriptScene] = []
        notes: list[str] = []
        for number, draft in enumerate(drafts, 1):
            narration = spoken(draft.narration)
            notes += [f"scene {number}: left out of what {self.name} wrote: {what}" for what in narration.left_out]
            if not count_words(narration.text):
                notes.append(f"scene {number} of what {self.name} wrote has no words to speak, and is left out")
                continue
            prompt = textwrap.shorten(draft.picture_prompt, _MOST_PROMPT_CHARS, placeholder="…")
            scenes.append(ScriptScene(narration=narration.text, heading=heading(draft.heading), picture_prompt=prompt))
        if len({scene.narration for scene in scenes}) < len(scenes):
            raise TransientError(
                f"{self.name}: the answer says the same thing in several scenes",
                provider=self.name,
                hint="framekeep resume, or choose a larger model",
                kind="ServiceUnavailable",
            )
        return Script(title=brief.title, scenes=tuple(scenes), writer=self.name, notes=tuple(notes))

    def _judged(self, script: Script, brief: Brief, ask: Ask) -> Script | Again:
        """The script where it is as long as was asked; else the better of two, which says so, or what to ask for the second."""
        wanted, words = wanted_words(brief), _words(script)
        if abs(words - wanted) <= wanted * _TOLERANCE:
            return script
        told = self._with_length(script, words, wanted, asked_twice=bool(ask.words_before))
        is_answer = wanted / _FAR_OFF <= words <= wanted * _FAR_OFF
        if brief.target_length_s and not ask.words_before and words:
            changed = ask.model_copy(update={"words_before": words, "earlier": told if is_answer else None})
            return again(
                changed, f"{self.name} wrote {words} words where about {wanted} were asked for", is_charged=True
            )
        if ask.earlier and abs(ask.words_before - wanted) < abs(words - wanted):
            return self._with_length(ask.earlier, ask.words_before, wanted, asked_twice=True)
        if not is_answer:
            raise RejectedError(
                f"{self.name} wrote {words} words where about {wanted} were asked for",
                provider=self.name,
                hint="choose a larger model, or name another writer with `providers: {script: ...}`",
            )
        return told

    def _with_length(self, script: Script, words: int, wanted: int, *, asked_twice: bool) -> Script:
        """The script with one note on its length, in place of an earlier one."""
        twice = ", asked twice," if asked_twice else ""
        note = f"{self.name}{twice} wrote {words} words where about {wanted} were asked for: the film is " + (
            "longer" if words > wanted else "shorter"
        )
        others = tuple(one for one in script.notes if " words where about " not in one)
        return script.model_copy(update={"notes": (*others, note)})

    def _unavailable(self, what: str, hint: str) -> UnavailableError:
        return UnavailableError(f"{self.name}: {what}", provider=self.name, hint=hint)


def _listed_names(document: Any) -> list[str]:
    """Models in an answer of OpenAI's form; none where it has another."""
    rows = document.get("data") if isinstance(document, dict) else None
    found = [row.get("id") for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return [name for name in found if isinstance(name, str)]


def _words(script: Script) -> int:
    return sum(count_words(scene.narration) for scene in script.scenes)
