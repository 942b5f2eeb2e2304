"""The small words of five languages: articles, pronouns, prepositions, auxiliaries. They carry no topic, and capitalised they
open a sentence, which a name after an abbreviation does not."""

from __future__ import annotations

from collections.abc import Mapping

_WORDS = {
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
FUNCTION_WORDS: Mapping[str, frozenset[str]] = {language: frozenset(text.split()) for language, text in _WORDS.items()}
