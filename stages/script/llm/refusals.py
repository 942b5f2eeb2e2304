"""Telling a model's refusal from a narration, by how it begins.

Nobody's tale is a refusal because somebody in it cannot do something: a refusal speaks, in the first person or of the request, of
what was asked for.
"""

from __future__ import annotations

import re

#: How far into an answer a refusal begins, and after how many sentences of courtesy.
_OPENING_CHARS = 400
_MOST_SENTENCES = 4

_UNABLE = (
    r"(?:can(?:no|')?t|can not|could(?: not|n't)|won't|will not|(?:am|are|'m|'re) (?:\w+ly )?(?:not able|unable|not allowed"
    r"|not permitted|not authori[sz]ed|not in a position|not going|not comfortable|not willing|not designed"
    r"|not programmed)(?: to| with)?"
    r"|do(?:n't| not) (?:feel comfortable|want to|wish to)|'?d? ?(?:would )?(?:rather|prefer)(?: to)? not(?: to)?|choose not to)"
)
_WORK = r"(?:request|script|content|prompt|narration|information|instructions|response)s?\b"
_TASK = (
    r"(?:(?:help|helping|assist|assisting|comply|continue|proceed|engage|participate|do (?:this|that|so))"
    r"(?:\s*(?:[.!,;]|$)| (?:you |anyone )?(?:with|in)\b| you\s*(?:[.!,]|$)| for you)"
    r"|(?:provid|writ|creat|generat|produc|fulfil|discuss|answer|respond|mak|offer|complet|process|narrat|shar|giv|compos"
    r"|draft|describ"
    r"|depict|accommodat|honou?r|satisf|handl|cover|promot|support|deliver|prepar)\w*(?: to| on| about)?"
    rf" (?:(?:such|your)\b|(?:this|that|it)(?:\s*(?:[.!,;]|$)| (?:for you|topic|kind|type|sort|subject|text|video|film"
    rf"|material)\b)|(?:\w+ ){{0,4}}{_WORK}))"
)
#: Enough by themselves.
_REFUSALS = (
    # English
    rf"\b(?:i|we) ?(?:\w+ly )?{_UNABLE}(?: be able to)? (?:\w+ly )?{_TASK}",
    r"\b(?:sorry|apologi[sz]e|apologies|afraid|regret|unfortunately)\b[^.!?]{0,60}\bi ?(?:\w+ly )?(?:can(?:no|')?t"
    r"|can not|won't|am unable"
    r"|'m unable)(?: to)? (?:help|assist|comply|write|create|generate|provide|fulfil\w*)\b(?! but)",
    r"\b(?:i|we)\b[^.!?]{0,25}\b(?:must|have to|need to|respectfully|politely)\b[^.!?]{0,30}\b(?:decline"
    r"|refuse)\b(?:\s*(?:[.!,;]|$)"
    r"| (?:this|that|your|such|the request|to (?:write|help|answer|do|provide|create|fulfil|continue|produce|generate"
    r"|participate))\b)",
    r"\bas an? (?:ai\b|artificial|large language|language model)(?! (?:engineer|researcher))[^.!?]{0,120}\b(?:cannot"
    r"|can't|unable|not able"
    r"|not allowed|not permitted|don't|do not|won't|must not)\b",
    rf"\b(?:this|your|the|that) (?:\w+ ){{0,2}}(?:topic|text|material|{_WORK})[^.!?]{{0,40}}\b(?:violat(?:es?|ing)"
    rf"|goes against|is against|breach\w*"
    r"|conflicts? with|cannot be (?:fulfilled|processed|completed|answered|written)|was (?:rejected|flagged|blocked)"
    r"|is not (?:allowed|permitted))",
    r"\bagainst (?:my|our) (?:\w+ ){0,2}(?:guidelines|polic(?:y|ies)|programming|principles)",
    r"\b(?:this|that)(?: i|')s not something (?:i|we) ?(?:can|am|'m|are|will)",
    # German
    r"\b(?:ich muss|muss ich)\b[^.!?]{0,60}\bablehnen\b",
    # French
    r"\bil m'est impossible d|\bje dois\b[^.!?]{0,30}\b(?:refuser|décliner)\b|\bje ne suis pas (?:autorisée?|en mesure"
    r"|habilitée?)\b",
    # Spanish
    r"\b(?:debo|tengo que|he de) (?:\w+mente )?(?:rechazar|negarme|declinar)\b|\bno estoy autorizad[oa]\b",
    # Italian
    r"\b(?:devo|debbo) (?:\w+mente )?(?:rifiutare|rifiutarmi|declinare)\b|\bnon sono autorizzat[oa]\b",
)
#: Somebody cannot do what a model is asked for: a refusal where the sentence is also about the request, or an apology.
_UNABLE_ELSEWHERE = (
    # German
    r"(?:\bich (?:\w+ )?(?:kann|darf|werde|möchte)|\b(?:kann|darf|werde|möchte) ich|\bwir (?:\w+ )?(?:können|dürfen|werden)"
    r"|\b(?:können|dürfen) wir)\b[^.!?]{0,90}\b(?:nicht|kein\w*)\b[^.!?]{0,50}\b(?:helfen|weiterhelfen|behilflich"
    r"|unterstützen|beantworten"
    r"|erstellen|schreiben|bearbeiten|erfüllen|nachkommen|verfassen|liefern|anbieten|entsprechen|ausführen|generieren|produzieren"
    r"|fortfahren|umsetzen|dienen|bereitstellen)\b",
    r"\b(?:ich bin|bin ich) (?:leider )?nicht in der lage\b|\b(?:ist es mir|es ist mir) (?:leider )?nicht (?:möglich"
    r"|gestattet|erlaubt)\b",
    # French
    r"\bje ne (?:peux|puis|saurais|pourrai)\b[^.!?]{0,60}\b(?:aider|répondre|écrire|fournir|créer|assister|satisfaire"
    r"|rédiger|générer"
    r"|traiter|donner suite|continuer|produire|accéder|proposer)\b",
    # Spanish
    r"\bno (?:puedo|podemos|me es posible|nos es posible|estoy en condiciones|soy capaz)\b[^.!?]{0,40}\b(?:ayudar|asistir"
    r"|proporcionar"
    r"|escribir|crear|generar|cumplir|responder|continuar|redactar|producir|atender|procesar|ofrecer|hacer)\w*",
    # Italian
    r"\bnon (?:posso|possiamo|sono in grado|mi è possibile)\b[^.!?]{0,40}\b(?:aiutar|assister|fornir|scriver|crear"
    r"|generar|risponder"
    r"|soddisfar|continuar|produrre|elaborar|proceder|completar|esaudir)\w*",
)
_ABOUT_THE_REQUEST = (
    r"\b(?:leider|leid|entschuldigung|bedaure|als (?:eine? )?(?:ki|sprachmodell)|dabei|damit|hierbei|dazu|diese[nmrs]?"
    r"|das|solche\w*|ihre[nmrs]?"
    r"|ihnen|dir|deine[nmrs]?|(?:kein\w* )?(?:text|skript|inhalte?|anfrage|drehbuch)"
    r"|désolée?|navrée?|regrette|malheureusement|en tant qu|excuse\w*|cela|ça|votre|vos|tel(?:le)?s?|cette demande"
    r"|ce (?:texte|contenu|script)"
    r"|de (?:contenu|texte|script)"
    r"|siento|lamento|lamentablemente|disculpa\w*|desafortunadamente|me temo|como (?:una )?(?:ia|inteligencia|modelo)|eso"
    r"|esto|este|esta|tu|su"
    r"|solicitud|petición|contenidos?|gui[oó]n(?:es)?|ayudar(?:te|le|los)"
    r"|dispiace|spiace\w*|spiacente|purtroppo|scus[oi]\w*|in quanto|come (?:ia|modello)|questo|questa|tua|sua|richiesta"
    r"|contenuti?|copione"
    r"|aiutar(?:ti|la|vi)|ciò)\b"
)
#: Somebody in the tale speaks.
_REPORTED = re.compile(
    r"\b(?:said|says|wrote|writes|cried|whispered|replied|answered|told|shouted|sagte|sagt|schrieb|rief|flüsterte"
    r"|antwortete|dit|écrit|écrivit"
    r"|répondit|cria|murmura|dijo|escribió|respondió|gritó|disse|scrisse|rispose|gridò|mormorò)\b"
)
#: Sentences that stand before a refusal.
_COURTESY = re.compile(
    r"sorry|apolog|thank|understand|appreciate|request|regret|\bhmm?\b|\bwell\b|\bno\b|leid\b|entschuldig|danke|verstehe"
    r"|anfrage|bedau|désolé|navré"
    r"|merci|comprends|demande|regrette|siento|lamento|gracias|entiendo|solicitud|disculp|spiace|spiacente|grazie|capisco"
    r"|richiesta|scus"
)
_REFUSAL = re.compile("|".join(_REFUSALS))
_INABILITY = re.compile("|".join(_UNABLE_ELSEWHERE))
_ABOUT = re.compile(_ABOUT_THE_REQUEST)
_QUOTED = re.compile(r"[\"\u201c\u201e\u00ab].{1,300}?[\"\u201d\u201c\u00bb]\s*\S")


def is_refusal(text: str) -> bool:
    """Whether a text begins by saying that it will not be written, in one of the five languages."""
    opening = (
        " ".join(text.split()).lstrip("*_#>` ")[:_OPENING_CHARS].lower().replace("\u2019", "'").replace("\u02bc", "'")
    )
    if _QUOTED.match(opening):
        # Words of somebody, and the tale goes on behind them.
        return False
    for sentence in re.split(r"(?<=[.!?\u2026])\s+", opening)[:_MOST_SENTENCES]:
        if _REPORTED.search(sentence):
            return False
        if _REFUSAL.search(sentence) or (_INABILITY.search(sentence) and _ABOUT.search(sentence)):
            return True
        if not _COURTESY.search(sentence):
            return False
    return False
