"""Secrets in text that leaves: every text for the ledger, the store, the log, a report, an alert or the terminal passes here.

`SECRETS` knows each secret of this process from the moment it is read, even one that is refused. What is replaced:

- a secret as a whole, and every part of it of 8 characters or more (a service may repeat the half of a key) but an English word
  that stands in it as a word: a key such as `my-connection-7f3a` hides no "connection";
- the same percent-encoded, backslash-escaped (JSON, `repr`), HTML-escaped, or in base64, alone or as `user:password`;
- a secret of 8 characters or more with any of its characters written as %5A, \\x5a, \\u005a, &#90; or &#x5a;, or all of it in hex;
- what has the shape of a key or of a login within an address, whoever it belongs to.

A secret shorter than 8 characters is replaced where it stands as a word of its own, one shorter than 6 only within an address.
"""

from __future__ import annotations

import logging
import re
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from config.secret_forms import SHORTEST_PART, escaped_pattern, forms_of, in_base64, whole_pattern, words_in

MASK = "********"
# A part of 8 characters, wherever it begins, holds a whole group of 4 that begins at a multiple of 5.
_GROUP = 4
_STRIDE = SHORTEST_PART - _GROUP + 1
# What people enter where a server of their own wants any key at all.
_PLACEHOLDERS = frozenset(
    {"ollama", "lm-studio", "not-needed", "no-key", "no-key-required", "sk-no-key-required", "dummy-key", "placeholder"}
)
# Words of the addresses that alerts go to; they stand in ordinary text as well.
_ADDRESS_WORDS = frozenset({"services", "webhooks", "messages", "channels", "incoming", "notifications", "localhost"})
_SHAPES = re.compile(
    r"(?<![\w-])sk[-_](?=[\w-]*\d)[A-Za-z0-9_-]{20,}"
    r"|(?<![\w-])sk[-_][A-Za-z0-9_-]*\*{3,}[A-Za-z0-9_*-]*"
    r"|(?<=[Bb]earer )[A-Za-z0-9._~+/=-]{16,}"
    # Not our own example of how a login is written.
    r"|(?<=://)(?!user:password@)[^\s/@:]*:[^\s/@]+(?=@)"
)
#: What stands before a key where a line of a shell, of an environment file or of JSON is given in its place.
NAMED_KEY = re.compile(
    r"""^[\s\[{(<"']*(?:export\s+|set\s+|\$env:)?(?:[A-Za-z][\w.-]*)?(?:key|token|secret)["']?\s*[=:]\s*["']?""",
    re.IGNORECASE,
)
_INSIDE = re.compile(r"[\w+/=%\\-]")
_MARKS = ("sk-", "sk_", "earer ", "://")
_SECRET_NAME = re.compile(
    r"(?:^|_)(?:API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|AUTH_?KEY|SECRET|TOKEN|PASSWORD|PASSWD)S?"
    r"(?:_(?!.*(?:FILE|PATH|DIR|URL|NAME|ID)$)|$)",
    re.IGNORECASE,
)
_ADDRESSES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "OPENAI_BASE_URL", "ANTHROPIC_BASE_URL")
# Names under which documents say where a user's own files are: a program must find them there.
_PLACES = frozenset({"path", "sidecars", "output", "source"})
_SHORTEST_OF_OTHERS, _LONGEST_OF_OTHERS = 12, 4096


#: Without one of these in a text, nothing in it is escaped.
_ESCAPES = ("%", "\\x", "\\u", "\\U", "&#")


class _State(NamedTuple):
    """What is looked for. Replaced as a whole, so that readers need no lock."""

    parts: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    wholes: re.Pattern[str] | None = None
    known: frozenset[str] = frozenset()
    words: frozenset[str] = frozenset()


