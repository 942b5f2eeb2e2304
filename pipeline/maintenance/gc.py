"""Making room: forgets finished jobs, and removes the results and files that no remaining job needs.

What stays, whatever is asked for:

- jobs that can be resumed, with everything their steps name;
- finished jobs of the same name as one that can be resumed (an edited brief is a new job): what that one has not come to yet
  may be theirs;
- answers of providers that may still stand in for one that fails (`Providers.CacheFallback`);
- everything, while a job that can be resumed is missing in the ledger, or was restored into it: what it needs is not all named;
- whatever was used within the last hour, and every job that somebody is working on;
- results and files that no job names (an edited scene, a superseded level) for a day.

Safe beside running jobs: a job is forgotten under its own lock, a result in one transaction that makes sure that no step names it,
and a file after its last use has been looked at again. A clock that was set forward meanwhile makes nothing old: while a job runs,
ages count from what was used last. A crash in between leaves files that nobody names; they go next time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from checkpoints.job_states import FINAL_STATES, OPEN_STATES
from checkpoints.ledger.ledger import JobRow
from checkpoints.ledger.responses import Responses
from checkpoints.ownership.locks import is_locked, job_lock, remove_lock
from checkpoints.records import Record
from config.errors import BusyError, UsageError
from pipeline.home import Home
from stages.models import Model

RECENT_S = 3600
ORPHAN_S = 86_400
_BATCH = 200


class CleanupReport(Model):
    """What went and what stayed; with `dry_run`, what would. `busy` names jobs that were spared because somebody works on them.

    `over_bytes` is how much more than `max_bytes` had to stay. Where `held_by` names jobs, nothing may go before they are finished,
    or, if `lost`, before the ledger has them again.
    """

    dry_run: bool
    jobs: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    held_by: tuple[str, ...] = ()
    lost: bool = False
    results: int = 0
    artifacts: int = 0
    bytes_freed: int = 0
    scratch_folders: int = 0
    jobs_kept: int = 0
    results_kept: int = 0
    artifacts_kept: int = 0
    bytes_kept: int = 0
    over_bytes: int = 0


def collect(
    home: Home,
    *,
    older_than_s: float | None,
    max_bytes: int | None,
    keep_last: int,
    dry_run: bool,
    now: float,
    answers_since: float | None = None,
) -> CleanupReport:
    """Clean up a home. The latest `keep_last` finished jobs stay. Of the others go those that finished more than `older_than_s`
    ago, then the oldest until the artifacts fit into `max_bytes`; all of them when neither limit is given. Answers of providers
    made after `answers_since` stay whatever goes; None keeps none for their own sake.

    Raises UsageError, StoreError.
    """
    if keep_last < 0 or (older_than_s or 0) < 0 or (max_bytes or 0) < 0:
        raise UsageError("The limits of a clean-up cannot be negative", hint="framekeep gc --help")
    survey = _survey(home, now, answers_since)
    held = _held_by(home, survey.jobs)
    if held[0]:
        return _nothing(home, survey, held, dry_run=dry_run)
    doomed = _choose(survey, older_than_s, max_bytes, keep_last)
    busy: list[str] = []
    scratch = 0
    if not dry_run:
        busy = [job.id for job in doomed if not _forget_job(home, job)]
        doomed = [job for job in doomed if job.id not in busy]
        scratch = home.store.sweep()
    waste = survey.waste({job.id for job in doomed})
    if not dry_run:
        waste = _remove(home, waste)
        Responses(home.ledger).forget_before(now if answers_since is None else answers_since)
    bytes_kept = sum(artifact.size for artifact in survey.artifacts.values()) - waste.size
    return CleanupReport(
        dry_run=dry_run,
        jobs=tuple(job.id for job in doomed),
        busy=tuple(busy),
        results=len(waste.keys),
        artifacts=len(waste.artifacts),
        bytes_freed=waste.size,
        scratch_folders=scratch,
        jobs_kept=len(survey.jobs) - len(doomed),
        results_kept=len(survey.results) - len(waste.keys),
        artifacts_kept=len(survey.artifacts) - len(waste.artifacts),
        bytes_kept=bytes_kept,
        over_bytes=max(0, bytes_kept - max_bytes) if max_bytes is not None else 0,
    )


def _held_by(home: Home, jobs: Sequence[JobRow]) -> tuple[tuple[str, ...], bool]:
    """Unfinished jobs whose steps the ledger does not all know, and whether it lacks the jobs themselves."""
    known = {job.id for job in jobs}
    lost = tuple(note.id for note in home.notes.all() if note.id not in known and note.state not in FINAL_STATES)
    restored = home.ledger.restored()
    return lost or tuple(job.id for job in jobs if job.id in restored and job.state in OPEN_STATES), bool(lost)


def _nothing(home: Home, survey: _Survey, held: tuple[tuple[str, ...], bool], *, dry_run: bool) -> CleanupReport:
    """The report of a clean-up that may remove no result."""
    return CleanupReport(
        dry_run=dry_run,
        held_by=held[0],
        lost=held[1],
        scratch_folders=0 if dry_run else home.store.sweep(),
        jobs_kept=len(survey.jobs),
        results_kept=len(survey.results),
        artifacts_kept=len(survey.artifacts),
        bytes_kept=sum(artifact.size for artifact in survey.artifacts.values()),
    )


@dataclass(frozen=True)
class _StoredResult:
    digests: frozenset[str]
    used_at: float


@dataclass(frozen=True)
class _File:
    """An artifact; `limit` is the Unix time after which a use saves it."""

    size: int
    used_at: float
    limit: float = 0.0


@dataclass(frozen=True)
class _Waste:
    """Results and artifacts that nobody needs. `limit` saves results that were used after it."""

    keys: frozenset[str]
    artifacts: dict[str, _File]
    limit: float

    @property
    def size(self) -> int:
        return sum(artifact.size for artifact in self.artifacts.values())


@dataclass(frozen=True)
class _Survey:
    """All that a home holds, at one moment. `jobs` are the latest first."""

    jobs: list[JobRow]
    keys: dict[str, set[str]]
    results: dict[str, _StoredResult]
    artifacts: dict[str, _File]
    answers: set[str]
    now: float

    def waste(self, forgotten: set[str]) -> _Waste:
        """What nobody needs once these jobs are forgotten."""
        recent, day_ago = self.now - RECENT_S, self.now - ORPHAN_S
        needed = self._keys_of(job_id for job_id in self.keys if job_id not in forgotten) | self.answers
        freed = self._keys_of(forgotten)
        keys = {
            key
            for key, result in self.results.items()
            if key not in needed and result.used_at <= (recent if key in freed else day_ago)
        }
        named = {digest for key, result in self.results.items() if key not in keys for digest in result.digests}
        dropped = {digest for key in keys for digest in self.results[key].digests}
        artifacts = {}
        for digest, found in self.artifacts.items():
            limit = recent if digest in dropped else day_ago
            if digest not in named and found.used_at <= limit:
                artifacts[digest] = _File(found.size, found.used_at, limit)
        return _Waste(frozenset(keys), artifacts, recent)

    def used_at(self, job: JobRow) -> float:
        """When a job or one of its results was last used."""
        used = (self.results[key].used_at for key in self.keys.get(job.id, ()) if key in self.results)
        return max(job.updated_at, *used, 0.0)

    def _keys_of(self, job_ids: Iterable[str]) -> set[str]:
        return set().union(*(self.keys.get(job_id, set()) for job_id in job_ids))


def _survey(home: Home, now: float, answers_since: float | None) -> _Survey:
    answers = set() if answers_since is None else Responses(home.ledger).keys_since(answers_since)
    results = {record.key: _StoredResult(_digests(record), used_at) for record, used_at in home.ledger.results.all()}
    for record in home.store.records():
        if record.key not in results:
            results[record.key] = _StoredResult(_digests(record), home.store.written_at(record.key))
    artifacts = {digest: _File(size, used_at) for digest, size, used_at in home.store.artifacts()}
    # The jobs last: a result that comes up in between is young, and a job that does is not forgotten.
    jobs = home.ledger.jobs()
    if any(job.state in ("queued", "running") and is_locked(home.locks, job.id) for job in jobs):
        used = [item.used_at for group in (results, artifacts) for item in group.values()]
        now = min(now, max([*used, *(job.updated_at for job in jobs)]))
    return _Survey(jobs, home.ledger.results.keys_by_job(), results, artifacts, answers, now)


def _digests(record: Record) -> frozenset[str]:
    return frozenset(artifact.digest for artifact in record.artifacts.values())


def _choose(survey: _Survey, older_than_s: float | None, max_bytes: int | None, keep_last: int) -> list[JobRow]:
    """The jobs to forget."""
    resumable = {_name(job) for job in survey.jobs if job.state in OPEN_STATES}
    finished = [job for job in survey.jobs if job.state not in OPEN_STATES]
    free_to_go = [
        job
        for job in finished[keep_last:]
        if _name(job) not in resumable and survey.used_at(job) <= survey.now - RECENT_S
    ]
    if older_than_s is None and max_bytes is None:
        return free_to_go
    aged = [job for job in free_to_go if older_than_s is not None and job.updated_at <= survey.now - older_than_s]
    if max_bytes is not None:
        chosen = {job.id for job in aged}
        total = sum(artifact.size for artifact in survey.artifacts.values())
        for job in reversed(free_to_go):
            if total - survey.waste(chosen).size <= max_bytes:
                break
            chosen.add(job.id)
        aged = [job for job in free_to_go if job.id in chosen]
    return aged


def _name(job: JobRow) -> str:
    """A job's id without the digest of what was asked for."""
    return job.id.rpartition("-")[0]


