"""The offline writer and its parts: sentences, what to keep, where scenes begin, what they are called."""

from __future__ import annotations

import sys
import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import CancelledError, UnavailableError
from stages.base import CancelToken
from stages.models import Brief, Script
from stages.script.offline import phrases as phrases_module
from stages.script.offline.choosing import centrality, choose
from stages.script.offline.cutting import cut
from stages.script.offline.headings import head
from stages.script.offline.outline import OutlineWriter, film_s
from stages.script.offline.phrases import phrases
from stages.script.offline.pointing import leans
from stages.script.offline.sentences import Sentence, split
from stages.script.words import count_words, speaking_s, stem, stems, words_in
from stages.text.languages import LANGUAGE_NAMES

ENGLISH = """\
For most of the nineteenth century, a ship that lost sight of land at night was steering by guesswork. Captains kept a log, a
compass and a good deal of faith. Then, in 1823, a small lamp on the mouth of the river Gironde changed what a light could do.
Its inventor, Augustin-Jean Fresnel, had never been to sea.

Fresnel was an engineer of roads and bridges, and he spent his evenings on optics. He believed that light moved as a wave, which
was an unpopular idea at the time. The French Academy had set a prize for the best work on the question. Most of the judges
expected the wave theory to lose. It won.

At the time, lighthouses used polished mirrors behind oil lamps, and the mirrors swallowed almost half of the light. Dr. Brewster
in Scotland had suggested glass lenses, but a lens large enough for a lighthouse would have weighed several tons. Fresnel's answer
was to cut away everything that did no work. A lens bends light only at its surface, so he kept the surface and threw away the
middle. What remained was a ring of thin prisms, stacked like the steps of an amphitheatre.

The result was startling. A single oil lamp could now be seen from more than 30 km away. However, the lens was hard to make. Each
prism had to be ground to an exact angle, and a lens of the first order held more than a thousand of them. A finished one stood
taller than a man and cost as much as a small ship.

By 1860, nearly every lighthouse in Europe had such a lens. Insurance rates fell on the routes that were lit. Ports that had been
avoided for centuries became safe harbours, and with them came trade, towns and railways. The keepers got a harder job. They
wound the clockwork that turned the lens every two hours, trimmed the wicks, and polished a thousand prisms with soft leather.

Electric light and satellites have taken over most of the work. Many of the old lenses stand in museums, where children walk around
them and see their own faces a hundred times. The same thin rings now sit in the goggles of virtual reality headsets, e.g. those
that weigh less than 300 g. Every harbour light that still sweeps over the water is built on a lamp of 1823.
"""
GERMAN = """\
Wer im Winter durch ein Moor geht, hört vor allem eines: nichts. Der Boden federt unter den Schuhen, Wollgras steht im Nebel.
Moore bedecken nur etwa 3 % der Landfläche der Erde, doch sie speichern doppelt so viel Kohlenstoff wie alle Wälder zusammen.

Im Moor steht das Wasser bis zur Oberfläche, und ohne Sauerstoff verrotten abgestorbene Pflanzen nicht. Stattdessen sammeln sie
sich an, Schicht um Schicht, und werden zu Torf. Ein Meter Torf braucht rund tausend Jahre.

Im 18. Jh. ließ Friedrich der Große das Oderbruch trockenlegen. »Hier habe ich im Frieden eine Provinz erobert«, soll er gesagt
haben. Heute sind in Deutschland mehr als 95 Prozent aller Moore entwässert. Der Boden sackt ab, z. B. im Donaumoos um bis zu drei
Meter. Dort steht ein Pegel aus Eichenholz, der den Verlust sichtbar macht.

Man kann Moore wieder vernässen. Dafür werden Gräben verschlossen und Dämme gebaut. Schon im ersten Jahr sinken die Emissionen
deutlich. Forscher in Greifswald suchen nach Pflanzen, die im Nassen gedeihen. Rohrkolben eignet sich als Dämmstoff für Häuser.
Ein Moor, das wieder nass ist, arbeitet von allein, ohne Maschinen und ohne Strom.
"""
FRENCH = """\
Le pain

Au petit matin, une lumière brille déjà au coin de la rue. Dans le fournil, la boulangère pèse la farine et mesure l'eau. C'est
là que vit son levain.

Le levain est un mélange de farine et d'eau, rien de plus. Des levures sauvages et des bactéries y vivent ensemble. Les levures
produisent du gaz, qui fait lever la pâte. Un pain au levain se garde près d'une semaine.

Une vieille découverte

Personne ne sait qui a inventé le levain. En Égypte, quelqu'un a sans doute oublié une bouillie d'orge près du feu. Pendant des
siècles, toutes les maisons ont gardé un morceau de pâte d'une fournée à l'autre.

Le retour

À Paris, M. Poilâne n'avait jamais cessé de faire de grosses miches à la croûte sombre. « Le temps est un ingrédient. » Les clients
ont d'abord trouvé ce pain trop acide. Une boulangerie sur quatre propose aujourd'hui du pain au levain. Le premier pain sera
peut-être plat, et le dixième aura le goût de votre maison.
"""
TEXTS = {"en": ENGLISH, "de": GERMAN, "fr": FRENCH}


