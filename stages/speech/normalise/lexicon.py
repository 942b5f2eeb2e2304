"""How five languages say what is written in signs: units, money, months, abbreviations, and the words that join numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stages.speech.normalise.units import Forms, metric_units


def _table(text: str) -> dict[str, str]:
    """`a=b | c=d` as a mapping."""
    entries = (entry.strip() for entry in text.split("|"))
    return {
        entry[0] + key.strip(): " ".join(value.split())
        for entry in entries
        for key, _, value in [entry[1:].partition("=")]
    }


def _forms(text: str) -> dict[str, Forms]:
    """`km=kilometer,kilometers | …`; one form alone stands for both."""
    found: dict[str, Forms] = {}
    for key, value in _table(text).items():
        one, _, many = value.partition(",")
        found[key] = (one.strip(), many.strip() or one.strip())
    return found


@dataclass(frozen=True)
class Lexicon:
    """One language. `symbols` are read as words of their own; `abbreviations` are looked up with and without case.

    `money_join` joins the larger and the smaller unit (`three euros {and} fifty cents`), `cents` tells whether the smaller one
    is named. `scales` are words and letters for thousands and more.
    """

    group: str
    decimal: str
    one: str
    minus: str
    point: str
    percent: str
    per_mille: str
    per: str
    to: str
    dot: str
    at: str
    slash: str
    months: tuple[str, ...]
    by: str
    money_join: str
    cents: bool
    scales: Mapping[str, Forms]
    units: Mapping[str, Forms]
    symbols: Mapping[str, str]
    abbreviations: Mapping[str, str]
    say: Mapping[str, str] = field(default_factory=dict)


ENGLISH = Lexicon(
    group=",", decimal=".", one="one", minus="minus", point="point", percent="percent", per_mille="per mille", per="per", to="to",
    dot="dot", at="at", slash="slash",
    months=("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
            "November", "December"),
    by="by", money_join=" and ", cents=True,
    scales=_forms("""hundred=hundred | thousand=thousand | million=million | billion=billion | trillion=trillion |
        k=thousand | K=thousand | m=million | M=million | mn=million | MM=million | b=billion | B=billion | bn=billion |
        T=trillion | tn=trillion | lakh=lakh | crore=crore"""),
    units=metric_units("en") | _forms("""
        t=ton,tons | in=inch,inches | km=kilometer,kilometers | cm=centimeter,centimeters |
        mm=millimeter,millimeters | m=meter,meters | kg=kilogram,kilograms | g=gram,grams | mg=milligram,milligrams |
        l=liter,liters | L=liter,liters | ml=milliliter,milliliters | lb=pound,pounds | lbs=pound,pounds | oz=ounce,ounces |
        ft=foot,feet | mi=mile,miles | mph=mile per hour,miles per hour | km/h=kilometer per hour,kilometers per hour |
        m/s=meter per second,meters per second | m²=square meter,square meters | km²=square kilometer,square kilometers |
        m³=cubic meter,cubic meters | m/s²=meter per second squared,meters per second squared | ms=millisecond,milliseconds |
        s=second,seconds | sec=second,seconds | min=minute,minutes | h=hour,hours | hr=hour,hours | hrs=hours | mins=minutes |
        secs=seconds | yr=year,years | yrs=years |
        mo=month,months | mos=months | wk=week,weeks | wks=weeks | rpm=revolution per minute,revolutions per minute | Hz=hertz |
        kHz=kilohertz | MHz=megahertz | GHz=gigahertz | KB=kilobyte,kilobytes | kB=kilobyte,kilobytes |
        MB=megabyte,megabytes | GB=gigabyte,gigabytes | TB=terabyte,terabytes | Mbps=megabit per second,megabits per second |
        Gbps=gigabit per second,gigabits per second | W=watt,watts | kW=kilowatt,kilowatts | MW=megawatt,megawatts |
        GW=gigawatt,gigawatts | Wh=watt hour,watt hours | kWh=kilowatt hour,kilowatt hours | V=volt,volts |
        dB=decibel,decibels | fps=frame per second,frames per second | px=pixel,pixels | °C=degree Celsius,degrees Celsius |
        °F=degree Fahrenheit,degrees Fahrenheit | °=degree,degrees | K=K | x=times | ha=hectare,hectares"""),
    symbols=_table("&=and | +=plus | ==equals | ×=times | ÷=divided by | ±=plus or minus | ~=about | ≈=about | <=less than | "
                   ">=greater than | ≤=at most | ≥=at least | @=at | §=section | §§=sections | №=number | °=degrees | −=minus | "
                   "√=square root of | ≠=not equal to | π=pi | µ=micro | ²=squared | ³=cubed | ^=to the power of | "
                   "→=to | ⇒=implies | ∝=is proportional to | ∞=infinity | ≡=is identical to"),
    abbreviations=_table("""Mr.=Mister | Mrs.=Missus | Ms.=Miz | Dr.=Doctor | Prof.=Professor | St.=Saint | Jr.=Junior |
        Sr.=Senior | Mt.=Mount | Ft.=Fort | Ave.=Avenue | Blvd.=Boulevard | Rd.=Road | Gen.=General | Gov.=Governor |
        Sen.=Senator | Rep.=Representative | Capt.=Captain | Lt.=Lieutenant | Col.=Colonel | Sgt.=Sergeant | Rev.=Reverend |
        e.g.=for example | eg.=for example | i.e.=that is | ie.=that is | etc.=et cetera | c.=circa | vs.=versus | vs=versus |
        v.=versus | approx.=approximately | ca.=circa | cf.=compare | al.=al | Inc.=Incorporated | Ltd.=Limited |
        Corp.=Corporation | Co.=Company | Bros.=Brothers | Dept.=Department | Univ.=University | est.=established |
        Fig.=Figure | fig.=figure | Vol.=Volume | vol.=volume | Ch.=Chapter | Art.=Article | Sec.=Section | Nos.=numbers |
        p.=page | pp.=pages | ed.=edition | Jan.=January | Feb.=February | Mar.=March | Apr.=April | Jun.=June | Jul.=July |
        Aug.=August | Sep.=September | Sept.=September | Oct.=October | Nov.=November | Dec.=December | Mon.=Monday |
        Tue.=Tuesday | Tues.=Tuesday | Wed.=Wednesday | Thu.=Thursday | Thurs.=Thursday | Fri.=Friday | a.k.a.=also known as |
        w/=with | w/o=without | P.S.=P S | Ph.D.=P H D | BC=B C | AD=A D | BCE=B C E | CE=C E | a.m.=A.M. | p.m.=P.M. |
        am=A.M. | pm=P.M. | yr.=year | yrs.=years | mo.=month | mos.=months | wk.=week |
        wks.=weeks | hr.=hour | hrs.=hours | mins.=minutes | secs.=seconds | Rm.=Room | rm.=room |
        Apt.=Apartment | apt.=apartment"""),
    say=_table("9/11=nine eleven | 7/11=seven eleven | JSON=Jason | YAML=Yammel | CO2=C O two | H2O=H two O | FFmpeg=F F mpeg | "
               "ffmpeg=F F mpeg | C++=C plus plus | C#=C sharp | F#=F sharp | 24/7=twenty-four seven | and/or=and or"),
)  # fmt: skip

GERMAN = Lexicon(
    group=".", decimal=",", one="ein", minus="minus", point="Komma", percent="Prozent", per_mille="Promille", per="pro", to="bis",
    dot="Punkt", at="ät", slash="Schrägstrich",
    months=("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November",
            "Dezember"),
    by="mal", money_join=" ", cents=False,
    scales=_forms("""Tausend=Tausend | Million=Million | Millionen=Millionen | Milliarde=Milliarde |
        Milliarden=Milliarden | Billion=Billion | Billionen=Billionen | k=Tausend | Tsd=Tausend | T=Tausend |
        M=Million,Millionen | Mio=Million,Millionen | Mrd=Milliarde,Milliarden | Bio=Billion,Billionen"""),
    units=metric_units("de") | _forms("""
        t=Tonne,Tonnen | km=Kilometer | cm=Zentimeter | mm=Millimeter | m=Meter | kg=Kilogramm | g=Gramm |
        mg=Milligramm | l=Liter | ml=Milliliter | km/h=Kilometer pro Stunde | m/s=Meter pro Sekunde | m²=Quadratmeter |
        km²=Quadratkilometer | m³=Kubikmeter | ms=Millisekunde,Millisekunden | s=Sekunde,Sekunden | min=Minute,Minuten |
        Min=Minute,Minuten | h=Stunde,Stunden | Std=Stunde,Stunden | Hz=Hertz | kHz=Kilohertz | MHz=Megahertz |
        GHz=Gigahertz | KB=Kilobyte | kB=Kilobyte | MB=Megabyte | GB=Gigabyte | TB=Terabyte | W=Watt | kW=Kilowatt |
        MW=Megawatt | GW=Gigawatt | kWh=Kilowattstunde,Kilowattstunden | V=Volt | dB=Dezibel | px=Pixel | °C=Grad Celsius |
        °F=Grad Fahrenheit | °=Grad | x=mal | ha=Hektar | ct=Cent"""),
    symbols=_table("&=und | +=plus | ==gleich | ×=mal | ÷=geteilt durch | ±=plus minus | ~=etwa | ≈=etwa | <=kleiner als | "
                   ">=größer als | ≤=höchstens | ≥=mindestens | @=ät | §=Paragraf | §§=Paragrafen | №=Nummer | °=Grad | −=minus | "
                   "√=Wurzel aus | ≠=ungleich | π=Pi | µ=Mikro | ²=Quadrat | ³=hoch drei | ^=hoch | "
                   "→=zu | ⇒=folgt | ∝=ist proportional zu | ∞=unendlich | ≡=ist identisch mit"),
    abbreviations=_table("""Dr.=Doktor | Prof.=Professor | Hr.=Herr | Fr.=Frau | St.=Sankt | Nr.=Nummer | Str.=Straße |
        z.B.=zum Beispiel | d.h.=das heißt | u.a.=unter anderem | usw.=und so weiter | bzw.=beziehungsweise | ca.=zirka |
        evtl.=eventuell | ggf.=gegebenenfalls | inkl.=inklusive | exkl.=exklusive | vgl.=vergleiche | sog.=sogenannte |
        etc.=et cetera | Mio.=Millionen | Mrd.=Milliarden | Tsd.=Tausend | Abb.=Abbildung | Kap.=Kapitel |
        h.c.=honoris causa | Art.=Artikel | Abs.=Absatz | Tel.=Telefon | ff.=folgende | Bd.=Band | S.=Seite |
        Jh.=Jahrhundert | max.=maximal | min.=minimal | mind.=mindestens | Std.=Stunden | Min.=Minuten | u.Ä.=und Ähnliches |
        o.Ä.=oder Ähnliches | v.Chr.=vor Christus | n.Chr.=nach Christus | z.T.=zum Teil | i.d.R.=in der Regel | Jan.=Januar |
        Feb.=Februar | Aug.=August | Sept.=September | Okt.=Oktober | Nov.=November | Dez.=Dezember | tgl.=täglich |
        v.a.=vor allem | s.o.=siehe oben | s.u.=siehe unten | geb.=geboren | gest.=gestorben | MwSt.=Mehrwertsteuer |
        i.A.=im Auftrag | u.U.=unter Umständen | o.g.=oben genannte | z.Zt.=zur Zeit | zzgl.=zuzüglich | bspw.=beispielsweise |
        insb.=insbesondere | Hbf.=Hauptbahnhof | mtl.=monatlich | jährl.=jährlich | wöchentl.=wöchentlich | Jhd.=Jahrhundert |
        Hrsg.=Herausgeber | verh.=verheiratet | gegr.=gegründet | vorm.=vormals | i.V.=in Vertretung | m.E.=meines Erachtens"""),
    say=_table("CO2=C O zwei | H2O=H zwei O | und/oder=und oder | 24/7=vierundzwanzig sieben | C++=C plus plus"),
)  # fmt: skip

FRENCH = Lexicon(
    group=".", decimal=",", one="un", minus="moins", point="virgule", percent="pour cent", per_mille="pour mille",
    per="par", to="à",
    dot="point", at="arobase", slash="barre oblique",
    months=("janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre",
            "décembre"),
    by="sur", money_join=" ", cents=False,
    scales=_forms("""million=million | millions=millions | milliard=milliard | milliards=milliards | k=mille |
        M=million,millions | Mio=million,millions | Md=milliard,milliards | Mds=milliard,milliards | Mrd=milliard,milliards"""),
    units=metric_units("fr") | _forms("""
        t=tonne,tonnes | km=kilomètre,kilomètres | cm=centimètre,centimètres | mm=millimètre,millimètres |
        m=mètre,mètres | kg=kilogramme,kilogrammes | g=gramme,grammes | mg=milligramme,milligrammes | l=litre,litres |
        L=litre,litres | ml=millilitre,millilitres | km/h=kilomètre heure,kilomètres heure |
        m/s=mètre par seconde,mètres par seconde | m²=mètre carré,mètres carrés | km²=kilomètre carré,kilomètres carrés |
        m³=mètre cube,mètres cubes | ms=milliseconde,millisecondes | s=seconde,secondes | min=minute,minutes |
        h=heure,heures | Hz=hertz | kHz=kilohertz | MHz=mégahertz | GHz=gigahertz | Ko=kilooctet,kilooctets |
        Mo=mégaoctet,mégaoctets | Go=gigaoctet,gigaoctets | To=téraoctet,téraoctets | MB=mégaoctet,mégaoctets |
        GB=gigaoctet,gigaoctets | W=watt,watts | kW=kilowatt,kilowatts | MW=mégawatt,mégawatts |
        kWh=kilowattheure,kilowattheures | V=volt,volts | dB=décibel,décibels | px=pixel,pixels |
        °C=degré Celsius,degrés Celsius | °F=degré Fahrenheit,degrés Fahrenheit | °=degré,degrés | x=fois |
        ha=hectare,hectares"""),
    symbols=_table("&=et | +=plus | ==égale | ×=fois | ÷=divisé par | ±=plus ou moins | ~=environ | ≈=environ | <=inférieur à | "
                   ">=supérieur à | ≤=au plus | ≥=au moins | @=arobase | §=paragraphe | §§=paragraphes | №=numéro | °=degrés | "
                   "−=moins | "
                   "√=racine de | ≠=différent de | π=pi | µ=micro | ²=au carré | ³=au cube | ^=puissance | "
                   "→=vers | ⇒=implique | ∝=est proportionnel à | ∞=l'infini | ≡=est identique à"),
    abbreviations=_table("""M.=monsieur | MM.=messieurs | Mme=madame | Mlle=mademoiselle | Dr=docteur | Dr.=docteur |
        Pr=professeur | St=saint | Ste=sainte | etc.=et cetera | p.ex.=par exemple | c.-à-d.=c'est-à-dire | env.=environ |
        n°=numéro | N°=numéro | av.J.-C.=avant Jésus-Christ | apr.J.-C.=après Jésus-Christ | av.=avenue | bd=boulevard |
        chap.=chapitre | art.=article | fig.=figure | p.=page | pp.=pages | vol.=volume | MM.=messieurs |
        apr.J.-C.=après Jésus-Christ | max.=maximum | min.=minimum | janv.=janvier | févr.=février | juil.=juillet |
        sept.=septembre | oct.=octobre | nov.=novembre | déc.=décembre | J.-C.=Jésus-Christ | cf.=confer | éd.=édition |
        Mgr=monseigneur | Mmes=mesdames |
        ch.=chapitre | hab.=habitants"""),
    say=_table("CO2=C O deux | H2O=H deux O | et/ou=et ou | 24/7=vingt-quatre sept | C++=C plus plus"),
)  # fmt: skip

SPANISH = Lexicon(
    group=".", decimal=",", one="un", minus="menos", point="coma", percent="por ciento", per_mille="por mil", per="por", to="a",
    dot="punto", at="arroba", slash="barra",
    months=("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre", "octubre", "noviembre",
            "diciembre"),
    by="por", money_join=" con ", cents=False,
    scales=_forms("""mil=mil | millón=millón | millones=millones | k=mil | M=millón,millones | mill=millón,millones"""),
    units=metric_units("es") | _forms("""
        t=tonelada,toneladas | km=kilómetro,kilómetros | cm=centímetro,centímetros | mm=milímetro,milímetros |
        m=metro,metros | kg=kilogramo,kilogramos | g=gramo,gramos | mg=miligramo,miligramos | l=litro,litros |
        L=litro,litros | ml=mililitro,mililitros | km/h=kilómetro por hora,kilómetros por hora |
        m/s=metro por segundo,metros por segundo | m²=metro cuadrado,metros cuadrados |
        km²=kilómetro cuadrado,kilómetros cuadrados | m³=metro cúbico,metros cúbicos | ms=milisegundo,milisegundos |
        s=segundo,segundos | min=minuto,minutos | h=hora,horas | Hz=hercio,hercios | kHz=kilohercio,kilohercios |
        MHz=megahercio,megahercios | GHz=gigahercio,gigahercios | KB=kilobyte,kilobytes | MB=megabyte,megabytes |
        GB=gigabyte,gigabytes | TB=terabyte,terabytes | W=vatio,vatios | kW=kilovatio,kilovatios | MW=megavatio,megavatios |
        kWh=kilovatio hora,kilovatios hora | V=voltio,voltios | dB=decibelio,decibelios | px=píxel,píxeles |
        °C=grado Celsius,grados Celsius | °F=grado Fahrenheit,grados Fahrenheit | °=grado,grados | x=veces |
        ha=hectárea,hectáreas"""),
    symbols=_table("&=y | +=más | ==igual a | ×=por | ÷=entre | ±=más menos | ~=unos | ≈=unos | <=menor que | >=mayor que | "
                   "≤=como máximo | ≥=como mínimo | @=arroba | §=sección | §§=secciones | №=número | °=grados | −=menos | "
                   "√=raíz de | ≠=distinto de | π=pi | "
                   "µ=micro | ²=al cuadrado | ³=al cubo | ^=elevado a | "
                   "→=hacia | ⇒=implica | ∝=es proporcional a | ∞=infinito | ≡=es idéntico a"),
    abbreviations=_table("""Sr.=señor | Sra.=señora | Srta.=señorita | Dr.=doctor | Dra.=doctora | D.=don | Ud.=usted |
        Uds.=ustedes | etc.=etcétera | p.ej.=por ejemplo | aprox.=aproximadamente | n.º=número | Nº=número | nº=número |
        pág.=página | págs.=páginas | cap.=capítulo | art.=artículo | fig.=figura | tel.=teléfono | máx.=máximo |
        mín.=mínimo | EE.UU.=Estados Unidos | a.C.=antes de Cristo | d.C.=después de Cristo | a.deC.=antes de Cristo |
        vol.=volumen | s.=siglo | núm.=número | Sres.=señores | Dña.=doña | Prof.=profesor | p.m.=P. M. | a.m.=A. M. |
        avda.=avenida | Avda.=avenida | S.A.=sociedad anónima | dcha.=derecha | izq.=izquierda | hab.=habitantes"""),
    say=_table("CO2=C O dos | H2O=H dos O | y/o=y o | 24/7=veinticuatro siete | C++=C más más"),
)  # fmt: skip

ITALIAN = Lexicon(
    group=".", decimal=",", one="un", minus="meno", point="virgola", percent="per cento", per_mille="per mille", per="per", to="a",
    dot="punto", at="chiocciola", slash="barra",
    months=("gennaio", "febbraio", "marzo", "aprile", "maggio", "giugno", "luglio", "agosto", "settembre", "ottobre",
            "novembre", "dicembre"),
    by="per", money_join=" e ", cents=False,
    scales=_forms("""mila=mila | milione=milione | milioni=milioni | miliardo=miliardo | miliardi=miliardi | k=mila |
        M=milione,milioni | mln=milione,milioni | mld=miliardo,miliardi | Mln=milione,milioni | Mld=miliardo,miliardi"""),
    units=metric_units("it") | _forms("""
        t=tonnellata,tonnellate | km=chilometro,chilometri | cm=centimetro,centimetri |
        mm=millimetro,millimetri | m=metro,metri | kg=chilogrammo,chilogrammi | g=grammo,grammi | mg=milligrammo,milligrammi |
        l=litro,litri | L=litro,litri | ml=millilitro,millilitri | km/h=chilometro orario,chilometri orari |
        m/s=metro al secondo,metri al secondo | m²=metro quadrato,metri quadrati |
        km²=chilometro quadrato,chilometri quadrati | m³=metro cubo,metri cubi | ms=millisecondo,millisecondi |
        s=secondo,secondi | min=minuto,minuti | h=ora,ore | Hz=hertz | kHz=kilohertz | MHz=megahertz | GHz=gigahertz |
        KB=kilobyte | MB=megabyte | GB=gigabyte | TB=terabyte | W=watt | kW=kilowatt | MW=megawatt | kWh=kilowattora |
        V=volt | dB=decibel | px=pixel | °C=grado Celsius,gradi Celsius | °F=grado Fahrenheit,gradi Fahrenheit |
        °=grado,gradi | x=volte | ha=ettaro,ettari"""),
    symbols=_table("&=e | +=più | ==uguale a | ×=per | ÷=diviso | ±=più o meno | ~=circa | ≈=circa | <=minore di | >=maggiore di | "
                   "≤=al massimo | ≥=almeno | @=chiocciola | §=paragrafo | §§=paragrafi | №=numero | °=gradi | −=meno | "
                   "√=radice di | ≠=diverso da | π=pi | "
                   "µ=micro | ²=al quadrato | ³=al cubo | ^=elevato a | "
                   "→=verso | ⇒=implica | ∝=è proporzionale a | ∞=infinito | ≡=è identico a"),
    abbreviations=_table("""Sig.=signor | Sig.ra=signora | Sigg.=signori | Dott.=dottor | Dott.ssa=dottoressa | Prof.=professor |
        Ing.=ingegner | Avv.=avvocato | ecc.=eccetera | es.=esempio | p.es.=per esempio | ades.=ad esempio | ca.=circa |
        vol.=volume | sec.=secolo | n.=numero | N.=numero | pag.=pagina | pagg.=pagine | cap.=capitolo | art.=articolo |
        fig.=figura | tel.=telefono | max.=massimo | min.=minimo | S.=San | d.C.=dopo Cristo | a.C.=avanti Cristo |
        dott.ssa=dottoressa |
        prof.ssa=professoressa | Prof.ssa=professoressa | dott.=dottor | sig.=signor | sig.ra=signora | sigg.=signori |
        ing.=ingegner |
        avv.=avvocato | prof.=professor | cfr.=confronta | ab.=abitanti"""),
    say=_table("CO2=C O due | H2O=H due O | e/o=e o | 24/7=ventiquattro sette | C++=C più più"),
)  # fmt: skip

LEXICONS: Mapping[str, Lexicon] = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH, "es": SPANISH, "it": ITALIAN}

# What a part is called, by how many make a whole: one, several.
PARTS: Mapping[str, Mapping[int, Forms]] = {
    language: {
        number: (one, many or one)
        for number, (one, _, many) in enumerate((part.partition(",") for part in row.split()), 2)
    }
    for language, row in {
        "en": """half,halves third,thirds quarter,quarters fifth,fifths sixth,sixths seventh,sevenths eighth,eighths
            ninth,ninths tenth,tenths""",
        "de": "halb Drittel Viertel Fünftel Sechstel Siebtel Achtel Neuntel Zehntel",
        "fr": """demi,demis tiers quart,quarts cinquième,cinquièmes sixième,sixièmes septième,septièmes huitième,huitièmes
            neuvième,neuvièmes dixième,dixièmes""",
        "es": """medio,medios tercio,tercios cuarto,cuartos quinto,quintos sexto,sextos séptimo,séptimos octavo,octavos
            noveno,novenos décimo,décimos""",
        "it": """mezzo,mezzi terzo,terzi quarto,quarti quinto,quinti sesto,sesti settimo,settimi ottavo,ottavi nono,noni
            decimo,decimi""",
    }.items()
}
# Fractions that are one character: numerator and denominator.
VULGAR = {"½": (1, 2), "⅓": (1, 3), "⅔": (2, 3), "¼": (1, 4), "¾": (3, 4), "⅕": (1, 5), "⅖": (2, 5), "⅗": (3, 5), "⅘": (4, 5),
          "⅙": (1, 6), "⅚": (5, 6), "⅛": (1, 8), "⅜": (3, 8), "⅝": (5, 8), "⅞": (7, 8)}  # fmt: skip