def _forget_job(home: Home, job: JobRow) -> bool:
    """Forget a job unless somebody works on it, or has since it was chosen."""
    try:
        with job_lock(home.locks, job.id):
            if home.ledger.job(job.id) != job:
                return False
            home.ledger.forget_job(job.id)
            remove_lock(home.locks, job.id)
    except BusyError:
        return False
    return True


def _remove(home: Home, waste: _Waste) -> _Waste:
    """Remove what is still waste by now; returns what went."""
    gone: set[str] = set()
    for keys in _batches(sorted(waste.keys)):
        for key in home.ledger.results.forget_unused(keys, waste.limit):
            home.store.forget(key)
            gone.add(key)
    named = {digest for record, _ in home.ledger.results.all() for digest in _digests(record)}
    named.update(digest for record in home.store.records() for digest in _digests(record))
    removed = {
        digest: artifact
        for digest, artifact in waste.artifacts.items()
        if digest not in named and home.store.discard_unused(digest, artifact.limit)
    }
    return _Waste(frozenset(gone), removed, waste.limit)


def _batches(keys: list[str]) -> Iterator[list[str]]:
    """Short transactions, so that a running job never waits long for the ledger."""
    for start in range(0, len(keys), _BATCH):
        yield keys[start : start + _BATCH]
