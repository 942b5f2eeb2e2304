"""Each guard is broken once, in a copy of the tree; the test that is said to cover it must then fail.

    python tests/faults/mutants.py [--jobs N] [WORD ...]      all, or those whose guard has one of the words in its name

A list that has gone stale is found in the default suite: every old text must stand in its file exactly once, and every test must
exist (test_mutants.py).
"""

from __future__ import annotations

import argparse
import concurrent.futures
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
COPIED = ("config", "checkpoints", "stages", "pipeline", "tests", "sample_media", "docs", "benchmarks")
FILES = ("pyproject.toml", "README.md", "Makefile", "CHANGELOG.md")
_FAILED = 1
_PATIENCE_S = 300


@dataclass(frozen=True)
class Mutant:
    """`old` in `file` becomes `new` (and `also` and `tail`, where one change is not enough), and `test` fails.

    `guard` is what was broken; `test` is a test's id without `tests/`.
    """

    guard: str
    file: str
    old: str
    new: str
    test: str
    also: tuple[str, str] = ("", "")
    tail: str = ""

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [change for change in ((self.old, self.new), self.also) if change[0]]


def _store(guard: str, old: str, new: str, test: str) -> Mutant:
    return Mutant(guard, "checkpoints/store/store.py", old, new, f"checkpoints/test_store.py::{test}")


