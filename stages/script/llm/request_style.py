"""How a server wants to be asked for a script: found out by asking, and remembered.

Services that speak the same protocol differ in what they take: a JSON schema, JSON mode, or neither; one of two names for the
limit on an answer's length; instructions of their own role, or none. A request that is refused for such a reason costs nothing,
and is made again in another style. Which refusals are of that kind is told by their words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, Self

from pydantic import TypeAdapter, ValidationError

Form = Literal["schema", "json", "prompt"]
LimitName = Literal["max_tokens", "max_completion_tokens", "none"]

LIMIT_NAMES: tuple[LimitName, ...] = ("max_tokens", "max_completion_tokens", "none")
#: In the order in which they are tried: the server holds the model to the schema, to JSON, or to nothing.
FORMS: tuple[Form, ...] = ("schema", "json", "prompt")

_OF_FORM = re.compile(
    r"response[_ -]?format|json[_ -]?schema|json[_ -]?object|json[_ -]?mode|json_validate_failed|structured[_ -]?output"
    r"|output[_ -]?(?:format|config|schema)|guided|grammar|\bschema\b|\bstrict\b|tool(?:s|_choice|_use| use| calling)?\b"
    r"|function(?:s| calling)\b|no endpoints found that (?:support|can handle)|failed to generate json|must contain the word",
    re.IGNORECASE,
)
_OF_ROLE = re.compile(
    r"(?:system|developer)[ _-]?(?:role|message|prompt|instruction)s?\b[^.]{0,60}\b(?:not|un|only|cannot|isn)"
    r"|(?:not|un)[ -]?support\w*[^.]{0,40}\b(?:system|developer)\b|roles must alternate|does not support '(?:system|developer)'"
    r"|\brole\b[^.]{0,60}'(?:system|developer)'|only (?:the )?\W?user\W? (?:and|or) (?:the )?\W?(?:assistant|model)\W? roles?"
    r"|(?:unexpected|invalid|unknown|unsupported|unrecognized) (?:message )?role|\brole\b[^.]{0,80}should be \W?(?:user"
    r"|assistant)\b",
    re.IGNORECASE,
)
_OF_LIMIT = re.compile(
    r"max_?(?:completion_|new_|output_)?tokens|maxOutputTokens|(?:in|for) (?:the|your) (?:completion|output)"
    r"|(?:completion|output|new) tokens",
    re.IGNORECASE,
)
#: A server that counts request and answer together.
_CONTEXT = re.compile(r"context (?:length|window|size)\D{0,40}?(\d{3,7})|(\d{3,7})[- ]tokens? context", re.IGNORECASE)
_REQUEST = re.compile(
    r"(\d{1,7}) (?:tokens? )?(?:(?:in|from|of|for) (?:the|your) (?:messages?|prompt|inputs?)|(?:input|prompt|message"
    r"|of text input)\b)",
    re.I,
)
_TOO_MUCH = re.compile(
    r"too (?:large|high|big|many)|at most|less than|exceed|maximum|greater than|\brange\b|between|must be <"
    r"|context (?:length|window|size)|\d\s*>\s*\d",
    re.I,
)
#: What has its own remedy, however the form is asked for.
_OF_SOMETHING_ELSE = re.compile(
    r"context[_ ](?:length|window|size)|too (?:long|many tokens)|model[^.]{0,60}(?:not found|does not exist|not exist|unknown|no"
    r" such|not loaded|failed to load)|no models? (?:is )?loaded|api[_ ]key|content[_ ]?(?:filter|policy|management)"
    r"|moderation|safety",
    re.IGNORECASE,
)
_REFUSING = frozenset({400, 404, 405, 406, 415, 422, 500, 501})
#: With these a server that says nothing of use may mean the form as well.
_VAGUE = frozenset({400, 415, 422, 501})
_LEAST_ROOM = 1024
_SPARE_TOKENS = 16


@dataclass(frozen=True)
class RequestStyle:
    """`refused` are forms that the server did not take; `room_tokens` is the most that an answer may be long, 0 for the server's
    own limit. `is_known`: the server has answered in this style before.
    """

    form: Form = "schema"
    limit_name: LimitName = "max_completion_tokens"
    role: Literal["system", "user"] = "system"
    room_tokens: int = 0
    refused: tuple[Form, ...] = ()
    tried_limits: tuple[LimitName, ...] = ()
    is_known: bool = False

    @classmethod
    def read(cls, text: str, usual: Self) -> Self:
        """The style that `text` notes; the usual one where it notes none."""
        try:
            return TypeAdapter(cls).validate_json(text)
        except ValidationError:
            return usual

    def text(self) -> str:
        return TypeAdapter(RequestStyle).dump_json(self).decode()

    def lasting(self) -> RequestStyle:
        """What holds for the next script, too."""
        return RequestStyle(self.form, self.limit_name, self.role, is_known=True)

    def after_refusal(self, status: int | None, said: str, *, may_guess: bool) -> RequestStyle | None:
        """The style to ask in next, once the server has refused this one; None where the refusal is about something else.

        With `may_guess` a refusal that says nothing of use counts as one of the form, unless the server is known to take it.
        """
        if status not in _REFUSING:
            return None
        if self.room_tokens and _OF_LIMIT.search(said):
            return self._with_other_limit(said)
        if self.role == "system" and _OF_ROLE.search(said):
            return replace(self, role="user")
        if _OF_SOMETHING_ELSE.search(said) and not re.search(r"response_?format|json_schema", said):
            return None
        is_vague = may_guess and not self.is_known and status in _VAGUE
        return self._with_next_form() if _OF_FORM.search(said) or is_vague else None

    def is_too_much(self, said: str) -> bool:
        """Whether a refusal is about the room that was asked for."""
        return bool(self.room_tokens and (_OF_LIMIT.search(said) or _CONTEXT.search(said)))

    def _with_next_form(self) -> RequestStyle | None:
        refused = (*self.refused, self.form)
        form = next((form for form in FORMS if form not in refused), None)
        return replace(self, form=form, refused=refused, is_known=False) if form else None

    def _with_other_limit(self, said: str) -> RequestStyle | None:
        """Less room where the server says that it is too much, else the limit by its other name, else none."""
        if _TOO_MUCH.search(said):
            context, request = _CONTEXT.search(said), _REQUEST.search(said)
            if context and request:
                left = int(context[1] or context[2]) - int(request[1]) - _SPARE_TOKENS
                return replace(self, room_tokens=left) if _LEAST_ROOM <= left < self.room_tokens else None
            named = [int(number) for number in re.findall(r"\d{3,7}", said)]
            less = max((number for number in named if number < self.room_tokens), default=0)
            less = less if less >= self.room_tokens // 2 else self.room_tokens // 2
            return replace(self, room_tokens=less) if less >= _LEAST_ROOM else None
        tried = (*self.tried_limits, self.limit_name)
        name = next((name for name in LIMIT_NAMES if name not in tried), None)
        return replace(self, limit_name=name, tried_limits=tried) if name else None