def write(text: str, language: str = "en", target_s: float | None = None, title: str = "A title") -> Script:
    brief = Brief(title=title, text=text, language=language, target_length_s=target_s)
    return OutlineWriter().write(brief, CancelToken(), 0)


def texts(text: str, language: str = "en") -> list[str]:
    return [sentence.text for sentence in split(text, language)]


def spoken(script: Script) -> list[str]:
    return texts("\n\n".join(scene.narration for scene in script.scenes))


# Sentences


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "Dr. Brewster weighed approx. 3.5 kg of glass, e.g. lenses, at 4 p.m. in St. Andrews."),
        ("en", "“Go home!” she said. “Now.”"),
        ("de", "Im 18. Jh. kam z. B. Dr. Müller am 3. Mai nach Berlin."),
        ("de", "„Geh nach Hause!“, sagte sie."),
        ("fr", "M. Poilâne et Mme. Roux habitent à Paris, p. ex. près de la gare."),
        ("es", "El Sr. García vive en la Av. Central."),
        ("it", "Il Sig. Rossi abita in Via Roma, n. 5."),
    ],
)
def test_abbreviations_and_quotations_do_not_end_a_sentence(language: str, sentence: str) -> None:
    after = {"en": "Then it ended.", "de": "Dann war Schluss.", "fr": "Tout était fini."}.get(language, "Fin.")
    found = texts(f"{sentence} {after}", language)
    assert found[-1] == after
    assert " ".join(found[:-1]) == sentence
    assert len(found) <= 3


def test_a_sentence_after_a_quotation_that_ends_is_a_new_one() -> None:
    found = texts("Il dit : « Le temps est un ingrédient. » Les clients ont ri.", "fr")
    assert found == ["Il dit : « Le temps est un ingrédient. »", "Les clients ont ri."]


def test_headings_head_what_follows_them() -> None:
    found = split("Old lamps\n\nThey burned oil. It smelled.\n\nNew lamps:\n\nThey are bright.", "en")
    assert [(sentence.heading, sentence.text) for sentence in found] == [
        ("Old lamps", "They burned oil."),
        ("", "It smelled."),
        ("New lamps", "They are bright."),
    ]


def test_a_heading_with_nothing_below_is_spoken() -> None:
    assert texts("We sail at dawn today.\n\nThank you all") == ["We sail at dawn today.", "Thank you all."]
    assert texts("One line\n\nAnother line\n\nA third line") == ["One line.", "Another line.", "A third line."]


def test_lists_become_sentences() -> None:
    assert texts("You need:\n- two eggs\n- some flour;\n2) a bowl") == [
        "You need:",
        "two eggs.",
        "some flour.",
        "a bowl.",
    ]


def test_lines_without_full_stops_are_sentences_of_their_own() -> None:
    assert texts("We open the door\nThe sea is loud\nNobody is there") == [
        "We open the door.",
        "The sea is loud.",
        "Nobody is there.",
    ]


def test_lines_that_are_only_wrapped_are_one_sentence() -> None:
    assert texts("The sea is\nloud and the\nNight is long.") == ["The sea is loud and the Night is long."]


def test_a_text_without_punctuation_is_cut_into_breaths_and_loses_no_word() -> None:
    text = " ".join(f"word{chr(97 + number % 26)}" for number in range(500))
    found = texts(text)
    assert max(count_words(part) for part in found) <= 60
    assert " ".join(found) == text


def test_an_endless_sentence_is_cut_at_its_pauses_and_its_parts_stay_together() -> None:
    text = (
        "The ship sailed on, "
        + ", ".join(f"past cape number {number} with its white tower" for number in range(20))
        + "."
    )
    found = split(text, "en")
    assert len(found) > 2
    assert all(sentence.text.endswith((",", ".")) for sentence in found)
    assert all(sentence.leans for sentence in found[1:])


