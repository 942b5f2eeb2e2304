"""What a secret must look like: cleaned at both ends, and refused, without being shown, where a character cannot be meant.

Whatever is looked at here is known to the redactor from then on, even if it is refused.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from config.redaction import NAMED_KEY, SECRETS

_BRACKETS = ("[]", "{}", "<>", "()")
_QUOTES = ('""', "''", "“”", "‘’", "„“", "«»")
# White space, control characters, and those that are not seen: byte order marks, zero-width spaces and the like.
_UNSEEN = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})


def clean_key(text: str) -> str:
    """An API key without what surrounds it.

    Raises ValueError that names the first character no key has and its place, or says what is given in place of a key.
    """
    SECRETS.learn(text)
    key, start = _bare(text)
    SECRETS.learn(key, *re.split(r"[^!-~]+", key))
    if key[:1] + key[-1:] in _BRACKETS:
        raise ValueError(f"stands between {key[0]} and {key[-1]}; give the key alone")
    if NAMED_KEY.match(key):
        raise ValueError("is a line that names the key, as in NAME=key; give the key alone")
    _check(key, start, lambda character: "!" <= character <= "~", "key")
    return key


def clean_address(text: str) -> str:
    """An address that is a secret, without what surrounds it. Raises ValueError as `clean_key` does."""
    address, start = _bare(text)
    SECRETS.learn_address(address)
    _check(address, start, lambda character: unicodedata.category(character) not in _UNSEEN, "address")
    return address


def _bare(text: str) -> tuple[str, int]:
    """A text without white space, unseen characters and a pair of quotes around it; and where in it that begins."""
    start, end = 0, len(text)
    while True:
        while start < end and unicodedata.category(text[start]) in _UNSEEN:
            start += 1
        while start < end and unicodedata.category(text[end - 1]) in _UNSEEN:
            end -= 1
        if end - start < 2 or text[start] + text[end - 1] not in _QUOTES:
            return text[start:end], start
        start, end = start + 1, end - 1


def _check(text: str, start: int, is_fine: Callable[[str], bool], what: str) -> None:
    for place, character in enumerate(text, start + 1):
        if not is_fine(character):
            raise ValueError(f"its character {place} is {_named(character)}, which no {what} has; copy it again")


def _named(character: str) -> str:
    """`U+200B (ZERO WIDTH SPACE)`."""
    code = f"U+{ord(character):04X}"
    if "\ud800" <= character <= "\udfff":
        return f"{code} (a byte that is no UTF-8 text)"
    controls = {"\n": "line feed", "\r": "carriage return", "\t": "tab", "\0": "null"}
    name = unicodedata.name(character, controls.get(character, ""))
    return f"{code} ({name})" if name else code
