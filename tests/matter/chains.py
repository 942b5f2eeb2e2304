"""`Providers`: who is asked, in which order, and what is taken from the cache or from a last resort when nobody answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from checkpoints.keys import step_key
from config.errors import ProviderError, TimedOutError, TransientError
from config.settings import Settings
from pipeline.planning import step_keys
from pipeline.planning.steps import Step
from pipeline.planning.toolbox import Toolbox
from stages.base import CancelToken
from stages.images.picture_provider import ImageProvider, PictureRequest
from stages.models import Brief
from tests.conftest import Workbench
from tests.guarding import desk
from tests.matter.case import Case, Lab, Observe

PICTURE = PictureRequest("One", "A lamp.", "A lamp", 1, 3, "Lighthouses", "auto", 0, 160, 90, True)


def asked(error: type[ProviderError] = TransientError) -> Observe:
    """Who is asked for a script, in order, while each of them fails."""

    def observe(settings: Settings, _lab: Lab) -> list[str]:
        at = desk(settings)
        writers = Toolbox(Brief(title="T", text="x"), settings).writers()
        with pytest.raises(ProviderError):
            at.call("write", writers, at.work({writer.name: [error("no")] * 9 for writer in writers}))
        return at.asked

    return observe


class Painter(ImageProvider):
    """Draws a plain frame, or is down."""

    def __init__(self, name: str, *, is_down: bool) -> None:
        self.name = name
        self.is_down = is_down

    def identity(self) -> dict[str, str]:
        return {"name": self.name}

    def draw(self, request: PictureRequest, cancel: CancelToken, folder: Path) -> Path:
        from PIL import Image

        if self.is_down:
            raise TransientError(f"{self.name} is down", provider=self.name)
        Image.new("RGB", (request.width, request.height), "navy").save(folder / "drawn.png")
        return folder / "drawn.png"


def _draw(bench: Workbench, settings: Settings, painters: Sequence[Painter]) -> str:
    """What stands in for the picture; empty for the real one, the error's code where there is none at all."""
    toolbox = bench.toolbox(settings, painters=painters)
    step = Step("images/0001/16:9", "images", 1, step_key("images", step_keys.picture(PICTURE, toolbox)), PICTURE)
    try:
        return bench.run(step, settings, toolbox).stand_in
    except ProviderError as error:
        return error.code


def stands_in(settings: Settings, lab: Lab) -> str:
    """What comes in place of a picture that nobody draws."""
    bench = Workbench(lab.folder / "bench")
    seen = _draw(bench, settings, [Painter("Stability", is_down=True)])
    bench.ledger.close()
    return seen


def comes_back(later_s: float) -> Observe:
    """What comes in place of a picture that somebody drew so long ago, and nobody draws now."""

    def observe(settings: Settings, lab: Lab) -> str:
        bench = Workbench(lab.folder / "bench")
        assert _draw(bench, settings, [Painter("OpenAI", is_down=False)]) == ""
        bench.now += later_s
        seen = _draw(bench, settings, [Painter("Stability", is_down=True)])
        bench.ledger.close()
        return seen

    return observe


ONE_CALL: dict[str, Any] = {"Resilience": {"Retry": {"MaxRetryAttempts": 0}}}


def _llm(**chain: Any) -> dict[str, Any]:
    return {**ONE_CALL, "Providers": {"LLM": chain}}


def _entries() -> dict[str, Any]:
    names = ("OpenAI", "Anthropic", "LocalLLM")
    return {"Providers": [{"Name": name, "Priority": rank, "Enabled": True} for rank, name in enumerate(names, 1)]}


CASES: dict[str, Case] = {
    "Providers.LLM.Primary": Case(
        ("OpenAI", "LocalLLM"),
        (["OpenAI", "Anthropic"], ["LocalLLM", "Anthropic"]),
        asked(),
        _llm(Fallback=["Anthropic"]),
    ),
    "Providers.LLM.Fallback": Case(
        (["Anthropic"], ["LocalLLM", "Anthropic"]),
        (["OpenAI", "Anthropic"], ["OpenAI", "LocalLLM", "Anthropic"]),
        asked(),
        _llm(Primary="OpenAI"),
    ),
    "Providers.LLM.FallbackEnabled": Case(
        (True, False), (["OpenAI", "Anthropic", "LocalLLM"], ["OpenAI"]), asked(), _llm(**_entries())
    ),
    "Fallback.Enabled": Case(
        (True, False), (["OpenAI", "Anthropic", "LocalLLM"], ["OpenAI"]), asked(), _llm(**_entries())
    ),
    "Providers.LLM.Providers[].Name": Case(
        ("OpenAI", "outline"),
        (["OpenAI", "Anthropic", "LocalLLM"], ["outline", "Anthropic", "LocalLLM"]),
        asked(),
        _llm(**_entries()),
    ),
    "Providers.LLM.Providers[].Priority": Case(
        (1, 9),
        (["OpenAI", "Anthropic", "LocalLLM"], ["Anthropic", "LocalLLM", "OpenAI"]),
        asked(),
        _llm(**_entries()),
    ),
    "Providers.LLM.Providers[].Enabled": Case(
        (True, False), (["OpenAI", "Anthropic", "LocalLLM"], ["Anthropic", "LocalLLM"]), asked(), _llm(**_entries())
    ),
    "Providers.LLM.FallbackTriggers": Case(
        (["Timeout"], ["ServiceUnavailable"]),
        (["OpenAI", "Anthropic", "LocalLLM"], ["OpenAI"]),
        asked(TimedOutError),
        _llm(**_entries()),
    ),
    "Features.GracefulDegradation.Enabled": Case((True, False), ("basic", "RETRY_EXHAUSTED"), stands_in, ONE_CALL),
    "Features.GracefulDegradation.FallbackToBasic": Case(
        (True, False), ("basic", "RETRY_EXHAUSTED"), stands_in, ONE_CALL
    ),
    "Providers.CacheFallback.Enabled": Case((True, False), ("cached", "basic"), comes_back(60), ONE_CALL),
    "Providers.CacheFallback.UseCacheOnError": Case((True, False), ("cached", "basic"), comes_back(60), ONE_CALL),
    "Providers.CacheFallback.CacheExpiration": Case((7200, 1800), ("cached", "basic"), comes_back(3600), ONE_CALL),
}
