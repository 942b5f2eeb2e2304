"""The tree of errors: as drawn, through process borders, with the exit codes that are promised."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle
import re

import pytest

from config import errors
from config.errors import FramekeepError

CLASSES = {
    name: cls
    for name, cls in vars(errors).items()
    if inspect.isclass(cls) and issubclass(cls, FramekeepError) and not name.startswith("_")
}


def drawn() -> dict[str, tuple[str | None, int | None]]:
    """Name → (parent, exit code where one is drawn), read from the drawing in the module."""
    found: dict[str, tuple[str | None, int | None]] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"^    ([│ ├└─]*)(\w+(?:Error)?)\b(.*)$", line)
        if not match or not match[2].endswith("Error"):
            continue
        depth = len(match[1]) // 4
        path = [*path[:depth], match[2]]
        code = re.search(r"exit (\d+)$", match[3])
        found[match[2]] = (path[depth - 1] if depth else None, int(code[1]) if code else None)
    return found


def public_parent(cls: type[FramekeepError]) -> str | None:
    """The nearest base that the drawing shows."""
    names = [base.__name__ for base in cls.__mro__[1:] if issubclass(base, FramekeepError)]
    return next((name for name in names if not name.startswith("_")), None)


def test_the_drawing_shows_every_error_under_its_parent() -> None:
    assert {name: parent for name, (parent, _) in drawn().items()} == {
        name: public_parent(cls) for name, cls in CLASSES.items()
    }


def test_exit_codes_are_the_drawn_ones_and_are_inherited() -> None:
    tree = drawn()
    assert {code for _, code in tree.values()} == {None, 1, 2, 75, 130}
    for name, (parent, code) in tree.items():
        step: str | None = name
        while code is None and step:
            step, code = parent, None
            parent, code = tree[step] if step else (None, 1)
        assert CLASSES[name].exit_code == (code or 1), name


def test_every_code_is_its_own_and_the_guides_are_spelled_as_there() -> None:
    # To a program both kinds of exhaustion are one; only what to do about them differs.
    codes = [cls.code for name, cls in CLASSES.items() if name != "RenderExhaustedError"]
    assert len(set(codes)) == len(codes)
    assert errors.CircuitOpenError.code == "CIRCUIT_OPEN"
    assert errors.RetryExhaustedError.code == "RETRY_EXHAUSTED"


def made(cls: type[FramekeepError]) -> FramekeepError:
    """An error with every field that its class takes set to something."""
    values: dict[str, object] = {
        "hint": "framekeep doctor",
        "provider": "pico",
        "retry_after_s": 12.5,
        "attempts": ["pico: TIMEOUT: slow", "pico: TIMEOUT: slow again"],
        "digests": ["ab12", "cd34"],
        "problems": ["line 3: no such voice", "line 9: no such theme"],
    }
    taken = {name: value for name, value in values.items() if name in inspect.signature(cls).parameters}
    return cls("scene 3 stopped", **taken)  # type: ignore[arg-type]


@pytest.mark.parametrize("cls", CLASSES.values(), ids=CLASSES)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling_with_all_its_fields(cls: type[FramekeepError], protocol: int) -> None:
    error = made(cls)
    error.hint += ", then: framekeep resume"
    back = pickle.loads(pickle.dumps(error, protocol))
    assert type(back) is cls
    assert vars(back) == vars(error)
    assert back.args == error.args
    assert back.as_dict() == {"code": cls.code, "message": "scene 3 stopped", "hint": error.hint}


def test_fields_of_lists_are_kept_as_tuples_after_a_copy() -> None:
    error = copy.copy(made(errors.RetryExhaustedError))
    assert isinstance(error, errors.RetryExhaustedError)
    assert error.attempts == ("pico: TIMEOUT: slow", "pico: TIMEOUT: slow again")
    assert (error.provider, error.retry_after_s) == ("pico", 12.5)
    brief = copy.copy(made(errors.BriefError))
    assert isinstance(brief, errors.BriefError)
    assert brief.problems == ("line 3: no such voice", "line 9: no such theme")


def test_an_error_reads_as_its_message_even_after_that_was_extended() -> None:
    error = errors.ProviderError("pico: no voice")
    error.message = f"{error.message}; text: off"
    assert str(error) == "pico: no voice; text: off"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def fail_in_a_child(_: int) -> None:
    raise errors.RateLimitedError("too many requests", provider="OpenAI", retry_after_s=7, hint="wait")


def test_an_error_raised_in_another_process_arrives_whole() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        with pytest.raises(errors.RateLimitedError) as caught:
            pool.map(fail_in_a_child, [1])
        pool.close()
        pool.join()
    assert (caught.value.provider, caught.value.retry_after_s, caught.value.hint) == ("OpenAI", 7, "wait")