@pytest.mark.parametrize(
    ("language", "sentence", "expected"),
    [
        ("en", "However, it broke.", True),
        ("en", "“It broke,” he said.", True),
        ("en", "One of the judges laughed.", True),
        ("en", "Every light suggests that he managed both.", True),
        ("en", "Fresnel was an engineer, and he liked light.", False),
        ("en", "The lamp broke.", False),
        ("de", "Dabei entweicht Gas.", True),
        ("de", "Für Bauern ist das eine Umstellung.", True),
        ("de", "Ein Moor, das nass ist, arbeitet.", False),
        ("fr", "C’est son levain.", True),
        ("fr", "Cependant, tout change.", True),
        ("fr", "Le levain est vivant.", False),
        ("es", "Sin embargo, llovió.", True),
        ("es", "Sin agua no hay vida.", False),
        ("it", "Questo cambiò tutto.", True),
        ("ja", "これは本です。", False),
    ],
)
def test_sentences_that_point_back_are_known(language: str, sentence: str, expected: bool) -> None:
    assert leans(sentence, language) is expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\n ",
        "🙂🙂 !!!",
        "...",
        "---",
        "(",
        '"""',
        "a",
        "1",
        "– – –",
        "https://example.org/a?b=c",
        "🙂 Hello! 🎉 Bye.",
    ],
)
def test_odd_texts_neither_fail_nor_give_sentences_without_words(text: str) -> None:
    assert all(count_words(part) for part in texts(text))


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300), st.sampled_from(["en", "de", "fr", "ja", "xx"]))
def test_no_text_breaks_the_splitter(text: str, language: str) -> None:
    assert all(count_words(part) for part in texts(text, language))


def test_every_language_of_the_splitter_works() -> None:
    for language in (*LANGUAGE_NAMES, "xx"):
        script = write("Alpha beta gamma delta epsilon zeta eta theta. " * 4, language, 5)
        assert script.scenes[0].narration.startswith("Alpha"), language
    assert len(texts("これは本です。あれは海です。", "ja")) == 2


# Words and time


def test_speaking_time_counts_numbers_as_they_are_spoken_and_knows_languages() -> None:
    assert speaking_s("in 1823", "en") > speaking_s("in blue", "en")
    assert speaking_s("Landflächen", "de") > speaking_s("Landflächen", "fr")
    assert speaking_s("これは本です。あれは海です。", "ja") > 2
    assert words_in(60, "en") > words_in(60, "de") > 100


def test_forms_of_a_word_share_a_stem() -> None:
    for left, right in [
        ("lights", "light"),
        ("moore", "moor"),
        ("mooren", "moor"),
        ("prisms", "prism"),
        ("lamps", "lamp"),
    ]:
        assert stem(left) == stem(right)
    assert stem("lamp") != stem("land")
    assert stems("l'eau et d'autres eaux", "fr") == stems("eau eaux", "fr")


# What to keep


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("target_s", [30, 45, 60])
def test_the_length_asked_for_is_met_within_15_percent(language: str, target_s: float) -> None:
    script = write(TEXTS[language], language, target_s)
    whole_s = film_s(write(TEXTS[language], language).scenes, language)
    assert film_s(script.scenes, language) == pytest.approx(min(target_s, whole_s), rel=0.15)


@pytest.mark.parametrize("language", ["en", "de", "fr"])
@pytest.mark.parametrize("target_s", [20, 30, 45, 60, 75])
def test_what_points_back_follows_what_it_points_to(language: str, target_s: float) -> None:
    sentences = split(TEXTS[language], language)
    kept = choose(sentences, language, target_s)
    assert kept[0] == 0, "the opening is kept"
    for before, index in pairwise([-1, *kept]):
        assert not sentences[index].leans or before == index - 1, sentences[index].text


def test_an_announcement_comes_with_what_it_announces() -> None:
    sentences = split(ENGLISH, "en")
    announced = next(index for index, item in enumerate(sentences) if item.text == "The result was startling.")
    for target_s in range(20, 130, 5):
        kept = choose(sentences, "en", target_s)
        assert announced not in kept or announced + 1 in kept


def test_a_text_that_fits_is_kept_whole() -> None:
    sentences = split(ENGLISH, "en")
    assert choose(sentences, "en", 10_000) == list(range(len(sentences)))
    assert choose([], "en", 10) == []


