"""Packed tables and the engine's rest: less memory and time, and the same answers."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stages.base import CancelToken
from stages.speech import voice_registry
from stages.speech.providers import hibari_engine, packed_words
from stages.speech.providers.packed_words import FrozenTable, pack
from stages.speech.speech_provider import SpeechRequest

VALUES = (
    st.none()
    | st.text()
    | st.floats(allow_nan=False)
    | st.dictionaries(st.text(max_size=5), st.floats(allow_nan=False))
)


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
    large = {str(n): n for n in range(packed_words._LARGE)}
    packed = pack({"large": large, "small": {"a": 1}, "words": ["a"] * packed_words._LARGE})
    assert isinstance(packed["large"], FrozenTable)
    assert packed["large"].get("7") == 7
    assert packed["small"] == {"a": 1}
    assert isinstance(packed["words"], list)
    assert isinstance(pack(large), FrozenTable)


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
    voice = voice_registry.create("hibari")

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
