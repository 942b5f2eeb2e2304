"""The hibari voice with the time of every sound: one engine for a process, and its duration tensor made an output.

The network computes how long each of its input symbols lasts, in units of 25 ms, and keeps it to itself. A protobuf message
may be continued by appending bytes; so a few bytes after the model's declare that tensor as one more output. Where a
later model has no such tensor, or it does not add up to the sound, there are no times, and the caller estimates them.
"""

from __future__ import annotations

import functools
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stages.speech.providers.packed_words import pack

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Samples = NDArray[Any]

_DURATIONS = "/Cast_32_output_0"
_SAMPLES_PER_UNIT = 600
_OUTPUTS = ("lh", "theta", "ln", "lr", "phi", "f0")
# Symbols the network was trained on at most; longer sentences are spoken in pieces.
_MOST_SYMBOLS = 400
_BREAKS = (",", ";", ":", "—", ".", "!", "?", ")")
# The network's times run this much behind the sound: the median, at the words that follow a pause, is 50 ms.
_LATE_S = 0.04
# Symbols that sound as a pause, and so belong to no word.
_SILENT = frozenset(' ;:,.!?—…"()“”')


@dataclass(frozen=True)
class SourceWord:
    """A word of the given text as the engine takes it: where it stands in the text, and its symbols."""

    start: int
    end: int
    symbols: str
    space: bool


@dataclass(frozen=True)
class TimedText:
    """When the text from `start` to `end` sounds, in seconds."""

    start: int
    end: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Utterance:
    """The sound, float32 at `rate_hz`; `spans` is None when the engine did not tell."""

    samples: Samples
    rate_hz: int
    spans: tuple[TimedText, ...] | None


class Engine:
    """One voice. Reading text is guarded by a lock, for its tables may load late; the network runs in any thread."""

    def __init__(self, voice: str) -> None:
        from hibari import SAMPLE_RATE, Hibari
        from hibari.voices import VOICES, voice_path

        # Its parts one by one: a whole `Hibari` loads a network of its own, with settings of its own.
        self._rate_hz = int(SAMPLE_RATE)
        self._split = Hibari.split_sentences
        self._lock = threading.Lock()
        self._symbols = _symbols()
        self._reader = _reader(british=VOICES[voice]["british"])
        # Named by its path, so that a voice whose file has just gone is an error and not a download.
        self._session, self._outputs = _network(Path(voice_path(voice, download_missing=False)).read_bytes())

    def speak(self, text: str, seed: int, check: Callable[[], None]) -> Utterance:
        """Speak the text, which is only words and marks. `check` is called between its pieces and may raise."""
        import numpy as np

        rng = np.random.default_rng(seed)
        sound: list[Samples] = []
        spans: list[TimedText] | None = []
        with self._lock:
            chunks = list(_chunks(self._pieces(text)))
        for chunk in chunks:
            check()
            samples, units = self._synthesise("".join(p.symbols + " " * p.space for p in chunk).strip(), rng)
            offset = sum(map(len, sound))
            if spans is not None and units is not None:
                spans += _locate(chunk, units[1:-1], int(units[0]), offset, self._rate_hz, self._symbols)
            else:
                spans = None
            sound.append(samples)
        whole = np.concatenate(sound) if sound else np.zeros(0, np.float32)
        return Utterance(whole, self._rate_hz, None if spans is None else tuple(spans))

    def _pieces(self, text: str) -> list[SourceWord]:
        """The text's words in the engine's symbols. It is not normalised once more: we have read it already."""
        reader = self._reader
        pieces: list[SourceWord] = []
        position = 0
        for sentence in self._split(text):
            at = text.index(sentence, position)
            for token in reader.phonemize_tokens(reader.tokenize(sentence)):
                end = at + len(token.text)
                pieces.append(SourceWord(at, end, token.phonemes or "", bool(token.whitespace)))
                at = end + len(token.whitespace)
            position = at
            pieces.append(SourceWord(at, at, "\n", False))
        return pieces

    def _synthesise(self, symbols: str, rng: Any) -> tuple[Samples, Any]:
        """Sound of one chunk and how many units each symbol lasts; None in place of those when they cannot be trusted."""
        import numpy as np
        from hibari import dsp

        ids = [0, *(self._symbols[char] for char in symbols if char in self._symbols), 0]
        if len(ids) < 3:
            return np.zeros(0, np.float32), np.zeros(2, np.int64)
        feed = {"ids": np.asarray([ids], np.int64), "speed": np.asarray([1.0], np.float32)}
        parts = self._session.run(list(self._outputs), feed)
        samples = dsp.synth(*(part[0] for part in parts[: len(_OUTPUTS)]), rng)
        if len(parts) == len(_OUTPUTS):
            return samples, None
        units = np.asarray(parts[-1]).reshape(-1)
        trusted = len(units) == len(ids) and int(units.sum()) * _SAMPLES_PER_UNIT == len(samples)
        return samples, units if trusted else None


