"""Metric units: every prefix that is in use with every unit, as five languages say them."""

from __future__ import annotations

Forms = tuple[str, str]  # one, many

_LANGUAGES = ("en", "de", "fr", "es", "it")
# Prefixes : names in English, German, French, Spanish, Italian.
_PREFIXES = {
    symbol: dict(zip(_LANGUAGES, names.split(), strict=True))
    for symbol, names in {
        "T": "tera Tera téra tera tera",
        "G": "giga Giga giga giga giga",
        "M": "mega Mega méga mega mega",
        "k": "kilo Kilo kilo kilo kilo",
        "h": "hecto Hekto hecto hecto etto",
        "d": "deci Dezi déci deci deci",
        "c": "centi Zenti centi centi centi",
        "m": "milli Milli milli mili milli",
        "µ": "micro Mikro micro micro micro",
        "n": "nano Nano nano nano nano",
        "p": "pico Piko pico pico pico",
    }.items()
}
# Symbol, prefixes that it is used with (`-` is the unit itself) : names; one form alone stands for both. `pm` and `am` are times.
_UNITS = """
m hdcmµn : meter,meters | Meter | mètre,mètres | metro,metros | metro,metri
g mµn : gram,grams | Gramm | gramme,grammes | gramo,gramos | grammo,grammi
s mµnp : second,seconds | Sekunde,Sekunden | seconde,secondes | segundo,segundos | secondo,secondi
l hdcmµ : liter,liters | Liter | litre,litres | litro,litros | litro,litri
L -hdcmµ : liter,liters | Liter | litre,litres | litro,litros | litro,litri
t kMG : ton,tons | Tonne,Tonnen | tonne,tonnes | tonelada,toneladas | tonnellata,tonnellate
A -kmµn : ampere,amperes | Ampere | ampère,ampères | amperio,amperios | ampere
V -MkmµnG : volt,volts | Volt | volt,volts | voltio,voltios | volt
W -TGMkmµn : watt,watts | Watt | watt,watts | vatio,vatios | watt
Ω -GMkm : ohm,ohms | Ohm | ohm,ohms | ohmio,ohmios | ohm
J -TGMkm : joule,joules | Joule | joule,joules | julio,julios | joule
N -MkmGn : newton,newtons | Newton | newton,newtons | newton,newtons | newton
Nm -k : newton meter,newton meters | Newtonmeter | newton-mètre,newtons-mètres | newton metro,newtons metro | newton metro
Pa -GMkhm : pascal,pascals | Pascal | pascal,pascals | pascal,pascales | pascal
bar -m : bar,bars | Bar | bar,bars | bar,bares | bar
Hz -TGMk : hertz | Hertz | hertz | hercio,hercios | hertz
F mµnp : farad,farads | Farad | farad,farads | faradio,faradios | farad
H mµn : henry,henries | Henry | henry,henrys | henrio,henrios | henry
T mµn : tesla,teslas | Tesla | tesla,teslas | tesla,teslas | tesla
Wh -TGMkm : watt hour,watt hours | Wattstunde,Wattstunden | wattheure,wattheures | vatio hora,vatios hora | wattora
Ah -km : ampere hour,ampere hours | Amperestunde,Amperestunden | ampèreheure,ampèreheures | amperio hora,amperios hora | amperora
VA -Mk : volt-ampere,volt-amperes | Voltampere | voltampère,voltampères | voltiamperio,voltiamperios | voltampere
eV -TGMkm : electronvolt,electronvolts | Elektronenvolt | électronvolt,électronvolts | electronvoltio,electronvoltios |
  elettronvolt
Wp Mk : watt peak,watts peak | Watt Peak | watt-crête,watts-crête | vatio pico,vatios pico | watt di picco
mol -mµnk : mole,moles | Mol | mole,moles | mol,moles | mole,moli
cal -k : calorie,calories | Kalorie,Kalorien | calorie,calories | caloría,calorías | caloria,calorie
Bq -TGMk : becquerel,becquerels | Becquerel | becquerel,becquerels | becquerel,becquereles | becquerel
Sv -mµn : sievert,sieverts | Sievert | sievert,sieverts | sievert,sieverts | sievert
Gy -mµ : gray,grays | Gray | gray,grays | gray,grays | gray
lm -k : lumen,lumens | Lumen | lumen,lumens | lumen,lúmenes | lumen
lx -k : lux | Lux | lux | lux | lux
bit -kMG : bit,bits | Bit | bit,bits | bit,bits | bit
Å - : angstrom,angstroms | Ångström | ångström,ångströms | ångström,ångströms | angstrom
"""
_SQUARE = {
    "en": "square {}",
    "de": "Quadrat{}",
    "fr": "{} carré,{} carrés",
    "es": "{} cuadrado,{} cuadrados",
    "it": "{} quadrato,{} quadrati",
}
_CUBIC = {
    "en": "cubic {}",
    "de": "Kubik{}",
    "fr": "{} cube,{} cubes",
    "es": "{} cúbico,{} cúbicos",
    "it": "{} cubo,{} cubi",
}
# Spanish stresses these before `metro` alone.
_STRESSED_ES = {
    "hecto": "hectó",
    "deci": "decí",
    "centi": "centí",
    "mili": "milí",
    "micro": "micró",
    "nano": "nanó",
    "kilo": "kiló",
}
_KILOMETER_IT = "chilo"


