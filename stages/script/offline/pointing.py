"""Words that point back: what makes a sentence lean on the one before it."""

from __future__ import annotations

import re

from stages.script.words import means_something

#: Words that point back: a sentence that starts with one needs the sentence before it.
_POINTING = {
    "en": """but and or so yet also it its they their them he she his her this these those that such then thus
        there therefore however instead moreover furthermore still nor both neither otherwise meanwhile
        similarly even""",
    "de": """aber und oder er sie es ihr ihre dies diese dieser dieses das dann daher darum deshalb dennoch doch
        jedoch trotzdem dort damit dabei auch so sein seine denn dadurch außerdem""",
    "fr": """mais et ou il elle ils elles ce cela ceci cette ces ainsi donc alors cependant pourtant aussi puis
        son sa ses leur leurs car ceux celui celle enfin""",
    "es": """pero y o él ella ellos ellas este esta esto estos estas eso así entonces también luego
        su sus además pues""",
    "it": """ma e o egli lui lei essi loro questo questa questi queste ciò così quindi dunque però tuttavia
        anche poi suo sua suoi infatti inoltre""",
}
#: Openings of several words that need the sentence before as much.
_POINTING_PHRASES = {
    "en": """one of the | the same | the result | as a result | for example | for instance | at the time | in
        fact | in other words | on the other hand | in turn | after that | by then | until then | the latter |
        the other | what remained | not only | the second | the third | all of this""",
    "de": """der grund dafür | zum beispiel | im gegenteil | kein wunder | auf ihnen | mit ihnen | ein beispiel
        | die folge | das ergebnis | der andere | die anderen | stattdessen | damals | hinzu kommt""",
    "fr": """c'est | ce n'est | c'était | d'autres | par exemple | en effet | par conséquent | le lendemain | de
        même | le résultat | au contraire | peu après | plutôt que | à l'époque | l'autre | les autres | le
        deuxième | la deuxième | le second | la seconde | le troisième""",
    "es": """por ejemplo | en cambio | por eso | sin embargo | por tanto | al contrario | el resultado | lo
        mismo | en consecuencia | por lo tanto | no obstante | los otros | otros""",
    "it": """per esempio | ad esempio | per questo | al contrario | il risultato | di conseguenza | lo stesso |
        nel frattempo | gli altri | altri""",
}
#: What inside a sentence shows that it needs the one before.
_POINTING_INSIDE = {
    "en": r"\bof (?:this|that|these|those)\b(?=[.,;]|$)|\b(?:had|has|have|got) one\b[.,;]|\balso\b|\btoo[.!]",
    "de": r"(?<!, )\bdas (?:eine?[nmrs]?|nicht|ist|war|wird|reicht|geht|heißt|hat|sehr|zu)\b",
    "fr": r"^.{0,30}\b(?:s'y|n'y)\b|\baussi[.!]",
    "es": r"\btambién\b|\b(?:ello|eso)\b[.,]",
    "it": r"\bciò\b|\banch'(?:esso|essa|essi)\b",
}
_INSIDE = {language: re.compile(pattern, re.IGNORECASE) for language, pattern in _POINTING_INSIDE.items()}
_PERSON = re.compile(r"\b(?:he|she|him|his|hers?)\b")
_CAPITALISED = re.compile(r"\b[A-Z][a-z]+")
_PHRASES = {
    language: tuple(" ".join(phrase.split()) for phrase in text.split("|"))
    for language, text in _POINTING_PHRASES.items()
}
_POINTING_SETS = {language: frozenset(text.split()) for language, text in _POINTING.items()}


def leans(sentence: str, language: str) -> bool:
    """Whether the sentence cannot be understood without the one before. Where no list is known, none leans."""
    start = re.match(r"[^\w]*(.{1,40})", sentence)
    opening = start[1].casefold().replace("\u2019", "'") if start else ""
    first = re.match(r"[^\W\d_]+", opening)
    if first and first[0] in _POINTING_SETS.get(language, frozenset()):
        return True
    phrases = _PHRASES.get(language, ())
    if any(opening.startswith(phrase) and not opening[len(phrase) :][:1].isalpha() for phrase in phrases):
        return True
    if language == "en" and (person := _PERSON.search(sentence)) and not _names(sentence[: person.start()]):
        return True
    inside = _INSIDE.get(language)
    return bool(inside and inside.search(sentence.replace("\u2019", "'")))


def _names(text: str) -> bool:
    """Whether somebody is named in it, as far as capitals tell."""
    return any(means_something(word.casefold(), "en") for word in _CAPITALISED.findall(text))
