"""What must hold for every settings document that is drawn from a seed."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from pathlib import Path as File
from typing import Any

from settings_documents import SENTINEL, broken, document, some_settings, value_at

from config.errors import SettingsError
from config.loader import load_settings
from config.names import guide_path


def take_effect(folder: File, seeds: Iterable[int]) -> None:
    """Every setting that a valid document gives has its value, and the document is named as its source."""
    for seed in seeds:
        drawn = document(random.Random(seed))
        file = folder / drawn.name
        file.write_bytes(drawn.content)
        loaded = load_settings(file=file, environ={}, check_keys=False)
        for path, value in drawn.expected.items():
            assert value_at(loaded.settings, path) == value, (seed, path)
            assert any(place[: len(path)] == path for place in loaded.origins), (seed, path)
        assert set(loaded.origins.values()) == {str(file)}, seed


def take_effect_from_anywhere(folder: File, seeds: Iterable[int]) -> None:
    """The same settings, some in a file, some in the environment and some on the command line."""
    for seed in seeds:
        rng = random.Random(seed)
        given, expected = some_settings(rng)
        tree: dict[str, Any] = {}
        environ, flags = {}, []
        for path, raw in given.items():
            text = raw if isinstance(raw, str) else json.dumps(raw)
            place = rng.randrange(3)
            if place == 0:
                block = tree
                for name in path[:-1]:
                    block = block.setdefault(name, {})
                block[path[-1]] = raw
            elif place == 1:
                spelled = rng.choice((guide_path(path), ".".join(path)))
                environ["FRAMEKEEP_" + spelled.upper().replace(".", "__")] = text
            else:
                flags.append((tuple(guide_path(path).split(".")), text))
        file = folder / "f.json"
        file.write_text(json.dumps(tree))
        settings = load_settings(file=file, environ=environ, flags=flags, check_keys=False).settings
        for path, value in expected.items():
            assert value_at(settings, path) == value, (seed, path)


def refuse_or_load(folder: File, seeds: Iterable[int]) -> None:
    """A document that was broken is loaded, or refused by an error of ours that can be printed and tells no secret."""
    refused = 0
    for seed in seeds:
        drawn = broken(random.Random(seed))
        file = folder / drawn.name
        file.write_bytes(drawn.content)
        if (error := _refusal(file)) is None:
            continue
        refused += 1
        told = "\n".join([error.message, error.hint, *error.problems])
        assert told.encode(), seed
        assert SENTINEL not in told, (seed, told)
        assert error.problems, seed
        assert all(problem.startswith(str(file)) for problem in error.problems), (seed, told)
    assert refused


def _refusal(file: File) -> SettingsError | None:
    try:
        load_settings(file=file, environ={}, check_keys=False)
    except SettingsError as error:
        return error
    return None
