"""Earlier answers to the same request, for when every provider has failed. Stale only on error, and always reported.

The same request is what was asked without who was asked: another model, another voice package or another chain of providers makes
another step, but not another request.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

from checkpoints.keys import step_key
from checkpoints.ledger.ledger import Ledger
from checkpoints.ledger.responses import Response, Responses
from checkpoints.records import Record
from checkpoints.store.store import Store
from config.errors import ProviderError
from config.providers import CacheFallback
from pipeline.planning import step_keys
from pipeline.planning.steps import Step
from stages.images.picture_provider import PictureRequest
from stages.models import Brief, Degradation
from stages.speech.speech_provider import SpeechRequest


def request_of(step: Step) -> str:
    """What a step asks of providers, whoever they are, as one name; empty for a step that asks nobody."""
    match step.work:
        case Brief() as brief:
            asked = step_keys.asked_of_writers(brief)
        case SpeechRequest() | PictureRequest() as request:
            asked = step_keys.asked(request)
        case _:
            return ""
    return step_key(f"{step.stage} request", asked)


class AnswerCache:
    """The answers of one home."""

    def __init__(
        self, ledger: Ledger, store: Store, settings: CacheFallback, wall: Callable[[], float] = time.time
    ) -> None:
        self._ledger = ledger
        self._responses = Responses(ledger)
        self._store = store
        self._settings = settings
        self._wall = wall

    def request(self, step: Step) -> str:
        """The name under which a step's answer is to be kept; empty where it is not."""
        return request_of(step) if self._settings.enabled else ""

    def answer(self, step: Step, wanted: str, error: ProviderError) -> Record | None:
        """A step's result made of an earlier answer that is young enough and whole; None where there is none."""
        if not (self._settings.enabled and self._settings.use_cache_on_error):
            return None
        request = request_of(step)
        found = self._responses.find(request) if request else None
        if not found or not self._is_young(found.made_at):
            return None
        record = self._ledger.results.get(found.key) or self._store.get_record(found.key)
        if record is None or record.stand_in:
            return None
        if not all(self._store.verify(artifact) for artifact in record.artifacts.values()):
            return None
        return self._as_stand_in(step, record, found, wanted, str(error))

    def _as_stand_in(self, step: Step, record: Record, found: Response, wanted: str, reason: str) -> Record:
        told = Degradation(
            stage=step.stage,
            scene=step.scene,
            wanted=wanted,
            got=f"cached answer of {found.provider} from {_time_text(found.made_at)}",
            reason=reason,
        )
        changes = {"key": step.key, "degradations": (told.model_dump(mode="json"),), "request": ""}
        # A step's own former result is no stand-in for it, only an old one: as such it must stay to be found.
        return record.model_copy(update={**changes, "stand_in": "" if record.key == step.key else "cached"})

    def _is_young(self, made_at: float) -> bool:
        """A clock that was set back makes no answer older, or of no age at all."""
        limit_s = self._settings.cache_expiration_s
        return not limit_s or self._wall() - made_at <= limit_s


def oldest_to_keep(settings: CacheFallback, now: float) -> float | None:
    """The Unix time since which answers are still good; None when none is kept at all."""
    if not settings.enabled:
        return None
    return now - settings.cache_expiration_s if settings.cache_expiration_s else 0.0


def _time_text(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).strftime("%Y-%m-%d %H:%M UTC")
