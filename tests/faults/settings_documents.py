"""A generator of settings documents: valid ones in every layout that people use, and the same with something broken.

Everything is drawn from a seed, which a failing test prints.
"""

from __future__ import annotations

import functools
import json
import random
import typing
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, get_origin

import yaml
from pydantic import SecretStr, ValidationError

from config.names import guide_path, section_in
from config.section import Section
from config.settings import Settings

#: Stands in every secret that a document holds.
SENTINEL = "sk-sentinel-0451-q7w8e9"
Path = tuple[str, ...]

_POOL: tuple[Any, ...] = (
    True, False, 0, 1, 2, 3, 7, 24, 60, 128_000, 900_000, 0.5, -0.5, -20.0, "text", "key.txt", "16:9", "pico", "medium", "h264",
    "http://127.0.0.1:8000/v1", ["Timeout"], ["error", "slow"], ["script"], {"Default": "debug"},
)  # fmt: skip
#: Rules between settings that a random choice would break.
_LEFT_ALONE = {("rendering", "encoder"), ("testing", "simulate_failures"), ("providers", "openai", "base_url")}


@dataclass
class Document:
    """One file. `expected` holds the value of each setting that it gives, by attribute names."""

    name: str
    content: bytes
    expected: dict[Path, Any] = field(default_factory=dict)


@functools.cache
def choices() -> dict[Path, tuple[tuple[Any, Any], ...]]:
    """For each setting, values as a file may give them, each with what it comes to."""
    found: dict[Path, tuple[tuple[Any, Any], ...]] = {}
    for path in _leaves(Settings, ()):
        taken = []
        for raw in _secrets(path) or _POOL:
            try:
                value = value_at(Settings.model_validate(nested(path, raw)), path)
            except ValidationError:
                continue
            taken.append((raw, value))
        if taken and path not in _LEFT_ALONE:
            found[path] = tuple(taken[:6])
    return found


def _secrets(path: Path) -> tuple[Any, ...]:
    if path[-1] == "api_key":
        return (SENTINEL,)
    return ([f"json://me:{SENTINEL}@127.0.0.1/a,b?c=d"],) if path[-1] == "alert_urls" else ()


def _leaves(model: type[Section], path: Path) -> Iterator[Path]:
    for name, info in model.model_fields.items():
        inner = section_in(info.annotation)
        if inner is None:
            yield (*path, name)
        elif get_origin(info.annotation) not in (tuple, dict, typing.Union):
            yield from _leaves(inner, (*path, name))


def nested(path: Path, value: Any) -> dict[str, Any]:
    """A value inside the blocks of its path."""
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def value_at(settings: Settings, path: Path) -> Any:
    """What the settings hold at a path; secrets as their text."""
    value: Any = settings
    for name in path:
        value = getattr(value, name)
    if isinstance(value, tuple):
        return tuple(item.get_secret_value() if isinstance(item, SecretStr) else item for item in value)
    return value.get_secret_value() if isinstance(value, SecretStr) else value


def some_settings(rng: random.Random) -> tuple[dict[Path, Any], dict[Path, Any]]:
    """Some settings as they are given, and what each comes to."""
    paths = rng.sample(sorted(choices()), rng.randint(1, 9))
    if any(path[-1] == "retryable_errors" for path in paths):
        # Beside the other list of its block it might overlap.
        paths = [path for path in paths if path[-1] != "non_retryable_errors"]
    picked = {path: rng.choice(choices()[path]) for path in paths}
    return {path: raw for path, (raw, _) in picked.items()}, {path: value for path, (_, value) in picked.items()}


def document(rng: random.Random) -> Document:
    """A valid document."""
    given, expected = some_settings(rng)
    tree: dict[str, Any] = {}
    for path, raw in given.items():
        block = tree
        for name in path[:-1]:
            block = block.setdefault(name, {})
        block[path[-1]] = raw
    tree = _spelled(tree, (), rng)
    suffix = rng.choice(("json", "yaml", "yml", "toml"))
    text = _json(tree, rng) if suffix == "json" else _toml(tree) if suffix == "toml" else _yaml(tree, rng)
    if rng.random() < 0.3:
        text = text.replace("\n", "\r\n")
    mark = b"\xef\xbb\xbf" if rng.random() < 0.2 else b""
    return Document(f"f.{suffix}", mark + text.encode(), expected)


def _spelled(tree: dict[str, Any], path: Path, rng: random.Random) -> dict[str, Any]:
    """The same under names as different people write them, in any order."""
    items = list(tree.items())
    rng.shuffle(items)
    found: dict[str, Any] = {}
    for name, value in items:
        here = (*path, name)
        is_setting = not isinstance(value, dict) or name == "log_level"
        guides = guide_path(here).rpartition(".")[2]
        spelling = rng.choice((guides, guides, name, name.replace("_", "-"), guides.upper(), guides.lower()))
        found[spelling] = value if is_setting else _spelled(value, here, rng)
    return found


