"""Currencies by sign and code: what one and several are called in five languages, and their hundredth parts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from stages.speech.normalise.units import Forms, metric_units

_LANGUAGES = ("en", "de", "fr", "es", "it")
# Signs and codes : names in English, German, French, Spanish, Italian; one form alone stands for both.
_NAMES = """
$ US$ USD ＄ : dollar,dollars | Dollar | dollar,dollars | dólar,dólares | dollaro,dollari
€ EUR : euro,euros | Euro | euro,euros | euro,euros | euro
£ GBP ￡ : pound,pounds | Pfund | livre,livres | libra,libras | sterlina,sterline
¥ JPY JP¥ ￥ 円 : yen | Yen | yen,yens | yen,yenes | yen
CNY RMB CN¥ : yuan | Yuan | yuan,yuans | yuan,yuanes | yuan
₹ INR Rs Rs. ₨ : rupee,rupees | Rupie,Rupien | roupie,roupies | rupia,rupias | rupia,rupie
₩ KRW ￦ : won | Won | won,wons | won,wones | won
₽ RUB : ruble,rubles | Rubel | rouble,roubles | rublo,rublos | rublo,rubli
₺ TRY : lira | Lira | livre turque,livres turques | lira,liras | lira,lire
₪ ILS NIS : shekel,shekels | Schekel | shekel,shekels | séquel,séqueles | shekel
₴ UAH : hryvnia,hryvnias | Hrywnja | hryvnia,hryvnias | grivna,grivnas | grivnia,grivnie
₫ VND : dong | Dong | dong,dongs | dong | dong
฿ THB : baht | Baht | baht,bahts | baht | baht
₦ NGN : naira | Naira | naira,nairas | naira,nairas | naira
₱ PHP : peso,pesos | Peso,Pesos | peso,pesos | peso,pesos | peso,pesos
₿ BTC : bitcoin,bitcoins | Bitcoin | bitcoin,bitcoins | bitcóin,bitcoines | bitcoin
₡ CRC : colón,colones | Colón,Colones | colón,colones | colón,colones | colón
₲ PYG : guaraní,guaranís | Guaraní | guarani,guaranis | guaraní,guaraníes | guaraní
₸ KZT : tenge | Tenge | tenge | tenge | tenge
₭ LAK : kip | Kip | kip,kips | kip | kip
₮ MNT : tugrik | Tugrik | tugrik,tugriks | tugrik | tugrik
₵ GHS : cedi,cedis | Cedi | cedi,cedis | cedi,cedis | cedi
₼ AZN : manat | Manat | manat,manats | manat | manat
₾ GEL : lari | Lari | lari | lari | lari
৳ BDT : taka | Taka | taka,takas | taka | taka
៛ KHR : riel,riels | Riel | riel,riels | riel,rieles | riel
؋ AFN : afghani,afghanis | Afghani | afghani,afghanis | afgani,afganis | afghani
֏ AMD : dram,drams | Dram | dram,drams | dram,drams | dram
﷼ IRR : rial,rials | Rial | rial,rials | rial,riales | rial,rial
CHF SFr. Fr. : Swiss franc,Swiss francs | Franken | franc suisse,francs suisses |
  franco suizo,francos suizos | franco svizzero,franchi svizzeri
₣ FRF : franc,francs | Franc | franc,francs | franco,francos | franco,franchi
kr kr. NOK DKK : krone,kroner | Krone,Kronen | couronne,couronnes | corona,coronas | corona,corone
SEK : krona,kronor | Krone,Kronen | couronne,couronnes | corona,coronas | corona,corone
zł PLN : zloty,zlotys | Zloty | zloty,zlotys | esloti,eslotis | zloty
Kč CZK : koruna,korunas | Krone,Kronen | couronne,couronnes | corona,coronas | corona,corone
Ft HUF : forint,forints | Forint | forint,forints | forinto,forintos | fiorino,fiorini
RON : leu,lei | Leu,Lei | leu,lei | leu,leus | leu,lei
R$ BRL : real,reais | Real,Reais | réal,réaux | real,reales | real,reais
MXN MX$ : Mexican peso,Mexican pesos | mexikanischer Peso,mexikanische Pesos | peso mexicain,pesos mexicains |
  peso mexicano,pesos mexicanos | peso messicano,pesos messicani
ARS CLP COP UYU : peso,pesos | Peso,Pesos | peso,pesos | peso,pesos | peso,pesos
C$ CA$ CAD : Canadian dollar,Canadian dollars | kanadischer Dollar,kanadische Dollar | dollar canadien,dollars canadiens |
  dólar canadiense,dólares canadienses | dollaro canadese,dollari canadesi
A$ AU$ AUD : Australian dollar,Australian dollars | australischer Dollar,australische Dollar |
  dollar australien,dollars australiens | dólar australiano,dólares australianos | dollaro australiano,dollari australiani
