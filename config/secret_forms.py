"""A secret as it may stand in other texts: escaped, coded, and the English words in it that hide nothing."""

from __future__ import annotations

import base64
import functools
import html
import itertools
import json
import re
import urllib.parse
from collections.abc import Iterable, Iterator

SHORTEST_PART = 8
_SHORTEST_WORD = 6
#: By letter, what follows it in English words: nearly no random letters are made of these alone.
_FOLLOWERS = dict(
    re.findall(
        r"(\w):(\w+)",
        "a:bcdfgiklmnprstuvwy b:adeijlorsuy c:acehiklorstuy d:adegilorstuy e:abcdefghiklmnopqrstuvwxy f:aefilmorstuy "
        "g:aeghilmnorstu h:aeilorsty i:abcdefgklmnoprstvxz j:eios k:adeinps l:abdefilmoprstuwy m:abeiklmopsu "
        "n:acdefghiklmnostuvwy o:abcdefgijklmnopqrstuvwxz p:adehiloprstuy q:au r:acdefgiklmnoprstuvwy "
        "s:acehiklmopqstuwy t:acdefhilmoprstuwy u:abcdegilmnoprst v:aeio w:aehinors x:aceipt y:abeilmnoprstw z:e",
    )
)


def words_in(secret: str) -> Iterator[str]:
    """Words that look like English ones in a secret that has more than that."""
    for word in re.findall(r"(?<![A-Za-z0-9])[a-z]{8,}(?![A-Za-z0-9])", secret):
        if word != secret and all(after in _FOLLOWERS.get(before, "") for before, after in itertools.pairwise(word)):
            yield word


@functools.lru_cache(maxsize=2)
def escaped_pattern(secrets: frozenset[str]) -> re.Pattern[str] | None:
    """Secrets with any of their characters escaped by code. Made when a text may hold one: it takes a while."""
    choices = [
        "".join(map(_character_pattern, secret))
        for secret in sorted(secrets, key=len, reverse=True)
        if len(secret) >= SHORTEST_PART
    ]
    return re.compile("|".join(choices)) if choices else None


def _character_pattern(character: str) -> str:
    code, raw = ord(character), character.encode("utf-8", "surrogatepass")
    escapes = [
        "".join(f"%(?:25)*{byte:02x}" for byte in raw),
        "".join(rf"\\+x{byte:02x}" for byte in raw),
        rf"\\+x{code:02x}",
        rf"\\+u(?:{code:04x}|\{{0*{code:x}\}})",
        rf"\\+U{code:08x}",
        rf"&(?:amp;)?#0*{code};",
        rf"&(?:amp;)?#x0*{code:x};",
    ]
    return f"(?:{re.escape(character)}|(?i:{'|'.join(escapes)}))"


def whole_pattern(words: Iterable[str]) -> re.Pattern[str] | None:
    """Secrets as a whole, the longest first. Short ones must be no part of a longer word."""
    found = sorted({form for word in words for form in (word, _in_json(word), *_in_hex(word))}, key=len, reverse=True)
    choices = [
        re.escape(word) if len(word) >= SHORTEST_PART else rf"(?<!\w){re.escape(word)}(?!\w)"
        for word in found
        if len(word) >= _SHORTEST_WORD
    ]
    return re.compile("|".join(choices)) if choices else None


def forms_of(secret: str) -> Iterator[str]:
    """A secret as it may stand in other texts."""
    yield secret
    quoted = urllib.parse.quote(secret, safe="", errors="surrogatepass")
    for text in (quoted, urllib.parse.quote(secret, errors="surrogatepass"), quoted.replace("%20", "+")):
        yield text
        yield re.sub("%..", lambda match: match[0].lower(), text)
        yield urllib.parse.quote(text)
    for text in (_in_json(secret), json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]):
        yield text
        yield text.replace("/", "\\/")
        yield _in_json(text)
    yield repr(secret.encode("utf-8", "surrogatepass"))[2:-1]
    yield html.escape(secret)
    yield from in_base64(secret)


def _in_json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _in_hex(text: str) -> Iterator[str]:
    """A secret in hex; a short one would be a number that stands anywhere."""
    if len(text) >= SHORTEST_PART:
        code = text.encode("utf-8", "surrogatepass").hex()
        yield code
        yield code.upper()


def in_base64(text: str) -> Iterator[str]:
    """The characters of a text's base64 that depend on nothing before or after it, for each place that it may begin at."""
    raw = text.encode("utf-8", "surrogatepass")
    for offset in range(3):
        coded = base64.b64encode(b"\0" * offset + raw)
        # Each character holds 6 bits: those that hold bits of a neighbour are left away.
        first, last = -(-offset * 8 // 6), (offset + len(raw)) * 8 // 6
        part = coded[first:last].decode()
        yield part
        yield part.replace("+", "-").replace("/", "_")
