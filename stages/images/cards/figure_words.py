"""Words around figures in the languages that cards are mostly made in: English, German, French, Spanish, Italian."""

from __future__ import annotations

PER_CENT = frozenset({"%", "percent", "prozent", "procent"})
PER_CENT_PAIRS = (("per", "cent"), ("pour", "cent"), ("por", "ciento"), ("per", "cento"))
# What makes a number thousands or millions.
_SCALES_LIST = """hundred thousand million millions billion billions trillion tausend millionen milliarde milliarden billionen mille
    milliard milliards mil millón millones milione milioni miliardo miliardi mio mio. mrd mrd. mln mln. mld mld. bn mn"""
# What a number counts or measures, as a word.
_UNITS_LIST = """kilometer kilometers kilometre kilometres centimeter centimeters centimetre centimetres meter meters metre metres
    liter liters litre litres millimeter millimeters mile miles foot feet ton tons tonne tonnes kilogram kilograms
    gram grams pound pounds degree degrees light-year light-years year years century centuries decade decades month
    months week weeks day days hour hours minute minutes second seconds times people species calories dollar dollars
    euro euros watt watts volt volts jahr jahre jahren monat monate woche wochen tag tage tagen stunde stunden minuten
    sekunden menschen arten metern kilometern tonnen gramm kilogramm grad mal ans an jours jour heures heure secondes
    personnes espèces mètres kilomètres kilogrammes degrés fois años días horas minutos segundos personas especies
    metros kilómetros toneladas kilos grados veces anni giorni ore minuti secondi persone specie metri chilometri
    tonnellate chili gradi volte"""
# Before a percentage that tells of a change, which is no part of a whole.
_CHANGES_LIST = """by grew grow grows grown rose rise rises risen fell fall falls fallen growth increase increased increases
    decrease
    decreased drop dropped drops gain gained gains jumped climbed shrank surged up down plus minus discount save
    inflation interest um wuchs wächst gewachsen stieg steigt gestiegen sank sinkt gesunken fiel wachstum anstieg
    rückgang zuwachs rabatt zinsen augmenté augmente hausse baisse baissé reculé croissance aumentó aumenta subió sube
    bajó baja cayó crecimiento aumento aumentato sceso cresciuto crescita calo"""
# After one.
_MORES_LIST = """more less fewer faster slower higher lower larger smaller cheaper better worse increase decrease growth rise drop
    discount off mehr weniger schneller langsamer höher niedriger größer kleiner billiger teurer besser wachstum
    anstieg rabatt zinsen plus moins más menos più meno hausse baisse interest zuwachs aumento crecimiento crescita"""
# Qualifications without which a number would be false.
_LEADS_LIST = """not | nicht | no more than | no less than | no fewer than | not more than | not less than | nicht mehr als |
    nicht weniger als | pas plus de | pas moins de | no más de | no menos de | non più di | non meno di | minus |
    moins | menos | meno | less than | more than | fewer than | at least | at most | up to | nearly | almost | about
    | around | over | under | roughly | only | just | approx. | approximately | some | ca. | circa | etwa | rund |
    fast | knapp | über | unter | nur | mehr als | weniger als | mindestens | höchstens | bis zu | ungefähr |
    environ | près de | plus de | moins de | au moins | au plus | jusqu'à | seulement | presque | quasi | casi | más
    de | menos de | unos | unas | solo | sólo | al menos | hasta | alrededor de | più di | meno di | almeno | fino a
    | oltre | soltanto"""
CHANGE_PAIRS = frozenset(
    {("de", "plus"), ("de", "moins"), ("de", "m\u00e1s"), ("de", "menos"), ("in", "pi\u00f9"), ("in", "meno")}
)
# Between the two numbers of `3 in 4 people`.
PARTS_OF = frozenset({"in", "of", "von", "auf", "sur", "su", "de", "di", "cada", "ogni"})
# What is a part of the figure after it, or a multiple of it: `two thirds of 9.7 million`.
_PARTS_LIST = """some many few several none zero fraction part parts share portion rest remainder teil einige viele manche keiner
    null dritte dritter vierte vierter zehnte zehnter partie certains plupart aucun aucune parte algunos algunas
    ninguno alcuni alcune nessuno nessuna half halves third thirds quarter quarters fourth fourths fifth fifths
    sixth sixths seventh sevenths eighth eighths ninth ninths tenth tenths hundredth hundredths thousandth
    thousandths millionth millionths most majority minority twice double triple dozen dozens one two three four five
    six seven eight nine ten eleven twelve twenty thirty forty fifty hundred hundreds thousand thousands million
    millions billion billions trillion percent percentage per-cent hälfte halb halbe drittel viertel fünftel
    sechstel siebtel achtel neuntel zehntel hundertstel tausendstel mehrheit minderheit doppelte dreifache prozent
    dutzend einer eine eines zwei drei vier fünf sechs sieben acht neun zehn hundert tausend millionen milliarden
    moitié tiers quart quarts cinquième cinquièmes sixième septième huitième neuvième dixième dixièmes centième
    millième majorité minorité cent mille milliards un une deux trois quatre cinq sept huit neuf dix douzaine mitad
    tercio tercios cuarto cuartos quinto quintos sexto séptimo octavo noveno décimo décimos centésimo milésimo
    mayoría minoría doble mil millón millones uno una dos tres cuatro cinco seis siete ocho nueve diez docena metà
    terzo terzi quarti decimo decimi centesimo millesimo maggioranza minoranza doppio triplo mila milione milioni
    miliardi due tre quattro cinque sei sette otto nove dieci dozzina"""
# What may stand between the two.
_JOINTS_LIST = """every each jeder jeden of in out the a an all its their our these those some von der des den dem aus aller
    dieser ihrer seiner de du d' la le les l' tous toutes ces ses sur del los las el todos todas esos estos di dei
    della delle degli dell' i gli tutti tutte su"""
#: Between two factors or terms: `1.5 × 10^6`.
OPERATORS = frozenset({"×", "x", "*", "·", "÷", "/", "=", "≈", "^", "+", "−", "-"})
# Between the two ends of a range.
_BETWEEN = {"en": "and or to", "de": "und oder bis", "fr": "et ou à", "es": "y o a", "it": "e ed o a"}
SCALES, UNITS = frozenset(_SCALES_LIST.split()), frozenset(_UNITS_LIST.split())
PARTS, JOINTS = frozenset(_PARTS_LIST.split()), frozenset(_JOINTS_LIST.split())
CHANGES, MORES = frozenset(_CHANGES_LIST.split()), frozenset(_MORES_LIST.split())
#: The longest first.
LEADS = sorted((lead.split() for lead in _LEADS_LIST.split("|")), key=len, reverse=True)


def between(language: str) -> frozenset[str]:
    """Words that join the two ends of a range in a language; all that are no single letter where it is none of these."""
    own = _BETWEEN.get(language.lower().split("-")[0])
    words = own.split() if own else [word for joins in _BETWEEN.values() for word in joins.split() if len(word) > 1]
    return frozenset(words)


def is_known(language: str) -> bool:
    """Whether the words around figures in a language are among these."""
    return language.lower().split("-")[0] in _BETWEEN
