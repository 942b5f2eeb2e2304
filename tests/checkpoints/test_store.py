"""The artifact store: whole or not at all, verified before use, and not to be fooled."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from checkpoints import files
from checkpoints.keys import file_digest
from checkpoints.records import Artifact, Record
from checkpoints.store.store import TOUCH_EVERY_S, Store
from config.errors import DiskFullError, StoreError, UsageError

KEY = hashlib.sha256(b"a step").hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> Store:
    made = Store(tmp_path / "store")
    made.prepare()
    return made


def put(store: Store, data: bytes) -> Artifact:
    with store.scratch() as folder:
        source = folder / "out"
        source.write_bytes(data)
        return store.publish(source)


def record_of(*artifacts: Artifact, key: str = KEY) -> Record:
    return Record(
        key=key, stage="speech", artifacts={str(i): item for i, item in enumerate(artifacts)}, facts={"s": 1.5}
    )


def overwrite(path: Path, data: bytes) -> None:
    path.chmod(0o644)
    path.write_bytes(data)


# Artifacts


def test_a_published_file_is_named_by_its_content_and_cannot_be_written(store: Store) -> None:
    artifact = put(store, b"some frames")
    path = store.path(artifact.digest)
    assert artifact == Artifact(digest=hashlib.sha256(b"some frames").hexdigest(), size=11)
    assert path.read_bytes() == b"some frames"
    assert path.stat().st_mode & 0o222 == 0
    assert store.verify(artifact)
    assert [(digest, size) for digest, size, _ in store.artifacts()] == [(artifact.digest, 11)]


def test_publishing_moves_the_file_also_where_the_content_is_there_already(store: Store, tmp_path: Path) -> None:
    for _ in range(2):
        source = tmp_path / "out"
        source.write_bytes(b"twice")
        artifact = store.publish(source)
        assert not source.exists()
        assert store.path(artifact.digest).read_bytes() == b"twice"
    assert len(list(store.artifacts())) == 1


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: overwrite(path, path.read_bytes()[:-1]),
        lambda path: overwrite(path, b"x" + path.read_bytes()[1:]),
        lambda path: overwrite(path, path.read_bytes() + b"x"),
        lambda path: overwrite(path, b""),
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
    ],
    ids=["truncated", "altered", "longer", "empty", "missing", "a folder"],
)
@pytest.mark.parametrize("fresh", [False, True], ids=["same process", "fresh process"])
def test_a_damaged_artifact_does_not_verify(store: Store, harm: Callable[[Path], Any], fresh: bool) -> None:
    artifact = put(store, b"0123456789")
    assert store.verify(artifact)
    harm(store.path(artifact.digest))
    looking = Store(store.root) if fresh else store
    assert not looking.verify(artifact)
    looking.discard_damaged(artifact)
    assert not looking.path(artifact.digest).exists()
    assert put(looking, b"0123456789") == artifact
    assert looking.verify(artifact)


def test_a_flipped_bit_that_keeps_size_and_time_is_found_by_a_fresh_process(store: Store) -> None:
    artifact = put(store, b"0123456789")
    path = store.path(artifact.digest)
    before = path.stat()
    path.chmod(0o644)
    with path.open("r+b") as file:
        file.write(b"1")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert not Store(store.root).verify(artifact)


def test_two_artifacts_that_changed_places_are_both_found(store: Store, tmp_path: Path) -> None:
    one, two = put(store, b"number one"), put(store, b"number two")
    spare = tmp_path / "spare"
    store.path(one.digest).rename(spare)
    store.path(two.digest).rename(store.path(one.digest))
    spare.rename(store.path(two.digest))
    assert [store.verify(item) for item in (one, two)] == [False, False]


def test_an_artifact_of_another_size_than_recorded_does_not_verify(store: Store) -> None:
    artifact = put(store, b"0123456789")
    assert not store.verify(artifact.model_copy(update={"size": 9}))


def test_publishing_again_repairs_a_damaged_artifact(store: Store) -> None:
    artifact = put(store, b"0123456789")
    overwrite(store.path(artifact.digest), b"0123456780")
    assert put(store, b"0123456789") == artifact
    assert Store(store.root).verify(artifact)


def test_an_unchanged_file_is_hashed_once_in_a_process(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    artifact = put(store, b"0123456789")
    hashed: list[Path] = []

    def counting(path: Path) -> tuple[str, int]:
        hashed.append(path)
        return file_digest(path)

    monkeypatch.setattr("checkpoints.store.store.file_digest", counting)
    assert all(store.verify(artifact) for _ in range(3))
    assert hashed == []
    fresh = Store(store.root)
    assert all(fresh.verify(artifact) for _ in range(3))
    assert hashed == [store.path(artifact.digest)]


def test_verifying_an_old_artifact_marks_it_as_used(tmp_path: Path) -> None:
    now = [1_000_000.0]
    store = Store(tmp_path, wall=lambda: now[0])
    artifact = put(store, b"old")
    path = store.path(artifact.digest)
    os.utime(path, (now[0], now[0]))
    now[0] += TOUCH_EVERY_S - 1
    assert store.verify(artifact)
    assert path.stat().st_mtime == 1_000_000.0
    now[0] += 2
    assert store.verify(artifact)
    assert path.stat().st_mtime == now[0]
    assert store.discard_unused(artifact.digest, now[0] - 1) == 0
    assert path.exists()
    assert store.discard_unused(artifact.digest, now[0]) == 3
    assert not path.exists()
    assert store.discard_unused(artifact.digest, now[0]) == 0


def test_a_strict_umask_is_kept(tmp_path: Path) -> None:
    old = os.umask(0o077)
    try:
        store = Store(tmp_path / "private")
        store.prepare()
        artifact = put(store, b"mine")
        store.put_record(record_of(artifact))
    finally:
        os.umask(old)
    for path in (tmp_path / "private").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert store.path(artifact.digest).stat().st_mode & 0o777 == 0o400
    assert store.verify(artifact)


# The order of things on the disk


class Disk:
    """Writes down what is synced and moved, and fails or stops where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
        self.log: list[tuple[str, str]] = []
        self.stop_at: tuple[str, str] | None = None
        self.error: BaseException = OSError(errno.ENOSPC, "No space left on device")
        self._root = root
        self._opened: dict[int, str] = {}
        real_open, real_sync, real_replace = os.open, os.fsync, Path.replace

        def opening(path: Any, *args: Any, **more: Any) -> int:
            handle = real_open(path, *args, **more)
            self._opened[handle] = self._kind(Path(path)) if not isinstance(path, int) else "?"
            return handle

        def syncing(handle: int) -> None:
            self._note("sync", self._opened.get(handle, "?"))
            real_sync(handle)

        def replacing(path: Path, target: Path) -> Path:
            self._note("replace", self._kind(target))
            return real_replace(path, target)

        monkeypatch.setattr(os, "open", opening)
        monkeypatch.setattr(os, "fsync", syncing)
        monkeypatch.setattr(Path, "replace", replacing)

    def _kind(self, path: Path) -> str:
        if path.is_dir():
            return str(path.relative_to(self._root)).split("/")[0] + "/" if path != self._root else "/"
        if path.suffix == ".part":
            return "record"
        return {"objects": "object", "records": "record", "tmp": "scratch"}.get(
            path.relative_to(self._root).parts[0], "?"
        )

    def _note(self, what: str, kind: str) -> None:
        if self.stop_at == (what, kind):
            raise self.error
        self.log.append((what, kind))


