"""What is said for what is shown, word for word."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from config.errors import UnavailableError
from stages.speech.normalise.scripts import foreign_script, looks_like
from stages.speech.providers.voice_checks import refuse_text
from stages.speech.reading import read

ENGLISH = {
    "Dr. Smith met Mrs. Jones at 7:30 p.m. on 3/4/2024.": (
        "Doctor Smith met Missus Jones at seven thirty P.M. on March fourth, twenty twenty-four."
    ),
    "In 1999 there were 1,234 of them, i.e. 12.5% of all.": (
        "In nineteen ninety-nine there were one thousand two hundred thirty-four of them, that is twelve point five percent "
        "of all."
    ),
    "It costs $9.99, €5.50 or £3m; $1.2 billion in total.": (
        "It costs nine dollars and ninety-nine cents, five euros and fifty cents or three million pounds; one point two "
        "billion dollars in total."
    ),
    "The 21st of March 2024 and May 3, e.g. the 3rd.": (
        "The twenty-first of March twenty twenty-four and May third, for example the third."
    ),
    "It was -5 °C at 70 km/h with 5kg and 16 GB; 3 × 4 = 12.": (
        "It was minus five degrees Celsius at seventy kilometers per hour with five kilograms and sixteen gigabytes; three times "
        "four equals twelve."
    ),
    "A & B, 24/7, 50–60, #3 and 2020–2024": (
        "A and B, twenty-four seven, fifty to sixty, number three and twenty twenty to twenty twenty-four"
    ),
    "Apples, pears, etc. are cheap.": "Apples, pears, et cetera are cheap.",
    "We sell pears, etc. They sell plums.": "We sell pears, et cetera. They sell plums.",
    "HTML5, 4K, 1080p, MP3 and v3.11 of H.264": (
        "HTML five, four K, ten eighty p, MP three and version three point eleven of H two six four"
    ),
    "The 1980s and '90s; Louis XIV; World War II.": "The nineteen eighties and nineties; Louis the fourteenth; World War two.",
    "Call 555-1234 or +1 (555) 123-4567.": (
        "Call five five five, one two three four or plus one, five five five, one two three, four five six seven."
    ),
    "St. Paul's on Main St. and Mt. Everest": "Saint Paul's on Main Street and Mount Everest",
    "½ cup, 3¼ inches and 1/2 a mile": "one half cup, three and a quarter inches and one half a mile",
    "10 000 m² or 1 m, 5'10\" tall": "ten thousand square meters or one meter, five foot ten tall",
    "No. 5, p. 14 and §12": "number five, page fourteen and section twelve",
    "No. That is all.": "No. That is all.",
    "He said (see below) that it works — mostly.": "He said, see below, that it works, mostly.",
    "Send it to jane.doe@example.com or www.example.org/docs.": (
        "Send it to jane dot doe at example dot com or example dot org slash docs."
    ),
    "**Bold** and _slanted_ and `code`": "Bold and slanted and code",
    "See [our two pages](https://a.example) now": "See our two pages now",
    "CO₂, H2O and x²": "C O two, H two O and x squared",
    "5pm, 12 a.m. and 9:00": "five P.M., twelve A.M. and nine o'clock",
    "On 2024-03-05": "On March fifth, twenty twenty-four",
    "the mid-1990s, a 10-minute walk, COVID-19 and a 5-year-old": (
        "the mid nineteen nineties, a ten minute walk, COVID nineteen and a five year old"
    ),
    "$20–30, $5-$10 and 5–10%": "twenty to thirty dollars, five to ten dollars and five to ten percent",
    "at 5 am, 7:30 PM, e.g., +5% or -3 °F": (
        "at five A.M., seven thirty P.M., for example, plus five percent or minus three degrees Fahrenheit"
    ),
    "I am here. He said no.": "I am here. He said no.",
    "007 and 0.05": "zero zero seven and zero point zero five",
    "$0.99 or $1": "ninety-nine cents or one dollar",
    "file_name.py, Node.js and C/D": "file name dot py, Node dot js and C D",
}  # fmt: skip

OTHERS = {
    "de": {
        "Am 3. Mai 2024 um 17:45 Uhr, z. B. 1.234 Stück.": (
            "Am dritten Mai zweitausendvierundzwanzig um siebzehn Uhr fünfundvierzig, zum Beispiel "
            "eintausendzweihundertvierunddreißig Stück."
        ),
        "Im Jahr 1999 kostete es 3,50 € bzw. 12,5 % mehr.": (
            "Im Jahr neunzehnhundertneunundneunzig kostete es drei Euro fünfzig beziehungsweise zwölf Komma fünf Prozent mehr."
        ),
        "Das kostet 1,2 Mio. Euro.": "Das kostet eins Komma zwei Millionen Euro.",
        "Der 21. Tag im 19. Jahrhundert": "Der einundzwanzigste Tag im neunzehnten Jahrhundert",
        "1 kg, 1 Euro und 5 km/h": "ein Kilogramm, ein Euro und fünf Kilometer pro Stunde",
        "Termin: 03.05.2024": "Termin: dritter Mai zweitausendvierundzwanzig",
    },
    "fr": {
        "Le 1er mai à 17h45, M. Dupont paie 3,50 €.": (
            "Le premier mai à dix-sept heures quarante-cinq, monsieur Dupont paie trois euros cinquante."
        ),
        "n° 5, 1\u202f234 km et 12,5 %": "numéro cinq, mille deux cent trente-quatre kilomètres et douze virgule cinq pour cent",
        "Le XXIe siècle": "Le vingt-et-unième siècle",
    },
    "es": {
        "El Sr. Pérez pagó 3,50 €, p. ej. 21 euros.": (
            "El señor Pérez pagó tres euros con cincuenta, por ejemplo veintiún euros."
        ),
        "la 1.ª vez, 21 %": "la primera vez, veintiuno por ciento",
    },
    "it": {"Il 1 maggio il Sig. Rossi, n. 5, 1.234 kg.": (
        "Il primo maggio il signor Rossi, numero cinque, milleduecentotrentaquattro chilogrammi."
    )},
}  # fmt: skip


@pytest.mark.parametrize(("shown", "said"), ENGLISH.items())
def test_english_is_read_as_people_say_it(shown: str, said: str) -> None:
    assert read(shown, "en").text == said


@pytest.mark.parametrize(
    ("language", "shown", "said"),
    [(language, shown, said) for language, texts in OTHERS.items() for shown, said in texts.items()],
)
def test_other_languages_are_read_as_people_say_them(language: str, shown: str, said: str) -> None:
    assert read(shown, language).text == said


def test_a_number_in_two_words_keeps_both_words_in_time() -> None:
    tokens = read("Um 17:45 Uhr kam er.", "de").tokens
    assert [(token.shown, token.spoken) for token in tokens][1:3] == [
        ("17:45", "siebzehn"),
        ("Uhr", "Uhr fünfundvierzig"),
    ]


def test_a_date_is_read_as_its_region_writes_it() -> None:
    said = {region: read("3/4/2024", region).text for region in ("en", "en-US", "en-GB", "en_AU", "de", "fr-CA")}
    assert said["en"] == said["en-US"] == "March fourth, twenty twenty-four"
    assert said["en-GB"] == said["en_AU"] == "April third, twenty twenty-four"
    assert said["de"] == "dritter April zweitausendvierundzwanzig"
    assert said["fr-CA"] == "trois avril deux mille vingt-quatre"


def test_every_sign_of_money_has_a_name_in_every_language() -> None:
    signs = [chr(point) for point in range(0x20D0) if unicodedata.category(chr(point)) == "Sc"]
    assert len(signs) > 40
    for language in ("en", "de", "fr", "es", "it"):
        for sign in signs:
            for written in (f"{sign}5", f"5 {sign}", f"5{sign}"):
                reading = read(written, language)
                assert len(reading.text.split()) >= 2, written
                assert sign not in reading.text
                assert reading.notes == ()


def test_a_range_with_a_sign_apart_gives_each_word_its_own_time() -> None:
    tokens = read("It cost 5 – 10 € more.", "en").tokens
    assert [token.spoken for token in tokens] == ["It", "cost", "five", "to", "ten", "euros", "more."]
    tokens = read("Around 10 000 m² in 1914-18.", "en").tokens
    assert [(token.shown, token.spoken) for token in tokens][1:4] == [
        ("10", "ten thousand"),
        ("000", ""),
        ("m²", "square meters"),
    ]


def test_emoji_are_shown_but_not_said_and_a_note_tells() -> None:
    reading = read("Well done 🎉 friends", "en")
    assert reading.text == "Well done friends"
    assert [token.shown for token in reading.tokens] == ["Well", "done", "🎉", "friends"]
    assert reading.notes == ("not read out: 🎉",)


def test_a_long_address_is_cut_to_its_site_and_a_note_tells() -> None:
    reading = read("At https://example.com/a/b?c=1 today.", "en")
    assert reading.text == "At example dot com today."
    assert reading.notes == ("only the site is read out of the address https://example.com/a/b?c=1",)


def test_a_foreign_word_is_left_out_and_a_note_tells() -> None:
    reading = read("The word 日本 means Japan.", "en")
    assert reading.text == "The word means Japan."
    assert "日本" in reading.notes[0]


def test_plain_text_is_left_alone() -> None:
    text = "It's a well-known fact: people don't read, they listen!"
    assert read(text, "en").text == text
    assert read(text, "en").notes == ()


def test_a_language_without_rules_is_left_as_it_is() -> None:
    assert read("价格是 25 元。", "zh").text == "价格是 25 元。"


@given(
    st.text(
        alphabet=st.sampled_from("aZé9017 .,:;/-–%$€£°@#&()[]'\"“”„*_`+=<>²½IVX€khmM🎉中пh\u00a0\u202f|~^×√≥·₹¤x⁶e1"),
        max_size=60,
    ),
    st.sampled_from(["en", "de", "fr", "es", "it", "ja"]),
)
@settings(max_examples=400, deadline=None)
def test_every_shown_word_has_its_place_whatever_is_written(text: str, language: str) -> None:
    reading = read(text, language)
    assert [token.shown for token in reading.tokens] == text.split()
    assert "  " not in reading.text
    if language != "ja":
        assert not any(char in reading.text for char in "<>[]*_#$€£%²½🎉中×√≥₹")
        assert not any(char.isdigit() for char in reading.text), reading.text


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("你好，世界", "Chinese characters"),
        ("Привет, мир", "Cyrillic script"),
        ("Hello μ world", ""),
        ("naïve café", ""),
        ("42", ""),
    ],
)
def test_foreign_letters_are_named(text: str, script: str) -> None:
    assert foreign_script(text) == script


def test_the_error_shows_the_words_that_cannot_be_read_and_not_the_beginning() -> None:
    text = "A first line, in English.\n\nThe second says: Привет мир, Ελληνικά, Привет мир."
    with pytest.raises(
        UnavailableError, match=r"in Cyrillic script, which no voice for English \(en\) reads: Привет мир"
    ):
        refuse_text("hibari", "en", text)


def test_german_said_to_be_english_is_noticed_and_english_names_are_not() -> None:
    german = "Der alte Turm steht am Hafen und ist nicht mehr in Betrieb, aber die Leute mögen ihn und das Licht."
    assert looks_like("en", german) == "de"
    assert looks_like("de", german) == ""
    assert (
        looks_like("en", "Die hard fans of Das Boot met in Den Haag to watch it with friends from the old days.") == ""
    )
    assert looks_like("en", "der und das") == ""