def test_even_the_shortest_film_has_its_opening() -> None:
    assert choose(split(ENGLISH, "en"), "en", 1) == [0]


def test_central_sentences_say_what_the_others_say() -> None:
    rank = centrality([["lamp", "sea"], ["lamp", "glass"], ["lamp", "sea", "glass"], ["cow"]])
    assert rank.sum() == pytest.approx(1)
    assert rank.argmax() == 2
    assert rank.argmin() == 3
    assert centrality([[], []]).tolist() == [0.5, 0.5]


# Scenes


def sentences_of(*groups: tuple[str, int]) -> list[Sentence]:
    """Paragraphs of so many sentences, each about its own word."""
    return [
        Sentence(f"The {word} is near the other {word} and a third {word} is behind that {word} today.", number == 0)
        for word, count in groups
        for number in range(count)
    ]


def test_scenes_begin_where_the_subject_changes() -> None:
    sentences = sentences_of(("lamp", 3), ("harbour", 3), ("museum", 3))
    assert cut(sentences, [False] * 9, "en") == [range(3), range(3, 6), range(6, 9)]


def test_scenes_cover_every_sentence_once_and_are_neither_blinks_nor_lectures() -> None:
    sentences = split(ENGLISH, "en")
    scenes = cut(sentences, [False] * len(sentences), "en")
    assert [index for scene in scenes for index in scene] == list(range(len(sentences)))
    lengths = [sum(speaking_s(sentences[index].text, "en") for index in scene) for scene in scenes]
    assert min(lengths) > 4
    assert max(lengths) < 20


def test_a_scene_never_runs_over_a_heading() -> None:
    sentences = split(FRENCH, "fr")
    starts = {scene.start for scene in cut(sentences, [False] * len(sentences), "fr")}
    assert {index for index, sentence in enumerate(sentences) if sentence.heading} <= starts


def test_an_announcement_is_in_the_scene_that_it_announces() -> None:
    sentences = split(ENGLISH, "en")
    scenes = cut(sentences, [False] * len(sentences), "en")
    announcing = {index for index, sentence in enumerate(sentences) if sentence.announces}
    assert announcing
    assert not announcing & {scene.stop - 1 for scene in scenes}


# Headings


def test_the_texts_own_headings_are_used_and_others_are_made() -> None:
    headings = [scene.heading for scene in write(FRENCH, "fr", title="Le pain").scenes]
    assert headings[0] == "Le pain"
    assert "Une vieille découverte" in headings
    assert "Le retour" in headings
    assert all(headings)


def test_a_section_keeps_its_heading_when_its_first_sentence_is_left_out() -> None:
    headings = {scene.heading for scene in write(FRENCH, "fr", 30).scenes}
    assert "Le retour" in headings


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_headings_are_short_words_of_their_scene_and_differ(language: str) -> None:
    scenes = write(TEXTS[language], language).scenes
    assert scenes[0].heading in ("A title", "Le pain")
    made = [scene for scene in scenes[1:] if scene.heading not in ("Une vieille découverte", "Le retour")]
    for scene in made:
        assert scene.heading[0].isupper()
        assert len(scene.heading) <= 40
        assert count_words(scene.heading) <= 6
        assert scene.heading.casefold() in scene.narration.casefold()
        assert scene.picture_prompt.startswith(scene.heading)
    assert len({scene.heading for scene in made}) == len(made)


def test_noun_phrases_are_found_in_five_languages() -> None:
    def found(text: str, language: str) -> list[str]:
        return [phrase.text for phrase in phrases([text], language)[0]]

    assert "polished mirrors" in found("Lighthouses used polished mirrors behind oil lamps.", "en")
    assert "Pegel aus Eichenholz" in found("Dort steht ein Pegel aus Eichenholz am Rand.", "de")
    assert "mélange de farine" in found("Le levain est un mélange de farine et d’eau.", "fr")
    assert "aceite de oliva" in found("Hoy el aceite de oliva viaja en barco.", "es")
    assert "mercanti" in found("Il caffè arrivò con i mercanti.", "it")
    assert found("Lampa zapaliła się nocą.", "pl")


def test_without_the_tagger_english_still_gets_headings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "hibari.g2p.tagger", None)
    phrases_module.english_tagger.cache_clear()
    try:
        assert phrases_module.english_tagger() is None
        headings = [scene.heading for scene in write(ENGLISH).scenes]
    finally:
        phrases_module.english_tagger.cache_clear()
    assert all(headings)
    assert len(set(headings)) == len(headings)