NZ$ NZD : New Zealand dollar,New Zealand dollars | Neuseeland-Dollar | dollar néo-zélandais,dollars néo-zélandais |
  dólar neozelandés,dólares neozelandeses | dollaro neozelandese,dollari neozelandesi
HK$ HKD : Hong Kong dollar,Hong Kong dollars | Hongkong-Dollar | dollar de Hong Kong,dollars de Hong Kong |
  dólar de Hong Kong,dólares de Hong Kong | dollaro di Hong Kong,dollari di Hong Kong
S$ SGD : Singapore dollar,Singapore dollars | Singapur-Dollar | dollar de Singapour,dollars de Singapour |
  dólar de Singapur,dólares de Singapur | dollaro di Singapore,dollari di Singapore
ZAR : rand | Rand | rand,rands | rand,rands | rand
AED MAD : dirham,dirhams | Dirham | dirham,dirhams | dírham,dírhams | dirham
SAR QAR : riyal,riyals | Riyal | riyal,riyals | riyal,riyales | riyal
¢ ￠ : cent,cents | Cent | cent,cents | centavo,centavos | centesimo,centesimi
₧ : peseta,pesetas | Peseta,Peseten | peseta,pesetas | peseta,pesetas | peseta,pesete
₤ : lira | Lira,Lire | lire,lires | lira,liras | lira,lire
₯ : drachma,drachmas | Drachme,Drachmen | drachme,drachmes | dracma,dracmas | dracma,dracme
"""
_MINOR = {
    "": "cent,cents | Cent | centime,centimes | céntimo,céntimos | centesimo,centesimi",
    "dollar": "cent,cents | Cent | cent,cents | centavo,centavos | centesimo,centesimi",
    "pound": "penny,pence | Penny,Pence | penny,pence | penique,peniques | penny,pence",
    "rupee": "paisa,paise | Paisa | paisa,paisas | paisa,paisas | paisa",
    "ruble": "kopeck,kopecks | Kopeke,Kopeken | kopeck,kopecks | kopek,kopeks | copeco,copechi",
    "Swiss franc": "centime,centimes | Rappen | centime,centimes | céntimo,céntimos | centesimo,centesimi",
}
# Nouns for which numbers take a feminine form, by their first word.
_FEMININE_LIST = {
    "de": "Stunde Minute Sekunde Tonne Kalorie Meile Unze Rupie Krone Lira Hrywnja Peseta Drachme Kopeke",
    "fr": "heure minute seconde milliseconde tonne livre once couronne roupie hryvnia peseta lire drachme calorie",
    "es": """hora tonelada libra onza milla hectárea caloría rupia corona lira grivna peseta dracma yarda pulgada""",
    "it": "ora tonnellata libbra oncia sterlina rupia corona lira grivnia peseta dracma caloria",
}
_FEMININE_UNITS = {
    "en": (),
    "de": ("stunde", "Stunde", "sekunde", "tonne", "kalorie"),
    "fr": ("seconde", "tonne", "calorie", "mole"),
    "es": ("tonelada", "caloría"),
    "it": ("tonnellata", "caloria", "mole", "ora"),
}
FEMININE = {
    language: frozenset(
        [
            *words.split(),
            *(one for one, _ in metric_units(language).values() if one.endswith(_FEMININE_UNITS[language])),
        ]
    )
    for language, words in _FEMININE_LIST.items()
}


@dataclass(frozen=True)
class Currency:
    """One in one language. `minor` is its hundredth part."""

    forms: Forms
    minor: Forms


def _forms(text: str) -> Forms:
    one, _, many = text.strip().partition(",")
    return one, many or one


@lru_cache(maxsize=8)
def currencies(language: str) -> dict[str, Currency]:
    """All that are known, by sign and code."""
    column = _LANGUAGES.index(language)
    found: dict[str, Currency] = {}
    for row in re.sub(r"\|\s*\n\s+", "| ", _NAMES.strip()).splitlines():
        signs, _, names = row.partition(" : ")
        columns = names.split("|")
        english = _forms(columns[0])[0]
        kind = "dollar" if english.endswith(("dollar", "peso")) else english
        minor = _MINOR.get(kind, _MINOR[""]).split("|")[column]
        currency = Currency(_forms(columns[column]), _forms(minor))
        found |= dict.fromkeys(signs.split(), currency)
    for point in range(0xA2, 0x20D0):
        sign = chr(point)
        if unicodedata.category(sign) == "Sc" and sign not in found:
            name = unicodedata.name(sign).lower().replace(" sign", "").replace(" mark", "")
            found[sign] = Currency((name, name), _forms(_MINOR[""].split("|")[column]))
    return found


def alternatives(words: Iterable[str]) -> str:
    """A regular expression of all the words, the longest first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


@lru_cache(maxsize=8)
def currency_pattern(language: str) -> str:
    """A regular expression of all signs and codes."""
    return alternatives(currencies(language))
