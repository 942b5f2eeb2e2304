"""The gender of nouns, as far as their endings and lists of frequent exceptions tell it, for the numbers before them."""

from __future__ import annotations

import re

from stages.text.function_words import FUNCTION_WORDS

_FEMININE_ES = re.compile(r"(?:as?|dad|dades|[cst]ión|[cst]iones|gión|giones|tud|tudes|umbres?|triz|trices|[sx]is)$")
_FEMININE_ES_LIST = """mujer mujeres flor flores noche noches calle calles clase clases mano manos vez veces luz luces voz voces ley
    leyes parte partes nube nubes nave naves torre torres llave llaves sangre sal sed red redes pared paredes gente nieve tarde
    tardes muerte muertes suerte fuente fuentes madre madres imagen imágenes orden cruz cruces cárcel cárceles piel pieles miel
    serie series especie especies superficie foto fotos moto motos radio sede sedes base bases frase frases fase fases llave carne
    leche labor labores opinión razón razones canción unión reunión raíz raíces nariz paz torre catedral catedrales señal señales
    mente mentes corriente corrientes"""
_MASCULINE_ES = re.compile(
    r"(?:[^c]lemas?|blemas?|stemas?|grafemas?|fonemas?|temas?|poemas?|esquemas?|teoremas?|enigmas?|dogmas?|dramas?|gramas?|climas?"
    r"|idiomas?|axiomas?|diplomas?|síntomas?|átomas?|cromosomas?|aromas?|fantasmas?|prismas?|sismas?|carismas?|plasmas?|istas?"
    r"|nautas?|análisis|paréntesis|éxtasis|oasis|brindis)$"
)
_MASCULINE_ES_LIST = """día días mediodía mapa mapas planeta planetas cometa cometas poeta poetas pirata piratas atleta atletas
    dálmata dálmatas colega colegas cura curas guardia guardias papa papas gorila gorilas tranvía tranvías sofá sofás profeta
    profetas
    patriarca monarca monarcas jinetas mes meses gas gases país países autobús sistema sistemas"""
_FEMININE_IT = re.compile(r"(?:a|tà|tù|[szgn]ione|trice|tudine|ite|[^n]esi|isi|osi|igine|agine|udine|ezza|ie)$")
_FEMININE_IT_LIST = """mano notte parte classe legge luce voce croce chiave nave madre moglie carne fine gente mente morte neve pace
    pelle rete sede sete siepe stagione torre valle veste volpe arte fonte fronte febbre fame corte cenere base fase frase crisi
    tesi
    radio foto moto auto bici eco ora canzone ragione opinione regione"""
_MASCULINE_IT = re.compile(
    r"(?:blema|stema|ema|gramma|diploma|aroma|idioma|cromosoma|enigma|dogma|dramma|clima|fantasma|prisma|nauta|monarca|patriarca)$"
)
_MASCULINE_IT_LIST = """pianeta poeta pirata atleta papa cinema gorilla profeta pigiama collega panorama sosia boia vaglia sofà papà
    limite satellite delta cobra koala puma panda lama"""
_FEMININE_IT_EMA = frozenset({"crema", "gemma", "fiamma", "mamma"})
_FEMININE_DE = re.compile(
    r"(?:ung|heit|keit|schaft|ion|tät|ik|ur|enz|anz|ei|e|frau|stadt|person|nacht|hand|wand|bank|kraft|macht|kuh|maus|laus|gans"
    r"|wurst"
    r"|faust|brust|luft|haut|braut|nuss|kunst|lust|angst|stunde|zahl|wahl|qual|uhr|tür|bahn|fahrt|art|welt|zeit|arbeit|antwort"
    r"|tochter|mutter|schwester|nummer|feder|mauer|schulter|butter|insel|gabel|nadel|regel|tafel|kugel|wurzel|schüssel|million|mark"
    r"|burg|form|last|post|pflicht|sicht|schicht|schrift|flut|glut|wut|axt|spur|tour|figur|natur|jacht|yacht)$"
)
_NOT_FEMININE_DE = re.compile(
    r"(?:^(?:uhr|ei|erbe|affe|kunde|zeuge|ende|pole|ge\w+e)|(?:stamm|bank|neu)kunde|(?:wochen|jahres|monats|lebens)ende"
    r"|name|käse|junge|löwe|(?<!p)hase|rabe|bote|buchstabe|gedanke|friede|glaube|funke|wille|(?<!l)auge|interesse|genie|knie"
    r"|experte"
    r"|held|sprung|schwung|aufwand|einwand|gewand|abitur|flur|spion|stadion|kaffee|tee|klee|schnee|komitee|café|franzose|chinese"
    r"|russe|türke|riese|drache|ochse|neffe|kollege|matrose|bauer|streik|mosaik|skorpion|champion|papagei|brei|schrei|tanz|kranz"
    r"|schwanz|glanz|start|bart|palast|ballast|kompost|verlust|genuss|pinsel|abteilungsleiter|bürgermeister)$"
)
_REAL_FEMININE_DE = frozenset(
    {"hecke", "gefahr", "gemeinde", "gebärde", "geige", "gerste", "geste", "geschichte", "gelegenheit", "gegend"}
)
_FEMININE_FR = re.compile(r"(?:[ts]ions?|tés?|ées?|[ae]nces?|ettes?|euses?|trices?|ures?)$")
_FEMININE_FR_LIST = """page personne femme fille foi place semaine ligne ville maison route chose étoile lampe image carte langue
    île vie nuit main partie marche photo table porte fenêtre feuille plante école famille équipe guerre fleur"""
_FEMININE_FR_WORDS = frozenset(_FEMININE_FR_LIST.split())
_WORDS = {
    name: frozenset(text.split())
    for name, text in {
        "feminine es": _FEMININE_ES_LIST,
        "masculine es": _MASCULINE_ES_LIST,
        "feminine it": _FEMININE_IT_LIST,
        "masculine it": _MASCULINE_IT_LIST,
    }.items()
}


def is_noun(word: str, language: str) -> bool:
    """Whether a lower-case word may be what a number counts: none of the small words is."""
    return (
        word not in FUNCTION_WORDS[language]
        or word in _WORDS.get(f"masculine {language}", ())
        or word in _WORDS.get(f"feminine {language}", ())
    )


def is_feminine(noun: str, language: str) -> bool:
    """By the ending; False where nothing tells."""
    word = noun.lower()
    match language:
        case "es":
            if word in _WORDS["feminine es"]:
                return True
            masculine = word in _WORDS["masculine es"] or _MASCULINE_ES.search(word) is not None
            return not masculine and _FEMININE_ES.search(word) is not None
        case "it":
            if word in _WORDS["feminine it"] or word in _FEMININE_IT_EMA:
                return True
            masculine = word in _WORDS["masculine it"] or _MASCULINE_IT.search(word) is not None
            return not masculine and _FEMININE_IT.search(word) is not None
        case "de":
            if word in _REAL_FEMININE_DE:
                return True
            return _FEMININE_DE.search(word) is not None and _NOT_FEMININE_DE.search(word) is None
        case "fr":
            return _FEMININE_FR.search(word) is not None or word.rstrip("s") in _FEMININE_FR_WORDS
        case _:
            return False
