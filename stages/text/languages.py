"""Languages by their tags (BCP 47): the primary language, its English name, the code that mp4 files use."""

from __future__ import annotations

LANGUAGE_NAMES = {
    "en": "English", "de": "German", "fr": "French", "es": "Spanish", "it": "Italian", "zh": "Chinese",
    "ja": "Japanese", "ko": "Korean", "ru": "Russian", "uk": "Ukrainian", "ar": "Arabic", "he": "Hebrew",
    "hi": "Hindi", "pt": "Portuguese", "nl": "Dutch", "pl": "Polish", "tr": "Turkish", "el": "Greek",
    "sv": "Swedish", "da": "Danish", "fi": "Finnish", "cs": "Czech", "th": "Thai", "vi": "Vietnamese",
}  # fmt: skip

UNDETERMINED = "und"

_CODES = """
aa:aar ab:abk ae:ave af:afr ak:aka am:amh an:arg ar:ara as:asm av:ava ay:aym az:aze ba:bak be:bel bg:bul bi:bis bm:bam
bn:ben bo:bod br:bre bs:bos ca:cat ce:che ch:cha co:cos cr:cre cs:ces cu:chu cv:chv cy:cym da:dan de:deu dv:div dz:dzo
ee:ewe el:ell en:eng eo:epo es:spa et:est eu:eus fa:fas ff:ful fi:fin fj:fij fo:fao fr:fra fy:fry ga:gle gd:gla gl:glg
gn:grn gu:guj gv:glv ha:hau he:heb hi:hin ho:hmo hr:hrv ht:hat hu:hun hy:hye hz:her ia:ina id:ind ie:ile ig:ibo ii:iii
ik:ipk io:ido is:isl it:ita iu:iku ja:jpn jv:jav ka:kat kg:kon ki:kik kj:kua kk:kaz kl:kal km:khm kn:kan ko:kor kr:kau
ks:kas ku:kur kv:kom kw:cor ky:kir la:lat lb:ltz lg:lug li:lim ln:lin lo:lao lt:lit lu:lub lv:lav mg:mlg mh:mah mi:mri
mk:mkd ml:mal mn:mon mr:mar ms:msa mt:mlt my:mya na:nau nb:nob nd:nde ne:nep ng:ndo nl:nld nn:nno no:nor nr:nbl nv:nav
ny:nya oc:oci oj:oji om:orm or:ori os:oss pa:pan pi:pli pl:pol ps:pus pt:por qu:que rm:roh rn:run ro:ron ru:rus rw:kin
sa:san sc:srd sd:snd se:sme sg:sag si:sin sk:slk sl:slv sm:smo sn:sna so:som sq:sqi sr:srp ss:ssw st:sot su:sun sv:swe
sw:swa ta:tam te:tel tg:tgk th:tha ti:tir tk:tuk tl:tgl tn:tsn to:ton tr:tur ts:tso tt:tat tw:twi ty:tah ug:uig uk:ukr
ur:urd uz:uzb ve:ven vi:vie vo:vol wa:wln wo:wol xh:xho yi:yid yo:yor za:zha zh:zho zu:zul
"""
_THREE_LETTERS = dict(pair.split(":") for pair in _CODES.split())


def primary(language: str) -> str:
    """The language of a tag, without its region or script: `de` of `de-AT`."""
    return language.replace("_", "-").split("-")[0].lower()


def language_name(language: str) -> str:
    """`German (de)`; the bare code where no name is known."""
    name = LANGUAGE_NAMES.get(primary(language))
    return f"{name} ({language})" if name else f"the language '{language}'"


def three_letters(tag: str) -> str:
    """`en` or `en-GB` → `eng`, as an mp4 file names it (ISO 639-2/T); three letters stay; anything else is undetermined."""
    code = primary(tag)
    if len(code) == 3 and code.isascii() and code.isalpha():
        return code
    return _THREE_LETTERS.get(code, UNDETERMINED)
