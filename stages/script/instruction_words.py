"""What shows, in each language, that a sentence speaks to whoever makes the film. All patterns are for lower case.

They name shapes rather than verbs: a medium as something to be made, a topic or an indirect question after an opening verb, a
request, a label. Only `tell` lists verbs: those of writing and speaking, whose object is what the film is to say.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache


@dataclass(frozen=True)
class Cues:
    """Patterns of one language; `about`, `asks` and the like are matched inside a sentence, `tell` and `directs` at its start."""

    medium: str
    """What is made: video, script, documentary."""
    indefinite: str
    """What stands before something that is not there yet."""
    about: str
    """What a topic follows."""
    amount: str
    """How much of a topic is asked for: everything, something."""
    indirect: str
    """What an indirect question begins with."""
    tell: str
    """Opening verbs of writing and speaking."""
    story: str
    """What a topic is the owner of: the story of, the life of."""
    digest: str
    """What one asks to be given: an overview, a summary."""
    to_me: str
    """The one who asks."""
    asks: str
    """`Can you`, `could you please`."""
    wants: str
    """`I want`, `we need`."""
    viewer: str
    """Who is spoken to: such a sentence is for those who watch."""
    directs: str
    """Openings that say how to make it."""
    measure: str
    """Lengths, parts and tones that only a film has."""
    must: str
    """What follows the medium in `the video should`."""
    label: str
    """Names before a colon that a topic follows."""
    detail: str
    """Names before a colon that a manner follows."""
    filler: str
    """What may stand before all else."""
    subject: str
    """Words that open a statement."""
    finite: str
    """Verbs that are found in statements alone."""


_SOURCES: dict[str, dict[str, str]] = {
    "en": {
        "medium": r"(?:[\w-]*video|film|movie|clip|reel|short|script|screenplay|voice-?over|narration|documentary"
        r"|explainer|tutorial|trailer|teaser|ad|advert|advertisement|commercial|animation|slideshow"
        r"|presentation|storyboard|podcast|vlog|essay|article|story|speech)s?",
        "indefinite": r"(?:an?|one|some|another|two|three|\d+)",
        "about": r"(?:about|on|regarding|explaining|covering|showing|describing|for|titled|called|of)",
        "amount": r"(?:everything|something|all|a bit|a little|more|briefly|in detail|a few words)",
        "indirect": r"(?:how|why|what|when|where|who|which|whether)",
        "tell": r"(?:write|explain|describe|tell|talk|speak|summari[sz]e|discuss|outline|narrate|teach|compare|list"
        r"|illustrate|present|elaborate|explore|recount|show|cover|mention|rewrite|translate)",
        "story": r"(?:the|a) (?:story|history|life|tale|plot|rise|fall|basics|causes|meaning|secrets?|origins?) (?:of"
        r"|behind)",
        "digest": r"(?:overview|rundown|summary|introduction|intro|breakdown|explanation|guide|lesson|history|account"
        r"|facts?)",
        "to_me": r"(?:me|us|viewers|the viewers?|the audience|people|kids|children|everyone)",
        "asks": r"(?:can|could|would|will) you\b|would you mind\b|is it possible to\b|(?:can|could|may) (?:we|i) (?:get|have|see)\b"
        r"|(?:i was|i am|i'm) wondering (?:if|whether) you (?:can|could|would)\b"
        r"|you should\b",
        "wants": r"(?:i|we)(?:'d| would)? (?:really )?(?:want|need|like|love|am looking for|are looking for)|(?:i'm"
        r"|we're) looking for",
        "viewer": r"(?:you|your|yours|yourself|yourselves)",
        "directs": r"(?:keep|make|use|include|add|start|begin|end|finish|close|open|avoid|focus|stick|mention|highlight"
        r"|emphasi[sz]e|don't|do not|no|max|maximum|at most|at least|in the style of|target|tone|something"
        r"|at the end|it (?:should|must|needs?)|you are an?|act as|(?:pretend|imagine) (?:that )?you are|then"
        r"|finally|thanks?|thank you|length|conclude|give)\b",
        "measure": r"(?:(?:about |around |under |max |maximum |at most |up to )*(?:\d+|one|two|three|four|five|six|ten"
        r"|thirty|sixty|ninety|half a|a)[ -](?:seconds?|secs?|minutes?|mins?|scenes?|slides?|sentences|words)"
        r"|[\w-]+(?: [\w-]+)? (?:tone|voice|style|music|sentences|language|words|vibe|mood|scenes)$"
        r"|for (?:kids|children|beginners|students|adults|teens|teenagers)$)",
        "must": r"(?:should|must|needs to|has to|shall|ought to)(?! have)",
        "label": r"(?:(?:video|film|script)[ -])?(?:topic|subject|idea|prompt|theme|task|brief|request|instructions?)",
        "detail": r"(?:title|length|duration|tone|style|audience|target audience|goal|format|language)",
        "filler": r"(?:please|hi there|hi|hello|hey|ok|okay|now|so|just|kindly|let's|let us|then|next|also|and|finally|first)",
        "subject": r"(?:the|an?|this|that|these|those|i|we|he|she|it|they|you|there|my|our|his|her|its|their|your|in|on"
        r"|at|by|for|from|with|after|before|since|when|while|if|as|most|many|some|all|each|every|no|nobody"
        r"|somebody|everybody|people|once|today|elsewhere|here|but|so|both|one|two|three|\d+)",
        "finite": r"(?:is|are|was|were|has|had|have|will|would|can|could|did|does|do|went|came|made|won|said|became)",
    },
    "de": {
        "medium": r"(?:[\w-]*(?:video|film|filmchen|clip|skript|drehbuch|spot|doku|dokumentation|reel|animation|trailer"
        r"|podcast|präsentation|tutorial|hörspiel)|sprechertext|werbung|text|aufsatz|artikel)(?:s|e|en|n)?",
        "indefinite": r"(?:ein|eine|einen|einem|einer|zwei|drei|\d+)",
        "about": r"(?:über|zu|zum|zur|von|vom|für|mit dem titel)",
        "amount": r"(?:etwas|alles|mehr|kurz|ausführlich|was)",
        "indirect": r"(?:wie|warum|weshalb|wieso|was|wann|wo|wer|welche[rsn]?|ob)",
        "tell": r"(?:schreib|erklär|erzähl|beschreib|sprich|spreche?|rede?|bericht|berichte|schilder|fass|vergleich"
        r"|zeig|nenn|stell|erläuter|behandl|diskutier|präsentier)(?:e|en|n|t|eln|le)?(?: sie)?",
        "story": r"(?:die|eine) (?:geschichte|entstehung) (?:der|des|von|vom|einer|eines)|das leben (?:der|des|von"
        r"|einer|eines)",
        "digest": r"(?:überblick|zusammenfassung|einführung|übersicht|erklärung|einblick)",
        "to_me": r"(?:mir|uns|den zuschauern|kindern)",
        "asks": r"(?:kannst|könntest|würdest|magst) du\b|(?:können|könnten|würden|möchten) sie\b|(?:könnt"
        r"|könntet) ihr\b",
        "wants": r"(?:ich|wir) (?:möchten?|will|wollen|brauchen?|hätten?(?: gern)?|wünschen?|suchen?)",
        "viewer": r"(?:du|dein|deine[mnrs]?|dich|dir|euch|euer|eure[mnrs]?|ihr|ihrem)",
        "directs": r"(?:mach(?:e|en|t)? (?:es|sie)|halt(?:e|en)? (?:es|sie)|benutz|verwend|nutz|nimm|fang|beginn|start"
        r"|ende|schließ|erwähn|füg|vermeid|achte auf|am ende|zum schluss|höchstens|maximal|mindestens|etwa"
        r"|kein|bitte|einfache|im stil|zielgruppe|(?:es|er|sie) (?:soll|sollte|muss|darf)|du bist ein|danke"
        r"|gib\b)\w*",
        "measure": r"(?:(?:etwa |circa |ca |rund |unter |höchstens |maximal |ungefähr )*(?:\d+|eine|zwei|drei|vier|fünf"
        r"|sechs|zehn|dreißig|sechzig) (?:sekunden|minuten?|szenen|sätze|wörter)|[\w-]+(?: [\w-]+)? (?:ton|stimme|stil"
        r"|musik|sätze|sprache|worte|wörter|stimmung)$|für (?:kinder|anfänger|schüler|jugendliche)$)",
        "must": r"(?:soll|sollte|muss|müsste|darf)",
        "label": r"(?:video|film)?-?(?:thema|idee|prompt|aufgabe|auftrag|anweisung)",
        "detail": r"(?:titel|länge|dauer|ton|stil|zielgruppe|sprache|ziel)",
        "filler": r"(?:bitte|hallo|hi|ok|nun|jetzt|also|dann|danach|zuerst|und|lass uns|lasst uns|mal)",
        "subject": r"(?:der|die|das|den|dem|des|ein|eine|einen|einem|ich|wir|er|sie|es|man|diese[rsmn]?|jene[rsmn]?|mein"
        r"|meine|unser|unsere|sein|seine|ihre?|im|in|an|am|auf|bei|mit|nach|vor|seit|von|für|als|wenn|während"
        r"|viele|manche|alle|jede[rsmn]?|nur|dort|hier|heute|dann|doch|aber|zwei|drei|\d+)",
        "finite": r"(?:ist|sind|war|waren|hat|haben|hatte|hatten|wird|werden|wurde|wurden|kann|können|gibt|steht|liegt"
        r"|\w+te(?:n|t)?)",
    },
    "fr": {
        "medium": r"(?:vidéo|video|film|clip|reel|script|scénario|documentaire|court[ -]métrage|reportage|animation"
        r"|tutoriel|pub|publicité|bande-annonce|podcast|présentation|narration|texte|article)s?",
        "indefinite": r"(?:une?|des|d'une?|deux|trois|\d+)",
        "about": r"(?:sur|à propos|au sujet|concernant|pour|intitulée?|de|du|des|d')",
        "amount": r"(?:tout|quelque chose|un peu|plus|brièvement)",
        "indirect": r"(?:comment|pourquoi|ce que|ce qu'|ce qui|quand|où|qui|quels?|quelles?|si)",
        "tell": r"(?:écri(?:s|vez|re|vons)|expliqu(?:e|ez|er|ons)|décri(?:s|vez|re)|racont(?:e|ez|er)|parl(?:e|ez|er)"
        r"|résum(?:e|ez|er)|présent(?:e|ez|er)|compar(?:e|ez|er)|montr(?:e|ez|er)|list(?:e|ez|er)|illustr(?:e"
        r"|ez|er)|dis|dites)",
        "story": r"(?:l'|une )(?:histoire|origine)s? (?:du|de|des|d'|de la|de l')",
        "digest": r"(?:aperçu|résumé|introduction|vue d'ensemble|explication|présentation)",
        "to_me": r"(?:-moi|-nous|moi|nous|aux enfants|aux spectateurs)",
        "asks": r"(?:peux|pourrais)-tu\b|(?:pouvez|pourriez)-vous\b|(?:est-ce que )?(?:tu peux|tu pourrais|vous pouvez"
        r"|vous pourriez)\b",
        "wants": r"(?:je|nous) (?:veux|voudrais|voulons|voudrions|souhaite|souhaitons|cherche|cherchons)|j'aimerais"
        r"|nous aimerions|j'ai besoin|nous avons besoin|il (?:me|nous) faut",
        "viewer": r"(?:tu|ton|ta|tes|toi|te|vous|votre|vos|t'\w+)",
        "directs": r"(?:reste|restez|sois|soyez|garde|gardez|fais court|utilis|commenc|termin|fini|mentionn|ajout|évit"
        r"|inclu|insist|à la fin|au maximum|maximum|environ|avec des|ton|style|public|pas de|sans|en \d+"
        r"|(?:elle|il|ce) (?:doit|devrait)|tu es une?|vous êtes une?|merci|conclu|donne)\w*",
        "measure": r"(?:(?:environ |moins de |pas plus d'|pas plus de |au maximum )*(?:\d+|une?|deux|trois|quatre|cinq"
        r"|six|dix|trente|soixante) ?(?:secondes?|minutes?|scènes?|phrases|mots)|(?:ton|voix|style|musique|phrases|langage"
        r"|mots)(?: [\w-]+)?$|pour (?:des |les )?(?:enfants|débutants|élèves|ados)$)",
        "must": r"(?:doit|devrait|devra)",
        "label": r"(?:sujet|thème|idée|prompt|tâche|consigne)(?: (?:de|du) \w+)?",
        "detail": r"(?:titre|durée|longueur|ton|style|public|langue|objectif)",
        "filler": r"(?:s'il te plaît|s'il vous plaît|bonjour|salut|svp|stp|alors|puis|ensuite|et|maintenant|d'abord"
        r"|merci de)",
        "subject": r"(?:le|la|les|l'|un|une|des|ce|cet|cette|ces|c'|je|j'|nous|on|il|elle|ils|elles|mon|ma|mes|notre|nos"
        r"|son|sa|ses|leur|leurs|dans|en|sur|au|aux|à|par|pour|avec|après|avant|depuis|quand|si|chaque|chacun"
        r"|beaucoup|plusieurs|tout|tous|mais|deux|trois|\d+)",
        "finite": r"(?:est|sont|était|étaient|a|ont|avait|avaient|sera|seront|peut|peuvent|fut|furent"
        r"|\w+(?:ait|aient|èrent))",
    },
    "es": {
        "medium": r"(?:v[ií]deo|pel[ií]cula|corto|cortometraje|clip|reel|gui[oó]n|documental|reportaje|animación"
        r"|tutorial|anuncio|tráiler|podcast|presentación|narración|texto|artículo)(?:s|es)?",
        "indefinite": r"(?:un|una|unos|unas|dos|tres|\d+)",
        "about": r"(?:sobre|acerca|para|titulado|de|del|en torno)",
        "amount": r"(?:todo|algo|más|un poco|brevemente)",
        "indirect": r"(?:cómo|por qué|qué|cuándo|dónde|quién|quiénes|cuál|lo que|si)",
        "tell": r"(?:escrib(?:e|a|an|ir|id)|expli(?:ca|que|quen|car|cad)|descri(?:be|ba|bir|bid)|cu[eé]nt(?:a|e|en)"
        r"|contar|habl(?:a|e|ar)|resum(?:e|a|ir)|present(?:a|e|ar)|compar(?:a|e|ar)|mu[eé]str(?:a|e)|mostrar"
        r"|narr(?:a|e|ar)|enumer(?:a|e|ar)|explíca|descríbe|háblanos|háblame)(?:me|nos)?",
        "story": r"(?:la|una) (?:historia|vida) (?:de|del)|el origen (?:de|del)",
        "digest": r"(?:resumen|introducción|panorama|visión general|explicación|repaso)",
        "to_me": r"(?:me|nos)",
        "asks": r"¿?(?:me )?(?:puedes|podrías|puede|podría|pueden|podrían)\b",
        "wants": r"(?:yo )?(?:quiero|queremos|quisiera|quisiéramos|necesito|necesitamos|busco|buscamos|me gustaría"
        r"|nos gustaría)",
        "viewer": r"(?:tú|tu|tus|ti|te|contigo|usted|ustedes|vosotros|vuestr[oa]s?|os)",
        "directs": r"(?:sé|sea|haz(?:lo|la)|manten|mantén|usa|use|utiliz|empieza|empiece|comienz|termin|acab|menciona"
        r"|mencione|añad|agreg|incluy|evit|al final|como máximo|máximo|más o menos|con palabras|tono|estilo"
        r"|público|sin|nada de|(?:tiene|tendría) que|(?:debe|debería)|eres un|gracias|conclu|da\b)\w*",
        "measure": r"(?:(?:unos |unas |menos de |no más de |como máximo )*(?:\d+|una?|dos|tres|cuatro|cinco|seis|diez"
        r"|treinta|sesenta) (?:segundos?|minutos?|escenas?|frases|palabras)|(?:tono|voz|estilo|música|frases|lenguaje"
        r"|palabras)(?: [\w-]+)?$|para (?:niños|principiantes|alumnos|jóvenes)$)",
        "must": r"(?:debe|debería|tiene que|tendría que|deberá)",
        "label": r"(?:tema|asunto|idea|prompt|tarea|encargo|instrucciones)(?: del? \w+)?",
        "detail": r"(?:título|duración|longitud|tono|estilo|público|idioma|objetivo)",
        "filler": r"(?:por favor|hola|bueno|ahora|luego|después|primero|y|entonces)",
        "subject": r"(?:el|la|los|las|un|una|unos|unas|este|esta|estos|estas|eso|esto|ese|esa|yo|nosotros|él|ella|ellos"
        r"|ellas|mi|mis|nuestr[oa]s?|su|sus|en|a|al|con|por|para|desde|tras|cuando|si|cada|muchos|muchas|todos"
        r"|todas|algunos|hoy|aquí|allí|pero|dos|tres|\d+|\w+(?:amos|emos|imos|aron|ieron|aba|aban|ía|ían|ó))",
        "finite": r"(?:es|son|era|eran|fue|fueron|está|están|ha|han|había|habían|tiene|tienen|será|serán|puede|pueden"
        r"|hay"
        r"|\w+(?:ó|aron|ieron|aba|aban|ía|ían))",
    },
    "it": {
        "medium": r"(?:video|film|filmat[oi]|filmino|clip|reel|script|copione|sceneggiatura|documentari[oi]?"
        r"|cortometraggi[oi]?|servizio|animazione|tutorial|spot|trailer|podcast|presentazione|narrazione|testo"
        r"|articolo)",
        "indefinite": r"(?:un|uno|una|un'|due|tre|\d+)",
        "about": r"(?:su|sul|sull'|sulla|sulle|sui|sugli|sullo|riguardo|circa|per|intitolat[oa]|di|del|dell'|della"
        r"|delle|dei|degli|dello)",
        "amount": r"(?:tutto|qualcosa|di più|un po'|brevemente)",
        "indirect": r"(?:come|perché|che cosa|cosa|quando|dove|chi|quali?|se)",
        "tell": r"(?:scriv(?:i|a|ere|ete)|spieg(?:a|hi|are|ate)|descriv(?:i|a|ere)|raccont(?:a|i|are|ate)|parl(?:a|i"
        r"|are|ate)|riassum(?:i|a|ere)|present(?:a|i|are)|confront(?:a|i|are)|mostr(?:a|i|are)|elenc(?:a|hi"
        r"|are)|illustr(?:a|i|are)|narr(?:a|i|are))(?:mi|ci)?",
        "story": r"(?:la|una) (?:storia|vita) (?:di|del|dell'|della|delle|dei|degli)|l'origine (?:di|del|della)",
        "digest": r"(?:panoramica|riassunto|introduzione|spiegazione|quadro)",
        "to_me": r"(?:mi|ci)",
        "asks": r"(?:mi )?(?:puoi|potresti|può|potrebbe|potete|potreste)\b",
        "wants": r"(?:io )?(?:voglio|vorrei|vogliamo|vorremmo|cerco|cerchiamo)|ho bisogno di|abbiamo bisogno di|(?:mi"
        r"|ci) serve",
        "viewer": r"(?:tu|tuo|tua|tuoi|tue|ti|te|voi|vostr[oaie]|vi)",
        "directs": r"(?:sii|sia|tieni|mantieni|usa|usi|utilizza|inizia|comincia|finisci|termina|cita|aggiung|includi"
        r"|evita|alla fine|al massimo|massimo|circa|con parole|tono|stile|pubblico|niente|senza|(?:deve"
        r"|dovrebbe)|sei un|grazie|conclud|fai\b)\w*",
        "measure": r"(?:(?:circa |meno di |non più di |al massimo )*(?:\d+|una?|due|tre|quattro|cinque|sei|dieci|trenta"
        r"|sessanta) (?:secondi|minut[oi]|scen[ae]|frasi|parole)|(?:tono|voce|stile|musica|frasi|linguaggio"
        r"|parole)(?: [\w-]+)?$|per (?:bambini|principianti|studenti|ragazzi)$)",
        "must": r"(?:deve|dovrebbe|dovrà)",
        "label": r"(?:argomento|tema|soggetto|idea|prompt|compito|richiesta|istruzioni)(?: del? \w+)?",
        "detail": r"(?:titolo|durata|lunghezza|tono|stile|pubblico|lingua|obiettivo)",
        "filler": r"(?:per favore|per piacere|ciao|salve|ora|adesso|poi|quindi|prima|e)",
        "subject": r"(?:il|lo|la|i|gli|le|l'|un|uno|una|un'|questo|questa|questi|queste|quello|quella|io|noi|lui|lei|loro"
        r"|mio|mia|nostr[oaie]|suo|sua|suoi|sue|in|nel|nella|nei|a|al|alla|con|per|da|dal|dopo|prima|quando|se"
        r"|ogni|ognuno|molti|molte|tutti|tutte|alcuni|oggi|qui|ma|due|tre|\d+|\w+(?:iamo|arono|erono|irono|ava"
        r"|avano|eva|evano|ò|ì))",
        "finite": r"(?:è|sono|era|erano|fu|furono|ha|hanno|aveva|avevano|sarà|saranno|può|possono|c'è"
        r"|\w+(?:ò|ì|arono|irono|erono|ava|avano|eva|evano|iva|ivano))",
    },
}

#: Languages that there are cues for.
LANGUAGES = tuple(_SOURCES)


@cache
def cues_of(language: str) -> Cues:
    """The cues of one of LANGUAGES."""
    return Cues(**_SOURCES[language])


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, made once."""
    return re.compile(pattern)