class Redactor:
    """Replaces the secrets that it was told of. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._secrets: set[str] = set()
        self._words: set[str] = set()
        self._state = _State()

    def learn(self, *secrets: str) -> None:
        """Leave these out of every text from now on, and every part of them of 8 characters or more."""
        bare = (NAMED_KEY.sub("", secret).strip() for secret in secrets)
        self._learn({text for text in bare if text and text.lower() not in _PLACEHOLDERS})

    def learn_login(self, address: str) -> None:
        """Leave out user and password of an address that is none else a secret: a proxy's, a server's."""
        for user, password in _logins(address):
            if not password:
                # A token in place of user and password.
                self.learn(user, urllib.parse.unquote(user), *in_base64(f"{urllib.parse.unquote(user)}:"))
                continue
            pair = f"{urllib.parse.unquote(user)}:{urllib.parse.unquote(password)}"
            self.learn(password, urllib.parse.unquote(password), pair, *in_base64(pair))

    def learn_address(self, address: str) -> None:
        """Leave out an address that is a secret, as alerts have them, and all that is one by itself in it."""
        self.learn_login(address)
        self.learn(*_secrets_in(address), *(part.lower() for part in _secrets_in(address)))
        self._learn(set(), {address.strip()})

    def learn_environment(self, environ: Mapping[str, str]) -> None:
        """Leave out what the environment holds: logins of proxies, keys. Those of other programs only as a whole."""
        for name, value in environ.items():
            if name.upper() in _ADDRESSES:
                self.learn_login(value)
            elif "ALERTURLS" in name.upper().replace("_", ""):
                self.learn_addresses(value)
            elif _SECRET_NAME.search(name):
                if name.startswith("FRAMEKEEP_") or _is_ours(name):
                    self.learn(value)
                elif _SHORTEST_OF_OTHERS <= len(value) <= _LONGEST_OF_OTHERS and not value.startswith(("/", "~", ".")):
                    self._learn(set(), {value})

    def learn_addresses(self, text: str) -> None:
        """Leave out secret addresses that stand in one text, in any spelling of a list."""
        for address in re.split(r"[\s,;\"'\[\]]+", text):
            if "://" in address:
                self.learn_address(address)

    def learn_arguments(self, arguments: Sequence[str]) -> None:
        """Leave out what a command line gives with `--set KEY=VALUE` where the key names a secret."""
        for before, text in zip(("", *arguments), arguments, strict=False):
            pair = text.removeprefix("--set=") if text.startswith("--set=") else text if before == "--set" else ""
            name, _, value = pair.partition("=")
            squashed = re.sub(r"[\W_]", "", name.lower())
            if squashed.endswith("apikey") or _SECRET_NAME.search(name):
                self.learn(value)
            elif "alerturls" in squashed:
                self.learn_addresses(value)

    def _learn(self, secrets: set[str], wholes: set[str] = frozenset()) -> None:  # type: ignore[assignment]
        with self._lock:
            if secrets <= self._secrets and wholes <= self._words:
                return
            self._secrets |= secrets
            self._words |= wholes
            forms = {form for secret in self._secrets for form in forms_of(secret)}
            # What has hardly any characters, as a line of stars, is no part that tells anything.
            parts = frozenset(
                part
                for form in forms
                for start in range(len(form) - SHORTEST_PART + 1)
                if len(set(part := form[start : start + SHORTEST_PART])) > 2
            )
            groups = frozenset(part[at : at + _GROUP] for part in parts for at in range(SHORTEST_PART - _GROUP + 1))
            known = frozenset(self._words | self._secrets)
            words = frozenset(word for secret in self._secrets for word in words_in(secret))
            self._state = _State(parts, groups, whole_pattern(known), known, words)

    def redact(self, text: str) -> str:
        """The text without any secret."""
        state = self._state
        if any(mark in text for mark in _ESCAPES) and (escaped := escaped_pattern(state.known)):
            text = escaped.sub(MASK, text)
        if state.groups and len(text) >= SHORTEST_PART:
            text = _without_parts(text, state)
        if state.wholes:
            text = state.wholes.sub(MASK, text)
        return _SHAPES.sub(MASK, text) if any(mark in text for mark in _MARKS) else text

    def redact_in(self, value: Any) -> Any:
        """The same for all strings in a document of lists and mappings. Names of mappings stay, and where files stand."""
        if isinstance(value, str):
            return self.redact(value)
        if isinstance(value, Mapping):
            return {name: item if name in _PLACES else self.redact_in(item) for name, item in value.items()}
        if isinstance(value, list | tuple):
            return [self.redact_in(item) for item in value]
        return value


SECRETS = Redactor()


class RedactingFormatter(logging.Formatter):
    """Lines of a log, tracebacks included, without any secret."""

    def format(self, record: logging.LogRecord) -> str:
        return SECRETS.redact(super().format(record))


def redact(text: str) -> str:
    """The text without any secret that this process knows."""
    return SECRETS.redact(text)


def redact_in(value: Any) -> Any:
    """A document without any secret that this process knows."""
    return SECRETS.redact_in(value)


def _without_parts(text: str, state: _State) -> str:
    pieces, done, at = [], 0, 0
    while at <= len(text) - _GROUP:
        span = _span_around(text, at, done, state.parts) if text[at : at + _GROUP] in state.groups else None
        if span is None:
            at += _STRIDE
            continue
        start, at = span
        if not _is_word(text, start, at, state.words):
            pieces += [text[done:start], MASK]
            done = at
    return "".join([*pieces, text[done:]]) if pieces else text


def _span_around(text: str, at: int, least: int, parts: frozenset[str]) -> tuple[int, int] | None:
    """Where the secret text begins and ends that holds the group at `at`; None where none does."""
    for start in range(max(least, at - _STRIDE + 1), at + 1):
        if text[start : start + SHORTEST_PART] not in parts:
            continue
        end = start + SHORTEST_PART
        while end < len(text) and text[end - SHORTEST_PART + 1 : end + 1] in parts:
            end += 1
        return start, end
    return None


def _is_word(text: str, start: int, end: int, words: frozenset[str]) -> bool:
    """Whether a part of a secret is of one of the words in it, and stands as a word of ordinary text."""
    if not any(text[start:end] in word for word in words):
        return False
    return not _INSIDE.match(text[start - 1 : start]) and not _INSIDE.match(text[end : end + 1])


def _is_ours(name: str) -> bool:
    return name.upper().startswith(("OPENAI_", "ANTHROPIC_", "ELEVENLABS_"))


def _logins(address: str) -> Iterator[tuple[str, str]]:
    """User and password of an address; no password where a token stands for both.

    A password may hold what would end an address, but `host:80/…@…` has none.
    """
    rest = address.strip().partition("://")[2] or address.strip()
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    host = authority.rpartition("@")[2]
    # `u:p@ss/word@host:1`: what follows the first @ is no host, what follows the last one is.
    is_longer = not re.search(r"[.:]|^localhost$", host) and re.search(r"@[\w-]+(?:[.:][\w.-]+)+/?$", rest)
    login, at, _ = (authority if "@" in authority and not is_longer else rest).rpartition("@")
    user, colon, password = login.partition(":")
    if at and colon and not re.match(r"\d*[/?#]", password):
        yield user, password
    elif at and not colon and not re.search(r"[/?#]", user):
        yield user, ""


def _secrets_in(address: str) -> list[str]:
    """What is secret by itself in an address that alerts go to: everything but the scheme, domains and common words."""
    _, _, rest = address.strip().partition("://")
    found = []
    for part in re.split(r"[/?&=#:@,+]", rest):
        is_domain = re.fullmatch(r"[\w-]+(?:\.[\w-]+)*\.(?:[A-Za-z]{2,12}|\d{1,3})", part) is not None
        if len(part) >= SHORTEST_PART and not is_domain and part.lower() not in _ADDRESS_WORDS:
            found += [part, urllib.parse.unquote(part)]
    return found
