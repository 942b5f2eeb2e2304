"""Names of jobs and files."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from checkpoints.keys import canonical_json
from pipeline.job.options import JobOptions
from stages.brief import canonical
from stages.models import Brief
from stages.text.names import readable


def job_id(brief: Brief, options: JobOptions) -> str:
    """The same brief, exports, quality and output folder are the same job."""
    wanted = {
        "brief": canonical(brief),
        "exports": options.exports,
        "quality": options.quality.lower(),
        "output": str(options.output),
        "stem": options.stem,
    }
    digest = hashlib.sha256(canonical_json(wanted).encode()).hexdigest()
    return f"{slug(brief.name)}-{digest[:8]}"


def slug(text: str) -> str:
    """A name that every filesystem takes: ASCII letters, digits and hyphens, at most 40."""
    plain = unicodedata.normalize("NFKD", readable(text)).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:40].strip("-") or "video"
