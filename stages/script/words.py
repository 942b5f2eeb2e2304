"""Words: counting them, telling the ones that mean something, and how long they take to say."""

from __future__ import annotations

import re

#: Letters and words that one second of speech holds: measured with the offline voices, pauses at commas included.
_PACE = {"en": (14.0, 3.3), "de": (13.0, 2.5), "fr": (16.0, 3.6), "es": (12.5, 3.0), "it": (11.5, 2.3)}
_USUAL_PACE = (13.0, 2.8)
_BREATH_S = 0.3
#: "1823" is four characters and twenty letters long when it is spoken.
_LETTERS_PER_DIGIT = 4

_WORD = re.compile(r"[^\W\d_]+(?:['\u2019-][^\W\d_]+)*|\d+(?:[.,:]\d+)*")
_WITHOUT_SPACES = re.compile(r"[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_ELISION = re.compile(r"^(?:[cdjlmnst]|qu|un|all|dell|nell|sull|dall|quest|quell)['\u2019]", re.IGNORECASE)
_POSSESSIVE = re.compile(r"['\u2019]s?$")
_STEM = 6
#: Characters of scripts without spaces that weigh as one word when speaking time is reckoned.
_CHARACTERS_PER_WORD = 1.7

_STOP = {
    "en": """a about above after again against all almost along already also although always am among an and
        another any are around as at away back be became because become been before being below between both but
        by came can cannot come could did do does done down during each either else enough even ever every few
        find first for found from gave get give given go goes got had has have having he her here hers herself
        him himself his how however i if in indeed instead into is it its itself just keep kept last later least
        less let like long made make makes many may me might more most much must my near need never new next no
        nor not nothing now of off often old on once one only or other others our out over own per perhaps put
        rather really said same saw say says see seem seen several she should since so some something soon still
        such take than that the their them then there therefore these they this those though three through thus
        to today together too took toward two under until up upon us use used very want was way we well went
        were what when where whether which while who whole whom whose why will with within without would year
        years yet you your""",
    "de": """aber alle allem allen aller alles als also am an andere anderen auch auf aus bei beide beim bereits
        bin bis bist da dabei dadurch dafür dagegen daher damit danach dann daran darauf darin darum das dass
        dazu dein dem den denn dennoch der deren des dessen dich die dies diese diesem diesen dieser dieses dir
        doch dort du durch ein eine einem einen einer eines einige er erst es etwa etwas euch eure für ganz gar
        gegen gibt ging hab habe haben hat hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren
        ihrer im immer in indem ins ist ja jede jedem jeden jeder jedes jedoch jene kam kann kein keine keinen
        kommt konnte konnten man manche mehr mein meine mich mir mit muss musste nach nachdem neben nicht nichts
        nie noch nun nur ob oder oft ohne schon sehr sein seine seinem seinen seiner seit selbst sich sie sind
        so sogar solche soll sollte sondern sonst statt trotzdem über um und uns unser unter viel viele vom von
        vor wann war ward waren warum was weg weil weit weiter welche wenn wer werden wie wieder will wir wird
        wo wurde wurden während zu zum zur zwar zwei zwischen""",
    "fr": """à afin ai ainsi alors après as au aucun aucune aujourd'hui auquel aussi autant autre autres aux
        avaient avait avant avec avoir bien c ça car ce ceci cela celle celles celui ces cet cette ceux chaque
        chez comme comment d dans de début déjà depuis des deux devant dix doit donc dont du elle elles en
        encore enfin entre es est et étaient était étant été être eu eux fait faire faut font fut grand grande
        hors ici il ils j jamais jusque l la là le lequel les leur leurs lors lorsque lui m ma mais me même
        mêmes mes moi moins mon n ne ni nos notre nous on ont or ou où par parce parfois pas pendant peu peut
        peuvent plus plutôt pour pourquoi pouvait puis qu quand que quel quelle quelques qui quoi rien s sa sans
        se sera ses si soit son sont sous souvent sur t ta tant te tel tes toi ton toujours tous tout toute
        toutes très tu un une vers voici voilà vos votre vous y""",
    "es": """a acá ahí ahora al algo algún alguna algunas algunos allí ante antes aquel aquella aquí así aun aún
        aunque bajo bien cada casi como cómo con contra cual cuando cuanto de del desde después día donde dónde
        dos durante e el él ella ellas ellos en entonces entre era eran es esa ese eso esta está estaba están
        estas este esto estos fue fueron gran ha había habían hace hacer hacia han hasta hay la las le les lo
        los luego más me mi mientras mis mismo mucha muchas mucho muchos muy nada ni no nos nosotros nuestra
        nuestro nunca o os otra otras otro otros para pero poco podía por porque primero pudo puede pueden pues
        que qué quien quién se sea según ser si sí sido siempre sin sino sobre solo sólo son su sus también tan
        tanto te tiene tienen toda todas todavía todo todos tres tu un una unas uno unos usted va ya y yo""",
    "it": """a ad agli ai al alla alle allo allora anche ancora appena aveva avevano c che chi ci ciò cioè come
        con contro cosa così cui d da dagli dai dal dalla dalle dallo de degli dei del della delle dello dentro
        di dopo dove due dunque e è ed era erano essere fa fino fra fu furono già gli ha hanno i il in infatti
        invece io l la le lei li lo loro lui ma mai me mentre mi mia mio molta molte molti molto ne né negli nei
        nel nella nelle nello noi non nostra nostro o ogni oggi oltre ora per perché però più po' poi poco prima
        può qua quale quando quanto quasi quella quelle quelli quello questa queste questi questo qui quindi
        sarà se sé sei sempre senza si sia siamo solo sono sopra sotto stata state stati stato su sua sue sui
        sul sulla sulle suo suoi tra tre tutta tutte tutti tutto un una uno va verso vi via voi""",
}
_STOP_SETS = {language: frozenset(text.split()) for language, text in _STOP.items()}


def primary(language: str) -> str:
    """`en` of `en-GB`."""
    return re.split("[-_]", language)[0].lower()


def words(text: str) -> list[str]:
    """Words and numbers as they are written, without punctuation."""
    return _WORD.findall(text)


def bare(word: str, language: str) -> str:
    """A word in lower case without elided article (`l'`, `dell'`) or English possessive."""
    if language == "en":
        word = _POSSESSIVE.sub("", word)
    elif language in ("fr", "it"):
        word = _ELISION.sub("", word)
    return word.casefold()


def means_something(word: str, language: str) -> bool:
    """Whether a bare word carries meaning; where no list is known, words of up to three letters do not."""
    stop = _STOP_SETS.get(language)
    if stop is None:
        return len(word) > 3 or bool(_WITHOUT_SPACES.search(word))
    return len(word) > 1 and word not in stop and not word[0].isdigit()


def stem(word: str) -> str:
    """The front of a bare word: enough to see that `lights` and `light`, `Moore` and `Moor` belong together."""
    if len(word) == 4 and word.endswith("s"):
        return word[:-1]
    for ending in ("en", "es", "e", "s"):
        if word.endswith(ending) and 4 <= len(word) - len(ending) <= 5:
            return word[: -len(ending)]
    return word[:_STEM]


def stems(text: str, language: str) -> list[str]:
    """Stems of the words that mean something, in order, repeated as in the text."""
    bares = (bare(word, language) for word in words(text))
    return [stem(word) for word in bares if means_something(word, language)]


def count_words(text: str) -> int:
    """Words to speak; in scripts without spaces, characters are reckoned as parts of words."""
    dense = len(_WITHOUT_SPACES.findall(text))
    return len(words(_WITHOUT_SPACES.sub(" ", text))) + round(dense / _CHARACTERS_PER_WORD)


def words_in(seconds: float, language: str) -> int:
    """How many words of running text are spoken in that time."""
    return round(seconds * _PACE.get(primary(language), _USUAL_PACE)[1])


def speaking_s(text: str, language: str) -> float:
    """Seconds that the text takes to say, with the breath after it."""
    letters_per_s, words_per_s = _PACE.get(primary(language), _USUAL_PACE)
    dense = len(_WITHOUT_SPACES.findall(text))
    digits = sum(char.isdigit() for char in text)
    letters = sum(char.isalpha() for char in text) - dense
    dense_s = dense / _CHARACTERS_PER_WORD / words_per_s
    return (letters + digits * _LETTERS_PER_DIGIT) / letters_per_s + dense_s + _BREATH_S
