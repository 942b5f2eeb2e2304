"""Packed tables, the faster segmenter and the engine's rest: less memory and time, and the same answers."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.base import CancelToken
from stages.speech import frozen, hibari_engine, registry, segmenter
from stages.speech.base import SpeechRequest
from stages.speech.frozen import FrozenTable, pack

VALUES = (
    st.none()
    | st.text()
    | st.floats(allow_nan=False)
    | st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False))
)
WORDS = (
    'the Dr. Mr Inc e.g. 5 5. 1) a) U.S. p.m. Hello world! Yahoo! ok? … ... "Yes," (he said) — it\'s well-known A B.C. John No. 3 '
    "vs. z.B. bzw. Straße l'été M. Mme 3.14 www.a.com Jan. and, then; so: «non» “quote.” ‘x’ II. Ph.D. ?! !! 10:30 $5. 2nd"
)
PLAIN = (
    "the Dr Mr a b i hello Yahoo it's well-known John No 3 5 vs etc l'été Straße IX and, then, Ph D bzw Sept Gen 2nd"
)
LANGUAGES = ("en", "de", "fr", "es", "ar", "hi", "el", "ja", "fa", "hy", "am", "xx")


@given(st.dictionaries(st.text(), VALUES), st.text())
def test_a_frozen_table_answers_as_the_dictionary_did(mapping: dict[str, Any], other: str) -> None:
    table = FrozenTable(mapping)
    assert len(table) == len(mapping)
    for key in (*mapping, other, other + "x"):
        assert (key in table, table.get(key, "none")) == (key in mapping, mapping.get(key, "none"))
    assert {key: table[key] for key in mapping} == mapping


def test_a_frozen_table_has_no_key_that_cannot_be_written_and_cannot_be_changed_through_its_values() -> None:
    table = FrozenTable({"a": {"x": 1.0}})
    table["a"]["x"] = 2.0
    assert table["a"] == {"x": 1.0}
    assert "\ud800" not in table
    with pytest.raises(KeyError, match="b"):
        table["b"]


def test_only_large_dictionaries_are_packed() -> None:
    large = {str(n): n for n in range(frozen._LARGE)}
    packed = pack({"large": large, "small": {"a": 1}, "words": ["a"] * frozen._LARGE})
    assert isinstance(packed["large"], FrozenTable)
    assert packed["large"].get("7") == 7
    assert packed["small"] == {"a": 1}
    assert isinstance(packed["words"], list)
    assert isinstance(pack(large), FrozenTable)


@pytest.mark.filterwarnings("ignore")  # pysbd's own invalid escapes
@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_are_pysbds_own(language: str) -> None:
    import pysbd
    from pysbd.languages import LANGUAGE_CODES

    theirs = pysbd.Segmenter(language=language if language in LANGUAGE_CODES else "en", clean=False)
    rng = random.Random(language)
    for number in range(60):
        words = rng.choices((WORDS if number % 2 else PLAIN).split(), k=rng.randint(1, 14))
        text = " ".join(words) + ("" if number % 2 else rng.choice((".", "!", "?", "")))
        assert segmenter.cut(text, language) == list(theirs.segment(text)), text


def test_a_plain_sentence_needs_no_segmenter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(segmenter, "_segmenter")
    assert segmenter.cut("It's the 2nd well-known harbour, and the last.", "en") == [
        "It's the 2nd well-known harbour, and the last."
    ]
    with pytest.raises(NameError):
        segmenter.cut("One. Two.", "en")


def test_packed_tables_read_as_hibaris_own() -> None:
    from hibari.g2p import G2P

    mine, packed = G2P(), hibari_engine._reader(british=False)
    for table in (packed.lexicon.golds.d, packed.lexicon.silvers.d, packed.tagger.weights):
        assert isinstance(table, FrozenTable)
    for text in (
        "I read the record that they record, and he used to live by the lead mine.",
        "NASA's Dr. O'Neill re-presented 3 Kubernetes-like zyxqvors to the CEO, didn't he?",
        "The wind winds; WE object to the object, naïvely.",
    ):
        assert packed(text) == mine(text)


def test_a_rested_voice_speaks_the_same_again(tmp_path: Path) -> None:
    voice = registry.create("hibari")

    def spoken(name: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        request = SpeechRequest("The lamp is lit.", "en", "", 3)
        return hashlib.sha256(voice.speak(request, CancelToken(), folder).path.read_bytes()).hexdigest()

    first = spoken("first")
    assert hibari_engine._load.cache_info().currsize
    voice.rest()
    assert not hibari_engine._load.cache_info().currsize
    assert spoken("again") == first


def test_the_network_is_loaded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    import onnxruntime

    loaded: list[object] = []
    session = onnxruntime.InferenceSession

    def counted(*given: Any, **named: Any) -> Any:
        loaded.append(given)
        return session(*given, **named)

    monkeypatch.setattr(onnxruntime, "InferenceSession", counted)
    hibari_engine.Engine("heart").speak("The lamp is lit.", 0, lambda: None)
    assert len(loaded) == 1