def _json(tree: dict[str, Any], rng: random.Random) -> str:
    text = json.dumps(tree, indent=rng.choice((None, 2, 4)), ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.7:
        lines = text.splitlines()
        for place in sorted(rng.sample(range(len(lines)), min(2, len(lines))), reverse=True):
            lines[place] += rng.choice((' // a note, with {brackets} and "quotes"', " /* of\n several lines */"))
        text = rng.choice(("", "// settings.json\n", "/* a head */ ")) + "\n".join(lines)
    if rng.random() < 0.5:
        end = text.rindex("}")
        text = f"{text[:end]}{',' if _is_after_an_item(text[:end]) else ''}{text[end:]}"
    return text


def _is_after_an_item(text: str) -> bool:
    """Whether a comma may be put behind a text: it ends in a value, not in a note."""
    last = text.rstrip()
    return last[-1] not in "{,/" and "//" not in last[last.rfind("\n") + 1 :]


def _yaml(tree: dict[str, Any], rng: random.Random) -> str:
    text = yaml.safe_dump(tree, default_flow_style=rng.choice((True, False, None)), allow_unicode=True)
    return rng.choice(("", "---\n", "# a note: with a colon\n")) + text


def _toml(tree: dict[str, Any]) -> str:
    return "".join(f"{'.'.join(map(json.dumps, path))} = {json.dumps(value)}\n" for path, value in _flat(tree, ()))


def _flat(tree: dict[str, Any], path: Path) -> Iterator[tuple[Path, Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, (*path, name))
        else:
            yield (*path, name), value


def broken(rng: random.Random) -> Document:
    """A document that may be of no use any more; what it should come to is not said."""
    whole = document(rng)
    content = whole.content
    place = rng.randrange(len(content) + 1)
    other = rng.randrange(len(content) + 1)
    odd = rng.choice(
        (
            b"\t",
            b"\x00",
            b'"',
            b"'",
            b"{",
            b"]",
            b",",
            b":",
            b"&a ",
            b"*a",
            b"!!binary ",
            b"\xff",
            b"\xed\xa0\x80",
            b"\n",
            b"#",
            b"\\",
        )
    )
    change = rng.randrange(8)
    if change == 0:
        content = content[:place]
    elif change == 1:
        content = content[:place] + odd + content[place:]
    elif change == 2:
        content = content[:place] + content[place + rng.randint(1, 12) :]
    elif change == 3:
        lines = content.splitlines(keepends=True)
        content = b"".join([*lines, rng.choice(lines)])
    elif change == 4:
        content = content[: min(place, other)] + content[max(place, other) :]
    elif change == 5:
        content = content.decode("utf-8-sig").encode(rng.choice(("utf-16", "utf-32", "utf-16-le")))
    elif change == 6:
        content = rng.choice(_HOSTILE)
    else:
        values = rng.choice(
            (
                b"null",
                b"1e999",
                b"NaN",
                b"2026-01-01",
                b"[]",
                b"{}",
                b'"\\ud800"',
                b"-1",
                b"no",
                b"0x1F",
                b"[[[]]]",
                b"''",
            )
        )
        content = content.replace(b"true", values).replace(b"false", values).replace(b"60", values)
    return Document(whole.name, content)


_BOMB = "\n".join(
    [f"a0: &a0 [{SENTINEL}, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
)
_MERGES = "\n".join(
    ["a0: &a0 {Fps: 25}"] + [f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}" for n in range(1, 12)]
)
_HOSTILE = (
    b"",
    b"\xef\xbb\xbf",
    b"[]",
    b"- a\n- b",
    b"7",
    b'"text"',
    b"null",
    b"// only a note",
    b"# only a note",
    b"[" * 5000,
    b'{"a":' * 3000,
    b"a: " * 3000,
    b"{" * 800 + b"}" * 800,
    b"- " * 3000,
    b"a = " + b"[" * 3000,
    b"[a]\n[a]\n",
    b"a: &a [*a]",
    b"Rendering: &r\n  <<: *r",
    b"? [Rendering, Fps]\n: 25",
    b"Rendering: !!python/object/apply:os.getcwd []",
    *(
        f'Providers: {{OpenAI: {{ApiKey: !!{tag} "{SENTINEL}"}}}}'.encode()
        for tag in ("int", "float", "bool", "timestamp", "binary")
    ),
    b"%YAML 9.9\n---\na: 1",
    b"a: 1\n---\nb: 2",
    b'{"\\ud800": 1, "Rendering": {"\\udfff": 2}}',
    b'{"Rendering": {"Fps": 25}} {"Rendering": {"Fps": 30}}',
    _BOMB.encode(),
    _MERGES.encode(),
)
