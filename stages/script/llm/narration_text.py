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
    r"(?:\d+(?:[.,]\d+)?[ -]?(?:s|sec|seconds?|sekunden?|secondes?|segundos?|secondi)\.?[ -]*(?:of |de |di )?(?:pause|pausa|beat"
    r"|silence|stille|silencio|silenzio)|citation needed|(?:a |an |the )?"
    r"(?:short |long |brief |dramatic |slight )*(?:pause|beat|silence|breath)"
    r"\w*|music|sfx"
    r"|sounds?|sound effects?|fx|cut to|fade\w*|b-?roll|scene|shot|visuals?|image|camera|zoom|pan"
    r"|narrator|voice-?over|v\.?o\.?|intro|outro|laugh\w*"
    r"|sigh\w*|whisper\w*|chuckl\w*|applause|clap\w*|softly|slowly|quietly|dramatic\w*|upbeat|excited\w*|transition|on[- ]screen"
    r"|text(?= on|:| overlay)|graphic|ambient|background|gasp\w*|smil\w*|cough\w*|clears throat|emphasi[sz]\w*|end(?= of)"
    r"|title card|title|host|speaker|tone|warm\w*|theme|jingle|waves crashing|"
    # German
    r"pause\w*|kurze pause|musik|geräusch\w*|einblend\w*|ausblend\w*|schnitt|szene|bild|kamera|lacht|seufzt|flüstert|stille|"
    r"applaus|lachend|flüsternd|leise|"
    # French
    r"(?:courte |longue )?pause|musique|bruit\w*|fondu|scène|plan|image|rires?|rit|soupir\w*|chuchot\w*|silence|applaudissements"
    r"|à voix basse|"
    # Spanish
    r"(?:breve )?pausa|música|sonido\w*|efecto\w*|fundido|escena|plano|imagen|cámara|risas?|ríe|suspira|susurra\w*|silencio"
    r"|aplausos|en voz baja|riendo|"
    # Italian
    r"(?:breve )?pausa|musica|suon[oi]|rumor[ei]|effett[oi]|dissolvenza|scena|inquadratura|immagine|ride\w*|risate|sospira\w*"
    r"|sussurra\w*|silenzio|applausi|sottovoce|a bassa voce)"
)
_DIRECTION = rf"{_DIRECTIONS}(?![\w])[^\]\)\*]{{0,100}}"
# "the (pause) button" is no direction.
_NOT_NAMED = r"(?<!\bthe )(?<!\ba )(?<!\ban )(?<!\bder )(?<!\bdie )(?<!\bdas )(?<!\ble )(?<!\bla )(?<!\bel )(?<!\bil )"
_IN_SQUARE = re.compile(
    rf"{_NOT_NAMED}(?:\[\s*{_DIRECTION}\]|\{{\s*{_DIRECTIONS}(?!\w)[^{{}}]{{0,100}}\}})", re.IGNORECASE
)
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
_TIMES = re.compile(
    r"(?:[\[(]|\*\*(?=[\d: \u2013-]+\*\*))\s*\d{1,2}:\d{2}(?::\d{2})?(?:\s*[-\u2013\u2014]\s*\d{1,2}:\d{2}(?::\d{2})?)?\s*"
    r"(?:[\])]|\*\*):?"
)
#: What a film script writes in capitals between its lines.
_CUTS = re.compile(
    r"\b(?:FADE (?:IN|OUT|TO BLACK|TO)|(?:SMASH |JUMP |MATCH )?CUT TO(?: BLACK)?|DISSOLVE TO|ABBLENDE|AUFBLENDE|FONDU AU NOIR"
    r"|FUNDIDO A NEGRO|DISSOLVENZA)\b\s*[:.]"
)
_LABELS = (
    r"narrator|narration|host(?:ess)?|co-?host|speaker|announcer|presenter|anchor|interviewer|guest|voice-?over|voice over|"
    r"(?:fe)?male voice|v\.?o\.?|audio|spoken text|intro|hook|outro|"
    r"sprecher(?:in)?|erzähler(?:in)?|moderator(?:in)?|stimme|off-stimme|off|kommentar|"
    r"narrat(?:eur|rice)|voix(?:[- ]off)?|présentat(?:eur|rice)|animat(?:eur|rice)|commentaire|"
    r"narrador[a]?|voz(?: en off)?|locutor[a]?|presentador[a]?|"
    r"narrat(?:ore|rice)|voce(?: fuori campo| narrante)?|conduttore|conduttrice|presentat(?:ore|rice)"
)
#: Among the labels, words that a narration may well define: "Host: an organism that carries others."
_EVERYDAY = re.compile(
    r"host(?:ess)?|co-?host|speaker|announcer|presenter|anchor|guest|audio|off|hook|intro|outro|stimme|voz|voce|voix",
    re.I,
)
_SCENE = r"(?:scene|szene|scène|escena|scena)\s*\d+"
_SECTION = r"(?:chapter|kapitel|chapitre|capítulo|capitolo|part|teil|partie|parte|act|akt|segment)\s*\d+"
#: A label stands before what is said: at the beginning, or where a sentence has ended.
_LABEL = re.compile(
    rf"(?P<before>^|[.!?\u2026\"\u201d\u00bb\n]\s+|\n)(?:(?P<label>(?:{_LABELS})(?:\s*(?:#\s*)?[\dA-D]\b)?|{_SECTION}|(?P<scene>{_SCENE}))"
    r"(?:\s*[\[(][^\])\n]{0,40}[\])])?\s*(?:[:\uff1a]|(?(scene)[\u2013\u2014-](?=\s)|(?!)))\s*)(?=\S)",
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
#: The same in the middle of a line, by names that begin no sentence of a tale; and where the facts come from, at the very end.
_DIRECTION_SENTENCE = re.compile(
    r"(?:(?<=[.!?\u2026\"\u201d])\s+|^\s*)[*_]{0,3}(?:SFX|VFX|FX|[Ss]ound [Ee]ffects?|B-?[Rr]oll|B-ROLL"
    r"|VISUALS?|Visuals?|[Oo]n-?[Ss]creen(?: [Tt]ext)?"
    r"|Text [Oo]n [Ss]creen|Lower [Tt]hird|Picture [Pp]rompt|Image [Pp]rompt|Bildschirmtext"
    r"|Texte à l['\u2019]écran|Texto en pantalla"
    r"|Testo a schermo)[*_ \u00a0]{0,3}:\s*[^.!?\u2026\n]*(?:[.!?\u2026]+|$)",
    re.MULTILINE,
)
_SOURCE_SENTENCE = re.compile(
    r"(?:(?<=[.!?\u2026\"\u201d])\s+|^\s*)[*_]*(?:Sources?|Quellen?|Fuentes?|Font[ei]|References?)[*_]*\s*:[*_]*\s*(?=[A-Z\u00c0-\u00deh\[])"
    r"(?:[^\n.!?]|\.(?=\S)){1,200}\.?\s*\Z"
)
_HASHTAGS = re.compile(r"(?:(?<=[.!?\u2026\"\u201d])|^)\s*#[^\W\d_]\w*(?:\s+#[^\W\d_]\w*)*\s*\Z")
_FOOTNOTE = re.compile(r"^\s*\[\^[^\]\n]+\]:.*$", re.MULTILINE)
#: What is raised: behind a digit, a letter or a unit it is a power, elsewhere a number is a mark of a source.
_RAISED = re.compile(
    r"(?P<base>(?<![^\W\d_])(?!(?:it|is|so|us|me|we|he|on|up|do|go|to|by|as|an|at|of)\b)[^\W\d_]{1,2}|\d|\))?(?:<sup>\s*|\^)(?P<raised>[\[(]?[+\u2212-]?\d{1,3}[\])]?)(?:\s*</sup>|\^)",
    re.IGNORECASE,
)
_RAISED_DIGITS = str.maketrans(
    "0123456789+-\u2212", "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207a\u207b\u207b"
)
_TOKENS = re.compile(
    r"<\|[^|<>\n]{1,40}\|>|</?(?:b|i|u|em|strong|br|p|span|div|sup|sub|think|thinking|thought|reasoning)\b[^<>\n]*>",
    re.IGNORECASE,
)
_SCENE_NAME = re.compile(rf"^\W*{_SCENE}\b\s*(?:[:.\u2013\u2014-]\s*|$)", re.IGNORECASE)
_LINKED = r"\[[^\]\n]{1,120}\]\(\s*<?[^)\s]+>?\s*\)"
_SOURCES = re.compile(
    rf"\s*\(\s*{_LINKED}(?:\s*[,;]?\s*{_LINKED})*\s*\)"
    r"|\s*[\[(]\s*(?:sources?|quellen?|fuentes?|font[ei]|cit(?:e|ation)s?|ref(?:erence)?s?)\s*[:.][^\])\n]{0,160}[\])]"
    r"|\s*\[cite(?:_start|_end|:[^\]]*)?\]|\ue200[^\ue201]*\ue201|[\ue000-\uf8ff]"
    r"|\s*:?contentReference\s*\[[^\]\n]*\](?:\s*\{[^}\n]*\})?|\[oaicite:[^\]\n]*\](?:\{[^}\n]*\})?"
    r"|\s*<ref\b[^>]*/>|\s*<ref\b[^>]*>.*?</ref\s*>"
    r"|\s*\[(?:citation needed|source needed|(?:attribution|verification) needed)\]",
    re.IGNORECASE,
)
#: Numbers in brackets name sources, except as the place in a list, and where the sentence speaks of the number itself.
_NUMBERED = re.compile(
    r"(?P<before>(?<!\w)\w\b|\b(?:foot|end)?notes?|\bfig(?:ure|\.)|\btables?|\bequations?|\breferences?|\bitems?|\bsteps?|\bnumbers?"
    r"|\b(?:fuß)?note|\banmerkung|\babbildung|\btabelle|\bgleichung|\bfigura|\bnota|\btabl[ae]u?|\btabella|\b(?:see|and|of|siehe|voir|vedi))?(?P<gap>\s*)"
    r"(?P<marks>(?:\[\^?\d{1,3}(?:\s*[,\u2013-]\s*\d{1,3})*\])+)(?!\()",
    re.IGNORECASE,
)
_THOUGHTS = re.compile(r"<(think|thinking|thought|reasoning)\b[^>]*>.*?</\1\s*>", re.IGNORECASE | re.DOTALL)
_EMOJI = re.compile(
    "[\U0001f000-\U0001faff\u2600-\u27bf](?=\ufe0f)|[\U0001f000-\U0001faff]|[\ufe0f\u20e3\U000e0020-\U000e007f]"
)
_BRACKETED = re.compile(r"\[[^\[\]\n]{1,100}\]|\{[^{}\n]{1,100}\}")
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
    text = _MARKED.sub(r"\1", _without_sources(_raised(text), is_markup=True))
    text = _without_directions(text)
    # More than a hundred, and no quotation.
    plain = plain_text(re.sub(r"\A(\s*)>(?=\s?\d[^\n]*\Z)", r"\1\\>", text))
    text = _TOKENS.sub(" ", html.unescape(plain.text)).replace("\u00ad", "")
    text = _EMOJI.sub("", _without_directions(_without_sources(text)))
    text, strays = _without_strays(_without_labels(text))
    missed = [
        f"{item.what}: {item.words}" for item in plain.left_out if item.words.strip() and item.what != "a citation"
    ]
    return Spoken(_tidy(_without_labels(text)), (*beside, *missed, *strays))


def heading(source: str) -> str:
    """A heading's words, without number of scene, marks and the stop at its end."""
    text = _without_directions(_without_sources(_raised(_unescaped(source)), is_markup=True))
    text = _EMOJI.sub("", plain_line(text).text).replace("\u00ad", "")
    return _tidy(_SCENE_NAME.sub("", _without_labels(text))).strip('"\u201c\u201d ').rstrip(".:;,")


def _unescaped(text: str) -> str:
    """Line ends, quotation marks and characters that were escaped once too often."""
    text = re.sub(r"(?:\\r)?\\n(?![a-z])|(?<=[.!?;,\"\u201d)])(?:\\r)?\\[nt]|\\t(?![a-z])", "\n", text)
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda found: chr(int(found[1], 16)), text)
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return re.sub(r"\\([\"'/])", r"\1", text)


