"""Telling a model's refusal from a narration, by how it begins."""

from __future__ import annotations

import re

#: How far into an answer a refusal begins.
_OPENING_CHARS = 320

_ABLE = (
    r"(?:help|assist|comply|provide|write|create|generate|produce|fulfil\w*|continue|do (?:that|this|so)|discuss|support|"
    r"engage|answer|respond|make|offer|complete|process|narrate|share|participate)"
)
_CANNOT = (
    r"(?:can(?:['\u2019]|no)?t|can not|could not|couldn['\u2019]t|won['\u2019]t|will not|(?:am|['\u2019]m) (?:not able|unable)"
    r"|am not (?:allowed|permitted)|must decline|have to decline|need to decline|not comfortable)"
)
_REFUSALS = (
    # English
    rf"\b(?:sorry|apologi[sz]e|apologies|as an ai\b|regret)[^.!?\n]{{0,120}}\b(?:i|we)\b ?{_CANNOT}\b(?! (?:see|stay|know))",
    rf"\bunfortunately[^.!?\n]{{0,60}}\bi\b ?{_CANNOT}(?: (?:to|be able to))? ?{_ABLE}\b",
    rf"^\W*(?:i|we) ?{_CANNOT}(?: (?:to|be able to))?(?: {_ABLE}\b(?! but)|\s*[.!,]|\s*$)",
    r"^\W*(?:your|this) (?:request|prompt|topic) (?:violates|goes against|cannot be)",
    # German
    r"\b(?:tut mir (?:sehr )?leid|entschuldigung|bedaure|leider|als ki\b|als sprachmodell)[^.!?\n]{0,120}"
    r"\b(?:kann|darf|werde|möchte) (?:ich|wir)?[^.!?\n]{0,80}\b(?:nicht|kein\w*)\b",
    r"\b(?:tut mir (?:sehr )?leid|entschuldigung|bedaure)[^.!?\n]{0,40}\bich (?:kann|darf|werde)\b[^.!?\n]{0,80}"
    r"\b(?:nicht|kein\w*)",
    r"^\W*(?:dabei|damit|hierbei|das|dazu|diese anfrage|ich) (?:kann|darf|muss) (?:ich )?[^.!?\n]{0,60}"
    r"(?:nicht (?:helfen|weiterhelfen|behilflich|unterstützen|beantworten|erstellen|schreiben)|ablehnen)",
    # French
    r"\b(?:désolée?|navrée?|regrette|malheureusement|en tant qu['\u2019]ia|excuse)[^.!?\n]{0,120}"
    r"\bje ne (?:peux|puis|suis|saurais)\b",
    r"^\W*je ne (?:peux|puis|suis|saurais) (?:pas )?[^.!?\n]{0,40}"
    r"(?:aider|répondre|écrire|fournir|créer|assister|satisfaire|rédiger|en mesure)",
    # Spanish
    r"\b(?:lo siento|lamento|lamentablemente|disculpa\w*|desafortunadamente|como (?:una )?(?:ia|inteligencia))[^.!?\n]{0,120}"
    r"\bno (?:puedo|podemos|me es posible|estoy (?:en condiciones|autorizad))",
    r"^\W*no (?:puedo|podemos) (?:ayudar|asistir|proporcionar|escribir|crear|generar|cumplir|responder|continuar)",
    # Italian
    r"\b(?:mi dispiace|spiacente|purtroppo|mi scuso|in quanto ia|come ia)[^.!?\n]{0,120}"
    r"\bnon (?:posso|possiamo|sono in grado|mi è possibile)",
    r"^\W*non (?:posso|possiamo|sono in grado di) (?:aiutar|assister|fornir|scriver|crear|generar|risponder|soddisfar|continuar)",
)
_REFUSAL = re.compile("|".join(_REFUSALS), re.IGNORECASE)


def is_refusal(text: str) -> bool:
    """Whether a text begins by saying that it will not be written, in one of the five languages."""
    return bool(_REFUSAL.search(text[:_OPENING_CHARS]))