@pytest.fixture
def disk(store: Store, monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch, store.root)


def publish_with_record(store: Store, data: bytes) -> Artifact:
    artifact = put(store, data)
    store.put_record(record_of(artifact))
    return artifact


def test_bytes_reach_the_disk_before_their_name_and_the_name_before_the_record(store: Store, disk: Disk) -> None:
    publish_with_record(store, b"frames")
    assert disk.log == [
        ("sync", "objects/"),  # the new shelf
        ("sync", "scratch"),
        ("replace", "object"),
        ("sync", "objects/"),
        ("sync", "records/"),  # the new shelf
        ("sync", "record"),
        ("replace", "record"),
        ("sync", "records/"),
    ]


def test_a_crash_between_artifact_and_record_leaves_a_harmless_orphan(store: Store, disk: Disk) -> None:
    class PowerCut(BaseException):
        pass

    disk.stop_at, disk.error = ("replace", "record"), PowerCut()
    with pytest.raises(PowerCut):
        publish_with_record(store, b"frames")
    after = Store(store.root)
    digest = hashlib.sha256(b"frames").hexdigest()
    assert after.get_record(KEY) is None
    assert list(after.records()) == []
    assert after.verify(Artifact(digest=digest, size=6))
    disk.stop_at = None
    assert publish_with_record(after, b"frames").digest == digest
    assert after.get_record(KEY) is not None


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize(
    "stop_at", [("sync", "scratch"), ("replace", "object"), ("replace", "record"), ("sync", "record")]
)
def test_a_full_disk_is_called_that_and_leaves_nothing_half_made(
    store: Store, disk: Disk, stop_at: tuple[str, str], number: int
) -> None:
    disk.stop_at, disk.error = stop_at, OSError(number, "no space")
    with pytest.raises(DiskFullError, match="No space left while writing") as caught:
        publish_with_record(store, b"frames")
    assert "framekeep resume" in caught.value.hint
    assert caught.value.exit_code == 75
    assert store.get_record(KEY) is None
    assert [path for path in store.root.rglob("*") if path.is_file() and path.parent.parent.name != "objects"] == []


