"""Writes docs/licences.md: what the default install brings, and under which licence. Run it after the lock has changed.

.venv/bin/python docs/make_licences.py
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

PAGE = Path(__file__).parent / "licences.md"
# Where a package's metadata names no licence, or says less than its files do.
KNOWN = {
    "imageio-ffmpeg": "BSD-2-Clause; the ffmpeg binary that it carries: GPL-3.0-or-later, run as a program of its own",
    "opencv-python-headless": "Apache-2.0; carries FFmpeg libraries under LGPL-2.1-or-later",
    "av": "BSD-3-Clause; carries FFmpeg libraries under LGPL-2.1-or-later (x264 and x265: GPL-2.0-or-later)",
    "fontpkg-fraunces": "OFL-1.1 (fonts)",
    "fontpkg-inter": "OFL-1.1 (fonts)",
    "fontpkg-noto-sans": "OFL-1.1 (fonts)",
    "justmyresource-lucide": "MIT; the icons: ISC",
    "pi-heif": "BSD-3-Clause; carries libheif and libde265 under LGPL-3.0-or-later",
    "pyphen": "MPL-1.1 OR LGPL-2.1-or-later OR GPL-2.0-or-later; hyphenation patterns under licences of their own, all free",
    "py-nanotts": "Apache-2.0 (the SVOX Pico engine and voices too)",
    "pysqlite3": "Zlib; SQLite itself: public domain",
    "resvg-py": "MIT; the resvg library: MPL-2.0",
}
_CLASSIFIER = "License :: OSI Approved :: "


def shipped(root: str) -> dict[str, Distribution]:
    """All that a package needs on this machine, itself left out, by name."""
    found: dict[str, Distribution] = {}
    waiting = [(root, frozenset[str]())]
    seen: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        name, extras = waiting.pop()
        if (name, extras) in seen:
            continue
        seen.add((name, extras))
        try:
            package = distribution(name)
        except PackageNotFoundError:
            continue
        found[re.sub(r"[-_.]+", "-", package.name).lower()] = package
        for line in package.requires or ():
            need = Requirement(line)
            if need.marker is None or any(need.marker.evaluate({"extra": extra}) for extra in extras or {""}):
                waiting.append((need.name, frozenset(need.extras)))
    found.pop(root, None)
    return found


def licence(name: str, package: Distribution) -> str:
    """The licence as the package's metadata names it."""
    if name in KNOWN:
        return KNOWN[name]
    metadata = package.metadata
    named = metadata.get("License-Expression") or ""
    classifiers = [
        value.removeprefix(_CLASSIFIER)
        for value in metadata.get_all("Classifier") or ()
        if value.startswith(_CLASSIFIER)
    ]
    text = (metadata.get("License") or "").strip().splitlines()
    return named or ", ".join(classifiers) or (text[0] if text else "") or "see the package"


def page() -> str:
    """The page's text."""
    rows = [f"| {name} | {licence(name, package)} |" for name, package in sorted(shipped("framekeep").items())]
    return "\n".join(
        [
            "# Licences of what the default install brings",
            "",
            "Framekeep itself is under the [MIT licence](../LICENSE). It imports the packages below and runs ffmpeg as a",
            "program of its own; none of them is copied into this repository. [make_licences.py](make_licences.py) makes this",
            "list, on Linux.",
            "",
            "| package | licence |",
            "| --- | --- |",
            *rows,
            "",
        ]
    )


if __name__ == "__main__":
    PAGE.write_text(page())