def _raised(text: str) -> str:
    """Powers with raised digits, degrees with their sign; marks of sources go."""
    text = re.sub(r"(?<=\d)\s?(?:<sup>\s*[oO0]\s*</sup>|\^[oO]\^)(?=\s?[CF]\b)", "\u00b0", text)

    def judge(found: re.Match[str]) -> str:
        is_power = found["base"] and not found["raised"].startswith("[")
        return (
            found["base"] + found["raised"].strip("()").translate(_RAISED_DIGITS) if is_power else found["base"] or ""
        )

    return _RAISED.sub(judge, text)


def _without_sources(text: str, *, is_markup: bool = False) -> str:
    """Without marks of sources. In markup, brackets that are words are marked as such."""

    def judge(found: re.Match[str]) -> str:
        before = found.string[: found.start("marks")]
        is_subject = not re.search(r"[^.!?\s]\s*\Z", before) and re.match(r"\s+[a-zà-ÿ]", found.string[found.end() :])
        is_place = "[0]" in found["marks"] or (found["before"] and (len(found["before"]) > 1 or not found["gap"]))
        if is_subject or is_place:
            return found.group().replace("[", "\\[") if is_markup else found.group()
        return found["before"] or ""

    return _NUMBERED.sub(judge, _SOURCES.sub("", text))


