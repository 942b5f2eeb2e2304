"""What of a model's narration is spoken: its words, without labels, stage directions, marks of sources and markup.

Models add these although they are told not to. What stands in brackets and may be part of the tale is left out only where it
stands outside of its sentences, and is named then.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass

from stages.text.markup import plain_line, plain_text

_DIRECTIONS = (
    # English
    r"(?:(?:a |an |the )?(?:short |long |brief |dramatic |slight )*(?:pause|beat|silence|breath)\w*|music|sfx"
    r"|sounds?|sound effects?|fx|cut to|fade\w*|b-?roll|scene|shot|visuals?|image|camera|zoom|pan"
    r"|narrator|voice-?over|v\.?o\.?|intro|outro|laugh\w*"
    r"|sigh\w*|whisper\w*|chuckl\w*|applause|clap\w*|softly|slowly|quietly|dramatic\w*|upbeat|excited\w*|transition|on[- ]screen"
    r"|text(?= on|:| overlay)|graphic|ambient|background|gasp\w*|smil\w*|cough\w*|clears throat|emphasi[sz]\w*|end(?= of)"
    r"|title card|title|host|speaker|tone|warm\w*|theme|jingle|waves crashing|"
    # German
    r"pause\w*|kurze pause|musik|geräusch\w*|einblend\w*|ausblend\w*|schnitt|szene|bild|kamera|lacht|seufzt|flüstert|stille|"
    r"applaus|"
    # French
    r"(?:courte |longue )?pause|musique|bruit\w*|fondu|scène|plan|image|rires?|rit|soupir\w*|chuchote\w*|silence|applaudissements|"
    # Spanish
    r"(?:breve )?pausa|música|sonido\w*|efecto\w*|fundido|escena|plano|imagen|cámara|risas?|ríe|suspira|susurra|silencio|aplausos|"
    # Italian
    r"(?:breve )?pausa|musica|suon[oi]|effett[oi]|dissolvenza|scena|inquadratura|immagine|ride|risate|sospira|sussurra|silenzio"
    r"|applausi)"
)
_DIRECTION = rf"{_DIRECTIONS}(?![\w])[^\]\)\*]{{0,100}}"
# "the (pause) button" is no direction.
_NOT_NAMED = r"(?<!\bthe )(?<!\ba )(?<!\ban )(?<!\bder )(?<!\bdie )(?<!\bdas )(?<!\ble )(?<!\bla )(?<!\bel )(?<!\bil )"
_IN_SQUARE = re.compile(rf"{_NOT_NAMED}\[\s*{_DIRECTION}\]", re.IGNORECASE)
# In round brackets a word such as "scene" may begin a remark: these hold little else than the direction.
_IN_ROUND = re.compile(
    rf"{_NOT_NAMED}\(\s*{_DIRECTIONS}(?![\w])(?:\s*:[^()\]]{{0,60}}|(?:\s+[^\s()]+){{0,3}})[.!\u2026]?\s*\)",
    re.IGNORECASE,
)
_IN_STARS = re.compile(
    rf"(?<![\w*])\*{{1,2}}\(?\s*{_DIRECTIONS}(?:\s+(?:\w+ly|in|softly|for|deeply|fades?|plays|swells|stops)\b[^*\n]{{0,40}})?\s*\)?"
    r"\*{1,2}(?![\w*])",
    re.IGNORECASE,
)
_NOTE = "[\u266a\u266b\U0001f3b5\U0001f3b6]"
_SUNG = re.compile(rf"{_NOTE}+[^\u266a\u266b\U0001f3b5\U0001f3b6\n.]{{0,60}}{_NOTE}+")
_TIMES = re.compile(r"[\[(]\s*\d{1,2}:\d{2}(?::\d{2})?(?:\s*[-\u2013\u2014]\s*\d{1,2}:\d{2}(?::\d{2})?)?\s*[\])]:?")
_LABELS = (
    r"narrator|narration|host(?:ess)?|co-?host|speaker|announcer|presenter|anchor|interviewer|guest|voice-?over|voice over|"
    r"(?:fe)?male voice|v\.?o\.?|audio|spoken text|"
    r"sprecher(?:in)?|erzähler(?:in)?|moderator(?:in)?|stimme|off-stimme|"
    r"narrat(?:eur|rice)|voix(?:[- ]off)?|présentat(?:eur|rice)|animat(?:eur|rice)|"
    r"narrador[a]?|voz(?: en off)?|locutor[a]?|presentador[a]?|"
    r"narrat(?:ore|rice)|voce(?: fuori campo| narrante)?|conduttore|conduttrice|presentat(?:ore|rice)"
)
_SCENE = r"(?:scene|szene|scène|escena|scena)\s*\d+"
#: A label stands before what is said: at the beginning, or where a sentence has ended.
_LABEL = re.compile(
    rf"(?P<before>^|[.!?\u2026\"\u201d\u00bb\n]\s+|\n)(?:(?:{_LABELS})(?:\s*(?:#\s*)?[\dA-D]\b)?|{_SCENE})"
    r"(?:\s*[\[(][^\])\n]{0,40}[\])])?\s*[:\uff1a]\s*(?=\S)",
    re.IGNORECASE,
)
#: Marks of emphasis around a label or around brackets.
_MARKED = re.compile(
    rf"\*{{1,3}}(\[[^\]\n]{{1,80}}\]|\([^)\n]{{1,80}}\)|(?:{_LABELS})(?:\s*[\dA-D]\b)?(?=\*{{1,3}}\s*:))\*{{1,3}}",
    re.IGNORECASE,
)
#: A line that says what is seen or heard beside the narration.
_BESIDE = re.compile(
    r"^\W*(?:visuals?|pictures?|images?|on-?screen(?: text)?|b-?roll|sfx|sounds?(?: effects?)?|camera|shot|music|bild|musik|visuel"
    r"|musique|imagen|música|immagine|musica)\W{0,3}:.*$",
    re.IGNORECASE,
)
_TOKENS = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?(?:b|i|u|em|strong|br|p|span|div|sup|sub)\b[^<>\n]*>", re.IGNORECASE)
_SCENE_NAME = re.compile(rf"^\W*{_SCENE}\b\s*(?:[:.\u2013\u2014-]\s*|$)", re.IGNORECASE)
_LINKED = r"\[[^\]\n]{1,120}\]\(\s*<?[^)\s]+>?\s*\)"
_SOURCES = re.compile(
    rf"\s*\(\s*{_LINKED}(?:\s*[,;]?\s*{_LINKED})*\s*\)"
    r"|\s*[\[(]\s*(?:sources?|quellen?|fuentes?|font[ei]|cit(?:e|ation)s?|ref(?:erence)?s?)\s*[:.][^\])\n]{0,160}[\])]"
    r"|\s*\[cite(?:_start|_end|:[^\]]*)?\]|\ue200[^\ue201]*\ue201|[\ue000-\uf8ff]"
    r"|\s*(?:\[\^?\d{1,3}(?:\s*[,\u2013-]\s*\d{1,3})*\])+(?!\()"
    r"|\s*\^\[?\d{1,3}\]?\^",
    re.IGNORECASE,
)
_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf](?=\ufe0f)|[\U0001f000-\U0001faff]|[\ufe0f\u20e3\U000e0020-\U000e007f]"
)
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,100}\]")
#: Editors' own remarks, and what is left out of a quotation.
_EDITORIAL = re.compile(r"\[\s*(?:sic!?|!|\?|\.\.\.|\u2026)\s*\]", re.IGNORECASE)
_TIGHT = re.compile(r"\s+(?=[.,;!?\u2026](?:\s|$))|(?<=[(\[])\s+|\s+(?=[)\]])")


@dataclass(frozen=True)
class Spoken:
    """`left_out` names what a reader might miss: kind and words."""

    text: str
    left_out: tuple[str, ...] = ()


def spoken(source: str) -> Spoken:
    """A narration's words in one paragraph."""
    text, beside = _without_lines_beside(_THOUGHTS.sub(" ", _unescaped(source)))
    text = _MARKED.sub(r"\1", _SOURCES.sub("", text))
    text = _without_directions(text)
    plain = plain_text(text)
    text = _TOKENS.sub(" ", html.unescape(plain.text))
    text = _EMOJI.sub("", _without_directions(_SOURCES.sub("", text)))
    text, strays = _without_strays(_without_labels(text))
    missed = [
        f"{item.what}: {item.words}" for item in plain.left_out if item.words.strip() and item.what != "a citation"
    ]
    return Spoken(_tidy(_without_labels(text)), (*beside, *missed, *strays))


