"""Abbreviations that are written with a stop, by what may follow them. Lower case, without the last stop and inner spaces.

- title: a name follows, so it ends no sentence (`Dr. Smith`);
- counted: a number follows (`No. 5`, `Sept. 4`); before anything else it is a word that ends a sentence (`He said no.`);
- inner: the sentence goes on, whatever follows (`e.g.`, `ca.`);
- closing: ends a sentence where a capital follows (`etc.`, `p.m.`, units);
- open: ends a sentence only where a function word follows with a capital (`in the U.S. The` but `the U.S. Navy`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Abbreviations:
    """One language's, or all of them in one."""

    title: frozenset[str]
    counted: frozenset[str]
    inner: frozenset[str]
    closing: frozenset[str]
    open: frozenset[str]

    @property
    def all(self) -> frozenset[str]:
        """Every abbreviation, whatever may follow it."""
        return self.title | self.counted | self.inner | self.closing | self.open


_TABLES: Mapping[str, dict[str, str]] = {
    # Latin, or used in several languages.
    "": {
        "title": "dr prof mr mrs ms mme mlle",
        "counted": "no nr art fig p pp vol c § tab jan feb apr jun jul aug sep sept oct okt nov dec dez",
        "inner": "cf viz ca e.g i.e vs",
        "closing": "etc ibid",
        "open": "al jr inc ltd corp co u.s u.k u.n e.u d.c ph.d b.c a.d b.c.e c.e m.d m.a b.a l.a u.s.a max",
    },
    "en": {
        "title": """mx sr st rev hon pres gov sen rep gen col maj lt sgt cpl capt cmdr adm supt insp fr msgr messrs mmes amb
            mt ft atty treas sec-gen lt.col lt.gen brig""",
        "counted": """nos vols eq sect sec par para app ex ill mar tue tues wed thu thurs fri sat sun mon est ver op
            ch chap chs figs pt ed edn tel ext flt rm apt""",
        "inner": "eg ie approx incl excl resp a.k.a aka c.f i.a n.b orig trans v w/o",
        "closing": "min mins sec secs a.m p.m am pm hr hrs yr yrs mo mos wk wks oz lb lbs yd mi km cm mm kg tbsp tsp gal mph sq cu",
        "open": """bros dept univ assn ave blvd rd ln hwy sq st mt p.s jr sr esq llc plc intl natl govt est u.s.s.r n.y r.i
            n.j n.c s.c n.d s.d r.i.p d.d.s ll.d m.b.a m.sc b.sc d.phil""",
    },
    "de": {
        "title": """hr hrn fr frl dipl dipl.-ing ing mag med phil jur rer nat hl st gen lt hptm dr.med dr.phil dr.jur frhr
            univ.-prof prof.dr priv.-doz pfr bgm fa joh seb friedr wilh gebr hll""",
        "counted": "nrn s ss bd bde kap abb abs anm aufl hft jg tafel ziff z rn tel stk art par mär märz",
        "inner": """z.b d.h u.a.m i.a bzw ggf evtl evt inkl einschl exkl zzgl zzt vgl sog bspw mind ungef etwa gem lt wg
            i.d.r u.u m.e o.g s.o s.u z.t z.zt z.hd i.s.v i.h.v v.a i.e geb gest verh gegr vorm ehem insb insbes urspr od
            o.b.d.a m.w d.s i.v allg bes betr jmd umg f ff resp gesch em""",
        "closing": "uhr usw usf u.ä o.ä u.dgl u.v.m u.v.a dgl",
        "open": """jh jhd jhdt jhs mio mrd bio tsd std stdn sek v.chr n.chr chr str pl u.a o.a ag gmbh e.v h.c a.d i.r
            u.s.w mwst hrsg hbf tgl wö mtl jährl kl gr abt ges inst u.s""",
    },
    "fr": {
        "title": "m mm mgr ed me pr dr ste vve st sts",
        "counted": "n chap t éd pl ill vol p pp al janv févr avr juil déc tél cap bd n° l liv sect ann",
        "inner": "p.ex ex c.-à-d c-à-d env cf apr av resp conf id",
        "closing": "min sec",
        "open": "j.-c av.j.-c apr.j.-c s.a s.a.r.l r.-v h.t t.t.c n.b p.-s",
    },
    "es": {
        "title": """sr sra srta srs sres sras d dª da dña don dra drs dras prof profa lic ing arq gral cnel cap mons fr sto sta
            pdte pdta ilmo excmo excma rvdo hno hna mtro""",
        "counted": "n s núm nro pág págs pag vol t cap fig tel tlf ene abr ago dic art núms",
        "inner": "p.ej ej aprox esp cía-v ee u.s aprox",
        "closing": "p.m a.m min seg",
        "open": "ud uds vd vds ee.uu a.c d.c a.de.c s.a s.l s.a.de.c.v cía avda av c/ jj.oo dpto admón a.j.c uu depto",
    },
    "it": {
        "title": """sig sigg sig.ra sig.na dott dott.ssa dr dr.ssa prof prof.ssa ing avv arch geom rag on sen cav comm mons s ss
            gen col cap ten mar dott.ri egr gent.ma gent.mo spett card""",
        "counted": "n nn pag pagg p pp art artt vol voll cap fig tav tel genn febbr apr giu lug ago sett ott dic num sez sec",
        "inner": "p.es es ad.es cfr cit sgg seg segg c.d c.d circa",
        "closing": "ecc min",
        "open": "a.c d.c s.p.a s.r.l u.s st v.le p.za p.zza c.so rep",
    },
}


@lru_cache(maxsize=32)
def abbreviations(language: str) -> Abbreviations:
    """A language's own and the common ones; all languages' for the empty one; the common ones where none are known."""
    names = list(_TABLES) if not language else ["", language]
    tables = [_TABLES[name] for name in names if name in _TABLES]
    return Abbreviations(
        **{kind: frozenset(word for table in tables for word in table[kind].split()) for kind in _TABLES[""]}
    )
