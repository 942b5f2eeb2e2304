"""Every crash point of the product, in the order in which a run comes by. `test_points.py` holds this list to the code."""

from __future__ import annotations

_AROUND = ("before", "after")
_COMMIT = ("before", "commit", "after")

# Passed by every run of the harness's brief.
PASSED: tuple[str, ...] = (
    *(f"job.{part}:{when}" for part in ("lock", "note") for when in _AROUND),
    *(f"ledger.set_journal:{when}" for when in _AROUND),
    *(f"ledger.upgrade:{when}" for when in _COMMIT),
    *(f"folder.{part}:{when}" for part in ("make", "sync") for when in _AROUND),
    *(f"note.{part}:{when}" for part in ("write", "sync", "replace", "sync_folder") for when in _AROUND),
    *(
        f"ledger.{write}:{when}"
        for write in ("save_progress", "put_job", "set_state", "step_started", "attempt")
        for when in _COMMIT
    ),
    *(f"scratch.{part}:{when}" for part in ("lock", "make") for when in _AROUND),
    *(f"artifact.{part}:{when}" for part in ("sync", "replace", "sync_folder") for when in _AROUND),
    *(f"record.{part}:{when}" for part in ("write", "sync", "replace", "sync_folder") for when in _AROUND),
    *(f"scratch.{part}:{when}" for part in ("remove", "unlock") for when in _AROUND),
    *(f"ledger.step_executed:{when}" for when in _COMMIT),
    *(f"output.{part}:{when}" for part in ("copy", "sync", "replace", "sync_folder") for when in _AROUND),
    *(f"ledger.{write}:{when}" for write in ("let_go_all", "keep_only_steps") for when in _COMMIT),
    *(f"job.{part}:{when}" for part in ("forget_note", "unlock") for when in _AROUND),
)

# What an undisturbed run has no reason to pass, by the beginning of its name, and why.
PASSED_ELSEWHERE: dict[str, str] = {
    "artifact.drop_equal": "only where a file of the same bytes is there already: killed there in test_points.py",
    "ledger.back_up": "only where an older ledger is migrated: killed there in test_points.py",
    "ledger.steps_reused": "only where results are reused: killed there in test_points.py",
    "ledger.event": "only where there is something to tell, as that a result was repaired: killed there in test_points.py",
    "ledger.forget_result": "only where an artifact was damaged: killed there in test_points.py",
    "ledger.step_failed": "only where a step fails: killed there in test_full_disk.py",
    "ledger.set_options": "only where quality steps down: killed there in test_full_disk.py",
    "ledger.forget_": "only in a clean-up",
    "ledger.responses_forget": "only in a clean-up",
    "ledger.adopt": "only where a record stands in the store and not in the ledger, and the ledger is rebuilt",
    "ledger.restore_": "only where the ledger is rebuilt",
    "rebuild.": "only where the ledger is rebuilt",
    "ledger.renew_leases": "only by a step that takes longer than five seconds",
    "ledger.let_go": "only where a step ends without a result of its own",
    "ledger.note_refusal": "only where a provider refuses",
    "ledger.purchase_": "only where a call costs money: test_paid_work.py",
    "ledger.request_style": "only where a language model's server is asked: test_asked_again.py",
    "purchase.call": "only where a call costs money: test_paid_work.py",
}