def heading(source: str) -> str:
    """A heading's words, without number of scene, marks and the stop at its end."""
    text = _EMOJI.sub("", plain_line(_without_directions(_SOURCES.sub("", _unescaped(source)))).text)
    return _tidy(_SCENE_NAME.sub("", _without_labels(text))).strip('"\u201c\u201d ').rstrip(".:;,")


def _unescaped(text: str) -> str:
    """Line ends, quotation marks and characters that were escaped once too often."""
    text = re.sub(r"(?:\\r)?\\n(?![a-z])|(?<=[.!?;,\"\u201d)])(?:\\r)?\\n|\\t(?![a-z])", "\n", text)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub(r"\\([\"'/])", r"\1", text)


def _without_lines_beside(text: str) -> tuple[str, tuple[str, ...]]:
    """Of several lines, those after the first that name a picture, a sound or a text on screen."""
    first, *others = text.split("\n")
    beside = [line for line in others if _BESIDE.match(line)]
    kept = [line for line in others if line not in beside]
    return "\n".join([first, *kept]), tuple(f"directions: {line.strip()}" for line in beside)


def _without_directions(text: str) -> str:
    for pattern in (_IN_STARS, _IN_SQUARE, _IN_ROUND, _SUNG, _TIMES):
        text = pattern.sub(" ", text)
    return re.sub("[\u266a\u266b]", "", text)


def _without_labels(text: str) -> str:
    """Labels one after another, too: "Host: Speaker 1: …"."""
    before = ""
    while before != text:
        before, text = text, _LABEL.sub(lambda found: found["before"], text.strip())
    return text


def _without_strays(text: str) -> tuple[str, tuple[str, ...]]:
    """Square brackets that stand between sentences are directions of some kind; inside of one they are its words."""
    strays: list[str] = []

    def judge(found: re.Match[str]) -> str:
        before, after = text[: found.start()].rstrip(), text[found.end() :].lstrip()
        is_outside = (not before or before[-1] in '.!?\u2026"\u201d]') and (not after or not after[0].islower())
        if _EDITORIAL.fullmatch(found.group()) or not is_outside or after[:1] in (".", ",", ";"):
            return found.group()
        strays.append(f"brackets: {found.group()}")
        return " "

    return _BRACKETED.sub(judge, text), tuple(strays)


def _tidy(text: str) -> str:
    return _TIGHT.sub("", " ".join(text.split()))