def test_another_failure_of_the_disk_names_the_file(store: Store, disk: Disk) -> None:
    disk.stop_at, disk.error = ("replace", "object"), OSError(errno.EIO, "Input/output error")
    with pytest.raises(StoreError, match="Input/output error") as caught:
        put(store, b"frames")
    assert str(store.root / "objects") in str(caught.value)


def test_a_record_that_cannot_be_written_leaves_the_old_one(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    old = record_of(put(store, b"old"))
    store.put_record(old)

    def full(_: Path, __: bytes) -> int:
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFullError):
        store.put_record(old.model_copy(update={"facts": {"s": 2}}))
    assert store.get_record(KEY) == old
    assert list(store.root.rglob("*.part")) == []


def test_a_filesystem_that_cannot_sync_folders_is_good_enough(store: Store, disk: Disk) -> None:
    disk.stop_at, disk.error = ("sync", "objects/"), OSError(errno.EINVAL, "Invalid argument")
    assert store.verify(put(store, b"frames"))


# Records


def test_a_record_comes_back_as_it_was(store: Store) -> None:
    record = Record(
        key=KEY,
        stage="images",
        artifacts={"picture": put(store, b"p")},
        facts={"width": 3, "title": "Größe 🎬", "x": None},
        provider="card",
        degradations=({"stage": "images", "wanted": "a", "got": "b"},),
    )
    store.put_record(record)
    assert Store(store.root).get_record(KEY) == record
    assert list(store.records()) == [record]
    store.forget(KEY)
    store.forget(KEY)
    assert store.get_record(KEY) is None