@functools.lru_cache(maxsize=4)
def _load(voice: str) -> Engine:
    return Engine(voice)


_LOADING = threading.Lock()


def engine(voice: str) -> Engine:
    """The voice's engine, loaded once for the process."""
    with _LOADING:
        return _load(voice)


def unload() -> None:
    """Let go of all engines; who is speaking keeps his to the end of the line."""
    with _LOADING:
        _load.cache_clear()


def _symbols() -> dict[str, int]:
    """The network's number of each symbol of speech."""
    from hibari.tts import ASSETS

    numbers: dict[str, int] = json.loads((Path(ASSETS) / "vocab.json").read_text(encoding="utf-8"))
    return numbers


def _reader(*, british: bool) -> Any:
    """hibari's own reader of words. Each of its tables, which are only asked, is packed before the next is read."""
    import hibari.g2p

    read = hibari.g2p._load_json
    hibari.g2p._load_json = lambda name: pack(read(name))
    try:
        return hibari.g2p.G2P(british=british)
    finally:
        hibari.g2p._load_json = read


def _chunks(pieces: list[SourceWord]) -> Iterator[list[SourceWord]]:
    """Pieces of one sentence together; a sentence with too many symbols parts at its last mark, or where it must."""
    chunk: list[SourceWord] = []
    for piece in pieces:
        if piece.symbols == "\n":
            if chunk:
                yield chunk
            chunk = []
            continue
        if chunk and sum(len(p.symbols) + p.space for p in chunk) + len(piece.symbols) > _MOST_SYMBOLS:
            cut = max((at for at, p in enumerate(chunk, 1) if p.symbols.endswith(_BREAKS)), default=len(chunk))
            yield chunk[:cut]
            chunk = chunk[cut:]
        chunk.append(piece)


def _locate(
    chunk: list[SourceWord], units: Any, lead: int, samples_before: int, rate_hz: int, vocab: Any
) -> list[TimedText]:
    """When each piece sounds. `lead` is how many units the network's opening pad lasts."""
    import numpy as np

    symbols = [(index, char) for index, piece in enumerate(chunk) for char in piece.symbols + " " * piece.space]
    while symbols and symbols[0][1] == " ":
        symbols.pop(0)
    known = [(index, char) for index, char in symbols if char in vocab][: len(units)]
    ends = lead + np.cumsum(units)
    spans = []
    for index, piece in enumerate(chunk):
        own = [at for at, (owner, char) in enumerate(known) if owner == index and char not in _SILENT]
        if own:
            first, last = int(ends[own[0]] - units[own[0]]), int(ends[own[-1]])
            start_s, end_s = ((samples_before + edge * _SAMPLES_PER_UNIT) / rate_hz - _LATE_S for edge in (first, last))
            spans.append(TimedText(piece.start, piece.end, max(start_s, 0.0), max(end_s, 0.0)))
    return spans


def _durations_as_output() -> bytes:
    """What makes a model tell how long its symbols last, appended to it."""
    name = _DURATIONS.encode()
    value = b"\x0a" + bytes([len(name)]) + name  # ValueInfoProto.name
    output = b"\x62" + bytes([len(value)]) + value  # GraphProto.output
    return b"\x3a" + bytes([len(output)]) + output  # ModelProto.graph, continued


def _network(model: bytes) -> tuple[Any, tuple[str, ...]]:
    """The network and the names of all that it tells; durations are among them unless this model has none."""
    wanted = (*_OUTPUTS, _DURATIONS)
    try:
        session = _session(model + _durations_as_output())
    except Exception:  # noqa: BLE001 - onnxruntime's own tree has no public root; without durations we estimate
        return _session(model), _OUTPUTS
    return session, wanted if {item.name for item in session.get_outputs()}.issuperset(wanted) else _OUTPUTS


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Both keep as much as the longest sentence has ever needed, a hundred megabytes; without them it takes as long.
    options.enable_cpu_mem_arena = options.enable_mem_pattern = False
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