MUTANTS: tuple[Mutant, ...] = (
    # Artifacts and records
    _store(
        "an artifact's hash",
        "file_digest(path)[0] != artifact.digest",
        "file_digest(path)[0] == 0",
        "test_a_damaged_artifact_does_not_verify",
    ),
    _store(
        "an artifact's size",
        "if stamp[0] != artifact.size:",
        "if False:",
        "test_an_artifact_of_another_size_than_recorded_does_not_verify",
    ),
    _store(
        "a hash is trusted for one unchanged file of one process only",
        "return found.st_size, found.st_mtime_ns, found.st_ino",
        "return found.st_size, 0, 0",
        "test_two_artifacts_that_changed_places_are_both_found",
    ),
    _store(
        "artifacts are read-only",
        "source.chmod(stat.S_IMODE(source.stat().st_mode) & ~0o222)",
        "pass",
        "test_a_published_file_is_named_by_its_content_and_cannot_be_written",
    ),
    _store(
        "a record's checksum",
        'if hashlib.sha256(canonical_json(body).encode()).hexdigest() != document["sha256"]:',
        "if False:",
        "test_any_flipped_byte_of_a_record_is_noticed",
    ),
    _store(
        "a record's key",
        "return record if record.key == path.stem else None",
        "return record",
        "test_a_record_under_another_keys_name_does_not_count",
    ),
    _store(
        "scratch of a living process stays",
        "    except (Timeout, OSError):\n        return False\n    try:\n        dead",
        "    except (Timeout, OSError):\n        pass\n    try:\n        dead",
        "test_scratch_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not",
    ),
    Mutant(
        "bytes are synced before their name appears",
        "checkpoints/files.py",
        "        sync_file(source)\n    with around",
        "        pass\n    with around",
        "checkpoints/test_store.py::test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_record",
    ),
    Mutant(
        "a name is synced in its folder",
        "checkpoints/files.py",
        '    with around(f"{what}.sync_folder"):\n        sync_folder(target.parent)',
        '    with around(f"{what}.sync_folder"):\n        pass',
        "checkpoints/test_store.py::test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_record",
    ),
    Mutant(
        "the order of sync and rename",
        "checkpoints/files.py",
        '        sync_file(source)\n    with around(f"{what}.replace"):\n        source.replace(target)\n',
        '        source.replace(target)\n    with around(f"{what}.replace"):\n        sync_file(target)\n',
        "checkpoints/test_store.py::test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_record",
    ),
    Mutant(
        "new folders are synced",
        "checkpoints/files.py",
        '    with around("folder.sync"):\n        sync_folder(path.parent)',
        '    with around("folder.sync"):\n        pass',
        "checkpoints/test_store.py::test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_record",
    ),
    Mutant(
        "outputs appear whole or not at all",
        "checkpoints/files.py",
        "                shutil.copyfile(source, temporary)\n            replace_durably(temporary, target, what)",
        "                shutil.copyfile(source, target)",
        "checkpoints/test_store.py::test_a_copy_is_whole_or_not_there",
    ),
    Mutant(
        "a failed copy leaves no temporary",
        "checkpoints/files.py",
        "            temporary.unlink(missing_ok=True)",
        "            pass",
        "checkpoints/test_store.py::test_a_copy_is_whole_or_not_there",
    ),
    Mutant(
        "what a killed delivery left goes with the next",
        "checkpoints/files.py",
        '        remove_stale_parts(target.parent, f".{glob.escape(target.name)}.*", time.time())\n',
        "",
        "faults/test_kills.py::test_a_run_that_is_killed_again_and_again_resumes_to_the_same_bytes"
        "[while the videos are handed over]",
    ),
    Mutant(
        "a full disk is told from other failures",
        "checkpoints/files.py",
        "    if error.errno in _FULL:",
        "    if False:",
        "checkpoints/test_store.py::test_a_full_disk_is_called_that_and_leaves_nothing_half_made",
    ),
    # The ledger
    Mutant(
        "state and event are one transaction",
        "checkpoints/ledger/ledger.py",
        "points.around(name), self._database.writing() as connection:",
        "points.around(name), self._database.bare() as connection:",
        "checkpoints/test_ledger.py::test_a_change_whose_event_cannot_be_written_did_not_happen",
    ),
    Mutant(
        "commits are synced",
        "checkpoints/ledger/database.py",
        "PRAGMA synchronous=FULL",
        "PRAGMA synchronous=OFF",
        "faults/test_guards.py::test_a_commit_is_on_the_disk_when_it_returns",
    ),
    Mutant(
        "the log is written ahead only where that is sound",
        "checkpoints/ledger/database.py",
        '"wal" if wal_is_sound(module.sqlite_version_info) else "delete"',
        '"wal"',
        "checkpoints/test_ledger.py::test_a_ledger_moves_to_the_rollback_journal_where_only_an_affected_sqlite_is_there",
    ),
    Mutant(
        "a newer ledger is refused",
        "checkpoints/ledger/database.py",
        "if current > VERSION:",
        "if False:",
        "checkpoints/test_ledger.py::test_a_ledger_of_a_newer_version_is_refused_and_left_as_it_is",
    ),
    Mutant(
        "an older ledger is backed up",
        "checkpoints/ledger/database.py",
        '            _back_up(database, path.with_name(f"{path.name}.before-{VERSION}"))',
        "            pass",
        "checkpoints/test_ledger.py::test_an_older_ledger_is_backed_up_whole_before_it_is_changed",
    ),
    Mutant(
        "a ledger's tables are made and migrated in one transaction",
        "checkpoints/ledger/database.py",
        'with around("ledger.upgrade"), database.writing() as connection:',
        'with around("ledger.upgrade"), database.bare() as connection:',
        "checkpoints/test_ledger.py::test_a_migration_that_fails_leaves_no_half_made_tables",
    ),
    # One owner
    Mutant(
        "a job's lock",
        "checkpoints/ownership/locks.py",
        "                lock.acquire(timeout=0.3)",
        "                pass",
        "checkpoints/test_locks.py::test_a_busy_job_names_its_owner_and_is_free_once_he_is_killed",
    ),
    Mutant(
        "a step's lease",
        "checkpoints/ledger/ledger.py",
        "            if isinstance(lease, Held):\n                return lease\n",
        "",
        "checkpoints/test_leases.py::test_a_step_in_the_making_is_not_begun_by_another_run_and_nothing_is_noted",
    ),
    Mutant(
        "the fence of a lease that was lost",
        "checkpoints/ledger/ledger.py",
        "            if not leases.let_go(connection, lease):\n                return False\n",
        "            leases.let_go(connection, lease)\n",
        "checkpoints/test_leases.py::test_whoever_lost_his_lease_cannot_commit_and_the_new_owner_can",
    ),
    # Work
    Mutant(
        "artifacts are verified before they are used again",
        "pipeline/engine/step_results.py",
        "if not self._place(made.digest).verify(made)]",
        "if not self._place(made.digest).path(made.digest).exists()]",
        "faults/test_guards.py::test_a_flipped_bit_is_found_out_and_its_step_alone_is_made_again",
    ),
    Mutant(
        "artifacts are published before their record",
        "pipeline/engine/step_results.py",
        "            artifacts={name: _with_room(make_room, publish, path) for name, path in outcome.files.items()},\n",
        "            artifacts={name: _named(path) for name, path in outcome.files.items()},\n",
        "faults/test_kills.py::test_a_run_that_is_killed_again_and_again_resumes_to_the_same_bytes"
        "[between artifact, record and row]",
        also=(
            "        _with_room(make_room, self.store.put_record, record)\n",
            "        _with_room(make_room, self.store.put_record, record)\n"
            "        for path in outcome.files.values():\n            publish(path)\n",
        ),
        tail="""

def _named(path):
    from checkpoints.keys import file_digest
    from checkpoints.records import Artifact

    digest, size = file_digest(path)
    return Artifact(digest=digest, size=size)
""",
    ),
    Mutant(
        "the record is in the store before the row is in the ledger",
        "pipeline/engine/step_results.py",
        "        _with_room(make_room, self.store.put_record, record)\n",
        "",
        "faults/test_kills.py::test_a_run_that_is_killed_again_and_again_resumes_to_the_same_bytes"
        "[between artifact, record and row]",
    ),
    Mutant(
        "the store is asked where the ledger does not know a result",
        "pipeline/engine/step_results.py",
        " or self.store.get_record(step.key)",
        "",
        "faults/test_kills.py::test_a_run_that_is_killed_again_and_again_resumes_to_the_same_bytes"
        "[between artifact, record and row]",
    ),
    Mutant(
        "an output that is not as it was is delivered again",
        "pipeline/engine/delivery.py",
        "file_digest(target) == (artifact.digest, artifact.size)",
        "True",
        "faults/test_guards.py::test_an_output_that_was_changed_is_delivered_again",
    ),
    Mutant(
        "a shortage steps quality down",
        "pipeline/engine/recovery.py",
        "if not isinstance(error, ResourceError | RenderExhaustedError) or not step.export:",
        "if True:",
        "pipeline/engine/test_runner.py::test_two_steps_that_run_short_at_once_step_down_one_level_only",
    ),
    Mutant(
        "an encoder that fails every time is given less to do",
        "pipeline/engine/recovery.py",
        "if not isinstance(error, ResourceError | RenderExhaustedError) or not step.export:",
        "if not isinstance(error, ResourceError) or not step.export:",
        "pipeline/engine/test_runner.py::test_an_encoder_that_fails_every_time_is_given_less_to_do",
    ),
    Mutant(
        "an encoder that makes nothing ends the run",
        "pipeline/engine/scheduler.py",
        "len(self._given_up) >= _BROKEN",
        "False",
        "pipeline/engine/test_runner.py::test_an_encoder_that_makes_nothing_at_all_is_not_tried_with_every_scene",
    ),
    Mutant(
        "one scene that no encoder takes is no broken encoder",
        "pipeline/engine/scheduler.py",
        "_BROKEN = 3",
        "_BROKEN = 2",
        "pipeline/engine/test_runner.py::test_one_scene_that_no_encoder_can_take_does_not_keep_the_others_from_being_made",
    ),
    # Circuits
    Mutant(
        "a test that hangs holds its circuit no longer than the half-open period",
        "pipeline/resilience/breakers/circuit.py",
        "is_over = now.monotonic_s >= row.probe_until",
        "is_over = False",
        "pipeline/resilience/test_breakers.py::test_a_test_that_hangs_holds_the_circuit_for_the_half_open_period_and_no_longer",
    ),
    Mutant(
        "an answer that comes after its test's permit has ended counts",
        "pipeline/resilience/breakers/circuit.py",
        "not (has_permit or sheet.row.generation == permit.generation)",
        "not has_permit",
        "pipeline/resilience/test_breakers.py::test_a_test_that_fails_after_its_permit_has_ended_still_opens_the_circuit",
    ),
    Mutant(
        "a call waits for the test that another one makes",
        "pipeline/resilience/provider_call.py",
        "return error.is_tested and waited_s < self.policy.breaker.half_open_duration_s",
        "return False",
        "pipeline/resilience/test_guard_rests.py::test_a_call_waits_for_the_test_that_another_one_makes_instead_of_going_elsewhere",
    ),
    Mutant(
        "a reset lifts the provider's rest",
        "pipeline/cli/commands/breakers_command.py",
        "if _is_meant(name, *_names_of(rest)):",
        "if _is_meant(name, rest.provider):",
        "pipeline/cli/test_breakers_command.py::test_a_rest_of_the_provider_is_lifted_with_its_circuit",
    ),
    Mutant(
        "a batch in which nothing failed does not end as if something had",
        "pipeline/batch.py",
        'return ExitCode.SOME_FAILED if end == "failed" else EXIT_CODES[end]',
        'return ExitCode.SOME_FAILED if end in ("failed", "parked") else EXIT_CODES[end]',
        "pipeline/cli/test_batch_exit.py::test_the_exit_code_says_what_is_to_be_done_next",
    ),
    # Failures on purpose
    Mutant(
        "an open circuit is waited for where nobody could do it in its place",
        "pipeline/resilience/provider_call.py",
        "if stands_alone(self.operation, self.provider.name):",
        "if False:",
        "pipeline/resilience/test_guard_rests.py::test_the_circuit_of_software_on_this_machine_is_waited_for",
    ),
    Mutant(
        "the last resort is spared",
        "pipeline/resilience/fault_injection.py",
        "is_spared = tries is not None and self._failed[name] >= tries - 1",
        "is_spared = False",
        "pipeline/resilience/test_simulate.py::test_the_last_try_of_what_nothing_comes_after_is_left_alone",
    ),
    Mutant(
        "circuits opened on purpose are the run's own",
        "pipeline/api.py",
        "circuits=None if shaken else Circuits(self.home.ledger_file)",
        "circuits=Circuits(self.home.ledger_file)",
        "pipeline/resilience/test_shaken_home.py::test_a_simulated_failure_is_heeded_by_its_own_run_only",
    ),
    Mutant(
        "the last stand-in is spared",
        "pipeline/engine/step_executor.py",
        'faults.tries = 1 if resort.kind == "basic" else None',
        "faults.tries = None",
        "pipeline/resilience/test_last_resorts.py::test_failures_on_purpose_leave_the_plainest_stand_in_alone_unless_settings_say_otherwise",
    ),
    Mutant(
        "a stopped call counts nowhere",
        "pipeline/observability/telemetry.py",
        'if event.data.get("code") == CancelledError.code:',
        "if False:",
        "pipeline/observability/test_telemetry.py::test_the_guides_figures_count_retries_attempts_and_fallbacks",
    ),
    Mutant(
        "clips are decoded before the work",
        "pipeline/engine/preflight_media.py",
        "        check_clip(visual.path, longest_s)",
        "        pass",
        "stages/brief/test_own_media.py::test_a_clip_that_breaks_in_the_middle_is_named_with_scene_and_second_before_the_work",
    ),
    Mutant(
        "the sound waits until it is known what is a clip",
        "pipeline/planning/plan.py",
        " or self._unseen:",
        ":",
        "stages/render/test_clip_sound.py::test_the_sound_waits_for_the_picture_of_a_scene_that_may_be_a_clip",
    ),
    Mutant(
        "space is looked at before the work",
        "pipeline/engine/preflight.py",
        "    if free < need:",
        "    if False:",
        "faults/test_full_disk.py::test_a_disk_that_is_too_small_from_the_start_is_told_before_any_work",
    ),
    # Processes
    Mutant(
        "ffmpeg dies with the run",
        "stages/render/ffmpeg/child.py",
        "                [*bound, *command],\n",
        "                [*command],\n",
        "stages/render/test_process.py::test_ffmpeg_dies_with_the_program_however_that_dies",
    ),
    Mutant(
        "ffmpeg dies with the run where nothing does that for it",
        "stages/render/ffmpeg/child.py",
        "        prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)\n",
        "",
        "stages/render/test_process.py::test_ffmpeg_dies_with_the_program_however_that_dies",
    ),
    Mutant(
        "ffmpeg goes first where memory runs out",
        "stages/render/ffmpeg/child.py",
        '            Path(f"/proc/{child.pid}/oom_score_adj").write_text(_FIRST_TO_GO)\n',
        "            pass\n",
        "faults/test_guards.py::test_an_encoder_is_the_first_to_go_where_memory_runs_out",
    ),
    Mutant(
        "the packaged ffmpeg is never changed for another",
        "stages/render/ffmpeg/process.py",
        "    if packaged and",
        "    if False and",
        "faults/test_guards.py::test_a_trial_that_is_killed_does_not_change_the_ffmpeg",
    ),
    Mutant(
        "a stalled ffmpeg is killed",
        "stages/render/ffmpeg/process.py",
        "                self.stalled = True\n                self._kill()\n",
        "                self.stalled = True\n",
        "stages/render/test_process.py::test_an_ffmpeg_that_reports_the_same_frame_for_ever_is_stuck",
    ),
    Mutant(
        "a kill for want of memory is no failure to try again",
        "stages/render/ffmpeg/process.py",
        "killed and oom_kills() > kills_before",
        "False",
        "stages/render/test_process.py::test_a_kill_for_want_of_memory_is_no_matter_of_trying_again",
    ),
    Mutant(
        "a signal stops the run",
        "pipeline/cli/terminal/signals.py",
        "        threading.Thread(target=self._cancel, args=(_reason(self.caught),), daemon=True).start()\n",
        "",
        "pipeline/cli/test_cli_signals.py::test_a_signal_stops_a_run_and_leaves_its_document",
    ),
    Mutant(
        "a run that does not stop is ended",
        "pipeline/cli/terminal/signals.py",
        "            pass\n        self._give_up()",
        "            return\n        self._give_up()",
        "pipeline/cli/test_cli_signals.py::test_a_run_that_does_not_stop_is_ended_within_two_seconds_and_noted",
    ),
    # Media
    Mutant(
        "a segment's number of frames, before it counts",
        "stages/render/frames/segment.py",
        "    if wanted != got:",
        "    if False:",
        "stages/render/test_segment.py::test_a_short_segment_never_counts",
    ),
    Mutant(
        "a segment's number of frames, at the join",
        "stages/render/output/join.py",
        '        ("frames", facts.frames, frames),\n',
        "",
        "stages/render/test_join.py::test_a_segment_that_does_not_fit_is_named",
    ),
    Mutant(
        "segments are alike",
        "stages/render/output/join.py",
        "        if found != usual:",
        "        if False:",
        "stages/render/test_join.py::test_the_odd_one_out_is_to_blame_even_where_it_comes_first",
    ),
    Mutant(
        "the finished video's number of frames",
        "stages/render/output/check.py",
        "video.frames, video.frames if wanted.frames is None else wanted.frames",
        "video.frames, video.frames",
        "stages/render/test_join.py::test_a_joined_file_that_ends_early_is_found",
    ),
    # Keys
    Mutant(
        "the ffmpeg binary is in the keys",
        "stages/render/encoders/encoder.py",
        '{"ffmpeg": ffmpeg_identity(), "encoder": self.name}',
        '{"encoder": self.name}',
        "stages/render/test_segment.py::test_the_encoder_says_what_its_bytes_depend_on",
    ),
    Mutant(
        "the encoder is in the keys of segments",
        "pipeline/planning/step_keys.py",
        '"encoder": dict(toolbox.encoder_identity),\n        "code": _render_code(),\n        "libraries": _versions((*_DRA',
        '"code": _render_code(),\n        "libraries": _versions((*_DRA',
        "pipeline/planning/test_plan.py::test_who_does_a_stages_work_is_in_its_keys",
    ),
    Mutant(
        "fonts are in the keys of segments",
        "pipeline/planning/step_keys.py",
        '        "fonts": toolbox.font_identity if spec.cues else "",\n',
        "",
        "pipeline/planning/test_plan.py::test_who_does_a_stages_work_is_in_its_keys",
    ),
    Mutant(
        "our own code is in the keys",
        "pipeline/planning/step_keys.py",
        "return code_digest(*_RENDER_CODE)",
        'return ""',
        "faults/test_guards.py::test_another_version_of_our_code_makes_its_own_results",
    ),
    Mutant(
        "a picture counts by its bytes",
        "pipeline/planning/step_keys.py",
        "        return _digest(path, (found.st_size, found.st_mtime_ns, found.st_ino))",
        "        return str(path)",
        "pipeline/planning/test_plan.py::test_a_file_counts_by_its_bytes_and_not_by_its_place",
    ),
)