def _without_lines_beside(text: str) -> tuple[str, tuple[str, ...]]:
    """What says what is seen or heard, or where it was read, instead of being narration; and its words."""
    first, *others = text.split("\n")
    beside = [line for line in others if _BESIDE.match(line)]
    text = "\n".join([first, *(line for line in others if line not in beside)])
    left_out = [f"directions: {line.strip()}" for line in beside]
    for pattern, what in (
        (_FOOTNOTE, "a footnote"),
        (_DIRECTION_SENTENCE, "directions"),
        (_HASHTAGS, "hashtags"),
        (_SOURCE_SENTENCE, "a source"),
    ):
        left_out += [f"{what}: {found.group().strip()}" for found in pattern.finditer(text)]
        text = pattern.sub("", text)
    return text, tuple(left_out)


def _without_directions(text: str) -> str:
    for pattern in (_IN_STARS, _IN_SQUARE, _IN_ROUND, _SUNG, _TIMES, _CUTS):
        text = pattern.sub(lambda found, whole=text: found.group() if _is_subject(found, whole) else " ", text)  # type: ignore[misc]
    return re.sub("[\u266a\u266b]", "", text)


def _is_subject(found: re.Match[str], text: str) -> bool:
    """Whether a sentence goes on behind a bracket that it begins with: "(Pause) is a button."."""
    before, after = text[: found.start()].rstrip(), text[found.end() :]
    is_first = found.group()[0] in "[({" and found.group()[1:2].isupper() and (not before or before[-1] in ".!?\u2026")
    goes_on = re.match(
        r"\s+(?!(?:and|but|or|then|so|und|aber|dann|et|mais|puis|y|pero|luego|e|ma|poi)\b)[a-zà-ÿ]", after
    )
    return is_first and goes_on is not None


def _without_labels(text: str) -> str:
    """Labels one after another, too: "Host: Speaker 1: …"."""

    def judge(found: re.Match[str]) -> str:
        is_defined = found.string[found.end() :][:1].islower() and not found["label"].isupper()
        named = _EVERYDAY.fullmatch(found["label"]) or re.match(
            r"(?:an?|the|eine?|der|die|das|une?|una|el|il)\b", found.string[found.end() :]
        )
        return found.group() if is_defined and named else found["before"]

    before = ""
    while before != text:
        before, text = text, _LABEL.sub(judge, text.strip())
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
    return _TIGHT.sub("", re.sub(r"([\u2014\u2013])(?:\s*\1)+", r"\1", " ".join(text.split())))