def test_addresses_are_no_headings() -> None:
    heading = write(
        "Visit https://example.org/harbour today. The old harbour is open again since June of this year.",
        title="x" * 99,
    )
    assert "http" not in heading.scenes[0].heading
    assert head([["Go to https://example.org/a now."]], "en", [""])[0][0] == "Go to now"


def test_japanese_sentences_are_joined_without_spaces() -> None:
    text = "灯台は夜の海を照らす建物です。昔の灯台は油を燃やしていました。多くの灯台は無人です。"
    assert "".join(scene.narration for scene in write(text, "ja").scenes) == text


def test_a_scene_without_any_phrase_is_called_by_its_first_words() -> None:
    assert head([["Go, go, go!"]], "en", [""])[0][0] == "Go"
    assert head([["これは本です。"]], "ja", [""])[0][0].startswith("これは本")


# The writer


def test_nothing_is_added_and_the_order_stays() -> None:
    everything = texts(ENGLISH)
    places = [everything.index(sentence) for sentence in spoken(write(ENGLISH, target_s=45))]
    assert places == sorted(set(places))


def test_without_a_target_the_whole_text_is_spoken() -> None:
    assert spoken(write(ENGLISH)) == texts(ENGLISH)


def test_the_same_brief_gives_the_same_script() -> None:
    assert write(ENGLISH, target_s=60) == write(ENGLISH, target_s=60)


def test_a_text_too_short_for_its_target_says_so() -> None:
    assert "does not add" in " ".join(write("The sea is calm today. The lamp burns on.", target_s=90).notes).replace(
        "it does not add", "does not add"
    )
    assert not write(ENGLISH, target_s=60).notes


def test_a_very_long_text_without_target_says_how_long_the_film_gets() -> None:
    assert "min; `length:" in write("\n\n".join([ENGLISH] * 8)).notes[0]


@pytest.mark.parametrize(
    ("text", "language", "what"),
    [
        ("Lighthouses", "en", "a topic"),
        ("The history of lighthouses and the people who keep them", "en", "a topic"),
        ("Make me a video about lighthouses. Keep it funny. Use short sentences.", "en", "an order"),
        ("Erstelle ein kurzes Video über Moore. Bitte mit Musik.", "de", "an order"),
        ("Fais-moi une vidéo sur le levain. Merci.", "fr", "an order"),
        ("🙂🙂🙂", "en", "no word"),
        ("", "en", "no word"),
    ],
)
def test_a_topic_is_refused_with_what_to_add(text: str, language: str, what: str) -> None:
    with pytest.raises(UnavailableError, match=what) as caught:
        OutlineWriter().check(Brief(title="T", text=text, language=language))
    hint = caught.value.hint
    assert all(word in hint for word in ("text", "## ", "OPENAI_API_KEY", "ANTHROPIC_API_KEY", "LOCALLLM__BASEURL"))


@pytest.mark.parametrize(
    "text",
    [
        "Hello. This is our shop.",
        "The lamp at the end of the pier was lit every evening by the same woman for more than forty years, in storm and in ice.",
        "Make the best of it. Nobody knows what comes.",
        "Tell it to the sea. The sea will keep it.",
    ],
)
def test_short_texts_are_no_topics(text: str) -> None:
    brief = Brief(title="T", text=text)
    OutlineWriter().check(brief)
    assert " ".join(scene.narration for scene in OutlineWriter().write(brief, CancelToken(), 0).scenes) == text


def test_a_stopped_run_stops_in_the_middle_of_a_long_text() -> None:
    token = CancelToken()
    token.cancel("enough")
    with pytest.raises(CancelledError, match="enough"):
        OutlineWriter().write(Brief(title="T", text=ENGLISH), token, 0)


def test_identity_names_the_versions_that_can_change_a_script() -> None:
    assert set(OutlineWriter().identity()) == {"version", "sentencex", "text", "tagger"}


def test_a_book_takes_seconds() -> None:
    text = "\n\n".join(ENGLISH.replace("lamp", f"lamp{number % 7}") for number in range(270))
    assert count_words(text) > 100_000
    started = time.process_time()
    script = write(text, target_s=600)
    assert time.process_time() - started < 15
    assert film_s(script.scenes, "en") == pytest.approx(600, rel=0.15)