def survives(mutant: Mutant) -> str:
    """Why a mutant was not caught; empty when its test failed as it should."""
    with tempfile.TemporaryDirectory(prefix="framekeep-mutant-") as folder:
        copy_tree(Path(folder))
        path = Path(folder) / mutant.file
        text = path.read_text(encoding="utf-8")
        for old, new in mutant.changes:
            if text.count(old) != 1:
                return f"its text stands {text.count(old)} times in {mutant.file}"
            text = text.replace(old, new)
        path.write_text(text + mutant.tail, encoding="utf-8")
        code, output = run_test(Path(folder), mutant.test)
    if code == _FAILED and " failed" in output:
        return ""
    return f"{mutant.test} ended with {code}:\n{output[-2000:]}"


def run_test(folder: Path, *tests: str) -> tuple[int, str]:
    """pytest's exit code and output for tests of a copy, which imports the copy's code."""
    command = [sys.executable, "-m", "pytest", "-x", "-m", "faults or not faults", *(f"tests/{test}" for test in tests)]
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=_PATIENCE_S, check=False
    )
    return done.returncode, done.stdout + done.stderr


def copy_tree(target: Path) -> None:
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, target / name, ignore=shutil.ignore_patterns("__pycache__", "golden", "*.mp4"))
    for name in FILES:
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, target / name)


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("words", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args(arguments)
    chosen = [one for one in MUTANTS if not options.words or any(word in one.guard for word in options.words)]
    with tempfile.TemporaryDirectory(prefix="framekeep-mutant-") as folder:
        copy_tree(Path(folder))
        code, output = run_test(Path(folder), *dict.fromkeys(one.test for one in chosen))
        if code:
            print(f"The tests fail without any mutation:\n{output[-4000:]}")
            return 1
    alive = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for mutant, why in zip(chosen, pool.map(survives, chosen), strict=True):
            alive += bool(why)
            print(f"{'ALIVE ' if why else 'caught'}  {mutant.guard}  ({mutant.test.partition('[')[0]})", flush=True)
            if why:
                print(f"        {why}", flush=True)
    print(f"{len(chosen) - alive} of {len(chosen)} mutants caught")
    return 1 if alive else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