def test_any_flipped_byte_of_a_record_is_noticed(store: Store) -> None:
    record = record_of(put(store, b"p"))
    store.put_record(record)
    path = next(store.root.rglob("*.json"))
    whole = path.read_bytes()
    for place in range(len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert store.get_record(KEY) is None, whole[:place]
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        assert store.get_record(KEY) is None
    path.write_bytes(whole)
    assert store.get_record(KEY) == record


def test_a_record_under_another_keys_name_does_not_count(store: Store) -> None:
    store.put_record(record_of(put(store, b"p")))
    other = hashlib.sha256(b"another step").hexdigest()
    path = store.root / "records" / other[:2] / f"{other}.json"
    path.parent.mkdir()
    next(store.root.rglob(f"{KEY}.json")).rename(path)
    assert store.get_record(other) is None
    assert list(store.records()) == []


@pytest.mark.parametrize("change", [{"schema_version": 2}, {"surprise": 1}, {"artifacts": {"a": {"digest": "d"}}}])
def test_a_record_of_another_version_counts_as_none(store: Store, change: dict[str, Any]) -> None:
    body = record_of().model_dump(mode="json") | change
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    path = store.root / "records" / KEY[:2] / f"{KEY}.json"
    path.parent.mkdir()
    path.write_text(json.dumps({"record": body, "sha256": hashlib.sha256(text.encode()).hexdigest()}))
    assert store.get_record(KEY) is None


# Scratch


def test_scratch_is_removed_at_the_end_also_after_an_error(store: Store) -> None:
    with contextlib.suppress(KeyError), store.scratch() as folder:
        (folder / "deep").mkdir()
        (folder / "deep" / "file").write_text("x")
        raise KeyError
    assert not folder.exists()
    assert list((store.root / "tmp").iterdir()) == []


CHILD = """
import sys, time
from pathlib import Path
from checkpoints.store.store import Store
with Store(Path(sys.argv[1])).scratch() as folder:
    (folder / "half.mp4").write_bytes(b"x" * 1000)
    print(folder, flush=True)
    time.sleep(60)
"""


def test_scratch_of_a_killed_process_is_swept_and_that_of_a_living_one_is_not(store: Store) -> None:
    with subprocess.Popen([sys.executable, "-c", CHILD, str(store.root)], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        theirs = Path(child.stdout.readline().strip())
        with store.scratch() as ours:
            assert store.sweep() == 0
            assert (theirs / "half.mp4").exists()
            child.kill()
            child.wait()
            assert store.sweep() == 1
            assert not theirs.exists()
            assert ours.exists()
    assert list((store.root / "tmp").iterdir()) == []


def test_scratch_left_by_a_process_with_our_number_is_swept(store: Store) -> None:
    # In containers every run may be process 1.
    left = store.root / "tmp" / f"{os.getpid()}-{'0' * 32}"
    left.mkdir()
    assert store.sweep() == 1
    assert not left.exists()


def test_a_record_that_a_kill_left_half_written_is_swept_with_its_owners_scratch(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Killed(BaseException):
        """As SIGKILL: nothing of ours runs any more."""

    def die(*_: object, **__: object) -> None:
        raise Killed

    record = Record(key="ab" * 32, stage="mix")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", die)
        patch.setattr("checkpoints.store.store.shutil.rmtree", lambda *_, **__: None)
        with pytest.raises(Killed):
            store.put_record(record)
    (left,) = [path for path in (store.root / "tmp").iterdir() if path.is_dir()]
    assert [path.suffix for path in left.iterdir()] == [".part"]
    assert list((store.root / "records").rglob("*.*")) == []
    assert store.sweep() == 1
    assert list((store.root / "tmp").iterdir()) == []


# Several at once

WRITER = """
import sys
from pathlib import Path
from checkpoints.records import Record
from checkpoints.store.store import Store
store = Store(Path(sys.argv[1]))
for number in range(20):
    with store.scratch() as folder:
        (folder / "out").write_bytes(b"content %d" % number * 1000)
        artifact = store.publish(folder / "out")
    store.put_record(Record(key="ab%062d" % number, stage="images", artifacts={"a": artifact}))
    store.sweep()
print("done")
"""


def test_threads_and_processes_may_publish_the_same_content_at_once(store: Store) -> None:
    children = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.root)], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]

    def publish(_: int) -> list[Artifact]:
        return [put(store, b"content %d" % number * 1000) for number in range(20)]

    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(publish, range(3))
    assert [child.communicate(timeout=60)[0] for child in children] == ["done\n", "done\n"]
    assert first == second == third
    assert len(list(store.artifacts())) == 20
    records = list(Store(store.root).records())
    assert len(records) == 20
    assert all(Store(store.root).verify(record.artifacts["a"]) for record in records)
    assert list((store.root / "tmp").iterdir()) == []


# Unusable places


def test_a_store_where_no_folder_can_be_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "store")
    with pytest.raises(StoreError, match=r"Not a directory|File exists") as caught:
        store.prepare()
    assert caught.value.hint
    with pytest.raises(StoreError):
        store.free_bytes()
    with pytest.raises(StoreError), store.scratch():
        pass