def metric_units(language: str) -> dict[str, Forms]:
    """One and several of each unit, by its symbol; `µ` in both of its characters."""
    column = _LANGUAGES.index(language)
    found: dict[str, Forms] = {}
    for row in _UNITS.strip().replace("|\n  ", "| ").splitlines():
        head, _, names = row.partition(" : ")
        symbol, prefixes = head.split()
        one, _, many = names.split("|")[column].strip().partition(",")
        for prefix in prefixes:
            name = "" if prefix == "-" else _PREFIXES[prefix][language]
            found[prefix.strip("-") + symbol] = (_joined(name, one, language), _joined(name, many or one, language))
    found |= _areas_and_volumes(language)
    return found | {symbol.replace("µ", "μ"): forms for symbol, forms in found.items() if "µ" in symbol}


def _joined(prefix: str, name: str, language: str = "") -> str:
    """`Millisekunde`: a German noun has one capital. `kilohm` has one vowel there."""
    if language == "es" and prefix in _STRESSED_ES and name.startswith("metro"):
        prefix = _STRESSED_ES[prefix]
    if name.startswith("ohm") and prefix in ("kilo", "mega", "méga"):
        prefix = prefix[:-1]
    return prefix + (name[0].lower() + name[1:] if prefix and name[0].isupper() else name)


def _areas_and_volumes(language: str) -> dict[str, Forms]:
    """`cm²`, `mm3`."""
    one, many = {"en": ("meter", "meters"), "de": ("Meter", "Meter"), "fr": ("mètre", "mètres")}.get(
        language, ("metro", "metri" if language == "it" else "metros")
    )
    found: dict[str, Forms] = {}
    for prefix in ("", "k", "d", "c", "m", "µ"):
        name = _PREFIXES[prefix][language] if prefix else ""
        name = _KILOMETER_IT if (prefix, language) == ("k", "it") else name
        for power, digit, pattern in (("²", "2", _SQUARE), ("³", "3", _CUBIC)):
            first, _, several = pattern[language].partition(",")
            forms = (
                _named(first, _joined(name, one, language)),
                _named(several or first, _joined(name, many, language)),
            )
            found[f"{prefix}m{power}"] = found[f"{prefix}m{digit}"] = forms
    return found


def _named(pattern: str, name: str) -> str:
    return pattern.format(name[0].lower() + name[1:] if pattern.startswith(("Quadrat", "Kubik")) else name)
