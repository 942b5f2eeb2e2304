"""Chains of providers: who is asked, in which order, in every way in which a source may write it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from config.kinds import KINDS, ErrorKind
from config.section import Section, squashed
from config.texts import items_of

ALL_TRIGGERS: tuple[ErrorKind, ...] = KINDS


class ChainEntry(Section):
    """One provider of a stage."""

    name: Annotated[str, Field(min_length=1)]
    """The provider."""
    priority: int = 1
    """Its place in the chain: lower is asked first."""
    enabled: bool = True
    """Off: it is not asked."""

    @classmethod
    def spread(cls, value: Any) -> Any:
        """A name alone."""
        return {"Name": value} if isinstance(value, str) else value


class Chain(Section):
    """A stage's providers in the order to try them. Without `FallbackEnabled` only the first is asked.

    Short forms: a name, a list of names, or `{"Primary": …, "Fallback": [...]}`.
    """

    fallback_enabled: bool = True
    """Off: only the first is asked."""
    providers: tuple[ChainEntry, ...] = ()
    """Who is asked."""
    fallback_triggers: tuple[ErrorKind, ...] = ALL_TRIGGERS
    """Errors after which the next one is asked. One that was tried again counts by its last error."""

    short_names: ClassVar[Mapping[str, Any]] = {
        "primary": tuple[ChainEntry, ...],
        "fallback": tuple[ChainEntry, ...],
    }

    @classmethod
    def spread(cls, value: Any) -> Any:
        """A name, or a list of names."""
        if isinstance(value, str):
            value = items_of(value)
        if not isinstance(value, list | tuple):
            return value
        ranked = any("priority" in _squashed_keys(item) for item in value)
        return {"providers": [_ranked(rank, item) if ranked else item for rank, item in enumerate(value, 1)]}

    @classmethod
    def filled(cls, given: dict[str, Any]) -> dict[str, Any]:
        """`Primary` and `Fallback` become `Providers`; where no entry names a priority, their order is it."""
        found = {squashed(str(key)): key for key in given}
        entries = given.get(found.get("providers", ""))
        if "primary" in found or "fallback" in found:
            if "primary" not in found:
                raise ValueError("Fallback needs a Primary before it")
            if "providers" in found:
                raise ValueError("takes either Providers, or Primary and Fallback")
            entries = [*_listed(given[found["primary"]]), *_listed(given.get(found.get("fallback", "")))]
        if not isinstance(entries, list | tuple):
            return given
        if not any("priority" in _squashed_keys(item) for item in entries) or "primary" in found:
            entries = [_ranked(rank, item) for rank, item in enumerate(entries, 1)]
        rest = {key: item for key, item in given.items() if squashed(str(key)) not in (*cls.short_names, "providers")}
        return {**rest, "providers": entries}

    @classmethod
    def outranked(cls, weaker: dict[str, Any], stronger: Mapping[str, Any]) -> dict[str, Any]:
        """`Providers` replace a weaker `Primary` and `Fallback`; one of these alone keeps what a weaker list says of the other."""
        if "providers" in stronger:
            if isinstance(stronger["providers"], dict) and "primary" in weaker:
                # Single places of the list are meant, so the list is needed.
                entries = [*_listed(weaker["primary"]), *_listed(weaker.get("fallback"))]
                weaker = {**weaker, "providers": [_ranked(rank, item) for rank, item in enumerate(entries, 1)]}
            return {name: value for name, value in weaker.items() if name not in cls.short_names}
        if not set(cls.short_names) & set(stronger):
            return weaker
        rest = dict(weaker)
        if entries := rest.pop("providers", None):
            ordered = [_unranked(entry) for entry in sorted(entries, key=_priority)]
            rest |= {"primary": ordered[:1], "fallback": ordered[1:]}
        if "primary" in stronger and rest.get("fallback"):
            first = {_name(entry) for entry in _listed(stronger["primary"])}
            rest["fallback"] = [entry for entry in rest["fallback"] if _name(entry) not in first]
        return rest

    @model_validator(mode="after")
    def _names_differ(self) -> Chain:
        names = [entry.name.lower() for entry in self.providers]
        if len(set(names)) != len(names):
            raise ValueError("a provider is named twice")
        return self

    def names(self) -> tuple[str, ...]:
        """Enabled providers by priority."""
        entries = sorted((entry for entry in self.providers if entry.enabled), key=lambda entry: entry.priority)
        names = tuple(entry.name for entry in entries)
        return names if self.fallback_enabled else names[:1]


def _squashed_keys(item: Any) -> set[str]:
    return {squashed(str(key)) for key in item} if isinstance(item, dict) else set()


def _ranked(rank: int, item: Any) -> Any:
    """One place of a list: a name, or an entry that takes its rank where it names no priority."""
    if isinstance(item, str):
        return {"name": item, "priority": rank}
    if isinstance(item, dict) and "priority" not in _squashed_keys(item):
        return {**item, "priority": rank}
    return item


def _listed(value: Any) -> list[Any]:
    """One entry, several, or a text that names them, as a list."""
    if isinstance(value, str):
        value = items_of(value)
    return list(value) if isinstance(value, list | tuple) else [] if value is None else [value]


def _name(item: Any) -> str:
    return str(item.get("name", "") if isinstance(item, dict) else item).lower()


def _unranked(item: Any) -> Any:
    return {key: value for key, value in item.items() if key != "priority"} if isinstance(item, dict) else item


def _priority(item: Any) -> float:
    given = item.get("priority", 1) if isinstance(item, dict) else 1
    return given if isinstance(given, int | float) else 1
