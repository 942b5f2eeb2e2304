"""Our packages have short names; a file of the user's beside a script may have the same. Then Python takes that one."""

from __future__ import annotations

import importlib.util
from pathlib import Path

PACKAGES = ("config", "checkpoints", "stages", "pipeline")
_HERE = Path(__file__).resolve().parent.parent


def shadows() -> list[tuple[str, str]]:
    """Packages of ours in whose place Python would import something else: (name, the file found)."""
    found = []
    for name in PACKAGES:
        origin = _origin(name)
        if origin is None or Path(origin).resolve() != _HERE / name / "__init__.py":
            found.append((name, origin or "another module"))
    return found


def _origin(name: str) -> str | None:
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:
        # Already imported, and made by hand: certainly not ours.
        return None
    if spec is None:
        return None
    return spec.origin or next(iter(spec.submodule_search_locations or ()), None)


def refuse_shadowed_packages() -> None:
    """Raise ImportError naming the file that stands in the way of one of ours."""
    for name, origin in shadows():
        raise ImportError(
            f"Framekeep's package '{name}' is hidden by {origin}: Python imports that in its place. "
            f"Rename it, or run your script from another folder."
        )