def test_free_space_is_that_of_the_filesystem(store: Store) -> None:
    free = os.statvfs(store.root)
    assert store.free_bytes() == pytest.approx(free.f_bavail * free.f_frsize, rel=0.2)


# Whole files elsewhere


def test_a_copy_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, target = tmp_path / "source", tmp_path / "videos" / "a [1].mp4"
    source.write_bytes(b"new")
    files.copy_atomically(source, target)
    assert target.read_bytes() == b"new"
    left = target.with_name(f".{target.name}.dead.part")
    left.write_bytes(b"ne")
    os.utime(left, (1, 1))
    source.write_bytes(b"newer")

    def full(_: Any, to: Path) -> None:
        to.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "no space")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(DiskFullError):
        files.copy_atomically(source, target)
    assert [path.name for path in target.parent.iterdir()] == [target.name]
    assert target.read_bytes() == b"new"


def test_a_users_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"Cannot read .*gone.png: No such file"):
        files.copy_into(tmp_path / "gone.png", tmp_path)
    (tmp_path / "there.png").write_bytes(b"x" * 3_000_000)
    assert files.copy_into(tmp_path / "there.png", tmp_path).read_bytes() == b"x" * 3_000_000


# Against a model

CONTENTS = st.sampled_from([b"", b"a", b"b", b"ab", b"a" * 5000])


class StoreMachine(RuleBasedStateMachine):
    """The store must agree with three dicts, whatever is done to it and however often it is opened again."""

    @initialize(root=st.just(None))
    def start(self, root: None) -> None:
        import tempfile

        self.folder = tempfile.TemporaryDirectory()
        self.store = Store(Path(self.folder.name))
        self.whole: dict[Artifact, bytes] = {}
        self.known: set[Artifact] = set()
        self.records: dict[str, Record] = {}

    @rule(data=CONTENTS)
    def publish(self, data: bytes) -> None:
        artifact = put(self.store, data)
        assert artifact.digest == hashlib.sha256(data).hexdigest()
        self.whole[artifact] = data
        self.known.add(artifact)

    @rule(data=st.data(), harm=st.sampled_from(["cut", "flip", "remove", "discard"]))
    def damage(self, data: st.DataObject, harm: str) -> None:
        if not self.whole:
            return
        artifact = data.draw(st.sampled_from(sorted(self.whole, key=lambda item: item.digest)))
        path = self.store.path(artifact.digest)
        if harm == "discard":
            self.store.discard(artifact.digest)
        elif harm == "remove" or not artifact.size:
            path.unlink()
        else:
            content = path.read_bytes()
            overwrite(path, content[:-1] if harm == "cut" else bytes([content[0] ^ 1]) + content[1:])
            stamp = path.stat().st_mtime_ns + 1_000_000
            os.utime(path, ns=(stamp, stamp))
        del self.whole[artifact]

    @rule(key=st.sampled_from(["aa01", "aa02", "bb01"]), fact=st.integers(0, 2))
    def put_record(self, key: str, fact: int) -> None:
        self.records[key] = record_of(*list(self.known)[:1], key=key).model_copy(update={"facts": {"n": fact}})
        self.store.put_record(self.records[key])

    @rule(key=st.sampled_from(["aa01", "aa02", "bb01"]), tear=st.booleans())
    def lose_record(self, key: str, tear: bool) -> None:
        path = Path(self.folder.name) / "records" / key[:2] / f"{key}.json"
        if tear and path.exists():
            path.write_bytes(path.read_bytes()[:-3])
        else:
            self.store.forget(key)
        self.records.pop(key, None)

    @rule()
    def reopen(self) -> None:
        self.store = Store(Path(self.folder.name))

    @rule()
    def sweep(self) -> None:
        self.store.sweep()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "store"):
            return
        for artifact in self.known:
            assert self.store.verify(artifact) == (artifact in self.whole)
        assert {record.key: record for record in self.store.records()} == self.records
        assert not [*Path(self.folder.name).glob("tmp/*"), *Path(self.folder.name).glob("records/*/*.part")]

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.folder.cleanup()


StoreMachine.TestCase.settings = settings(
    max_examples=15, stateful_step_count=15, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
test_the_store_agrees_with_a_model = StoreMachine.TestCase
