"""Names of the looks that a brief may ask for. Apart from the colours themselves, which need heavy imports."""

from __future__ import annotations

from config.errors import UsageError

AUTO = "auto"
THEMES = ("ocean", "ember", "forest", "dusk", "slate", "aurora", "desert", "rose", "paper", "mist")


def check_theme(name: str) -> None:
    """Raise UsageError for a theme that there is not."""
    if name != AUTO and name not in THEMES:
        raise UsageError(
            f"There is no theme '{name}'", hint=f"set the brief's style.theme to one of: {', '.join((AUTO, *THEMES))}"
        )
