"""Looks whether everything that a render needs is there and works, by trying it, and says what to do where it does not.

Looking makes nothing: no home, no ledger. Services are asked for what costs nothing, and only those that settings name.
"""

from __future__ import annotations

import contextlib
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from config.errors import FramekeepError, SettingsError

if TYPE_CHECKING:
    from config.loader import Loaded
    from pipeline.health.findings import Health
    from pipeline.home import Home

Status = Literal["ok", "warn", "fail", "skip"]

_GB = 1_000_000_000
_DISK_FAIL, _DISK_WARN = 0.3 * _GB, 3 * _GB
# One encoder at 1080p takes 300 MB, at 480p 116 MB; Python beside it 200 MB.
_MEMORY_FAIL, _MEMORY_WARN = 0.3 * _GB, 0.8 * _GB
_NETWORK_DISKS = frozenset({"nfs", "nfs4", "cifs", "smbfs", "smb3", "fuse.sshfs", "9p", "afpfs", "webdav"})


@dataclass(frozen=True)
class Finding:
    """What one check found. `hint` is what to do about a `warn` or a `fail`.

    `skip` is a check that settings switch off, or that cannot be made now. `provider` is whom it is about, where it is about one,
    and `health` that one's state.
    """

    check: str
    status: Status
    message: str
    hint: str = ""
    provider: str = ""
    health: Health | Literal[""] = ""


Findings = Iterator[Finding]


def examine(
    root: Path | None, load: Callable[[], Loaded], found: Callable[[Finding], None], *, deep: bool = False
) -> None:
    """Run every check on the home at `root` with the settings that `load` gives; `found` hears of each finding at once.

    `deep` also reads every artifact in the store and checks its hash.
    """
    from config.settings import Settings
    from pipeline.health import home_checks, provider_checks, tool_checks
    from pipeline.health.findings import switched_off
    from pipeline.home import Home

    home = Home(root)
    settings = Settings()
    loaded: list[Loaded] = []

    def read_settings() -> Findings:
        yield from check_settings(load, loaded)

    _run("python", check_python, found)
    _run("names", check_names, found)
    _run("settings", read_settings, found)
    settings = loaded[0].settings if loaded else settings
    _run("home", lambda: check_home(home), found)
    _run("disk", lambda: check_disk(home), found)
    _run("memory", check_memory, found)
    _run("clock", lambda: home_checks.check_clock(home, time.time()), found)
    try:
        _run("ledger", lambda: home_checks.check_ledger(home), found)
        _run("store", lambda: home_checks.check_store(home, deep=deep), found)
        _run("circuits", lambda: home_checks.check_circuits(home), found)
        _run("rests", lambda: home_checks.check_rests(home, settings), found)
        _run("fonts", tool_checks.check_fonts, found)
        checks = settings.health_checks
        executes = checks.ffmpeg.test_execution
        off = switched_off(checks, "FFmpeg")
        _run("ffmpeg", lambda: tool_checks.check_ffmpeg(execute=executes), found, off)
        off = off or ("" if executes else "HealthChecks.FFmpeg.TestExecution")
        _run("encoders", lambda: tool_checks.check_encoders(settings), found, off)
        off = switched_off(checks, "Providers")
        _run("script", lambda: provider_checks.check_script(settings), found, off)
        _run("speech", lambda: provider_checks.check_speech(settings), found, off)
        _run("pictures", lambda: provider_checks.check_pictures(settings), found, off)
    finally:
        home.close()


def _run(name: str, check: Callable[[], Findings], found: Callable[[Finding], None], off: str = "") -> None:
    """A check that breaks is a finding; the others still run. `off` names the setting by which it is not to run."""
    if off:
        found(Finding(name, "skip", f"not checked: {off} is off"))
        return
    try:
        for finding in check():
            found(finding)
    except FramekeepError as error:
        found(Finding(name, "fail", error.message, error.hint))
    except Exception as error:  # noqa: BLE001 - a doctor that falls over tells nothing
        found(Finding(name, "fail", f"the check itself failed: {type(error).__name__}: {error}"))


def check_python() -> Findings:
    """Which Python and system, and whether file names can hold any character."""
    yield Finding("python", "ok", f"{platform.python_version()} on {platform.system()} {platform.machine()}")
    encoding = sys.getfilesystemencoding()
    if encoding.lower() not in ("utf-8", "utf8"):
        yield Finding("python", "warn", f"file names are written as {encoding}, not UTF-8", "export LC_ALL=C.UTF-8")


def check_names(folder: Path | None = None) -> Findings:
    """Whether files beside a script of the user's would hide our packages from it."""
    from pipeline.import_check import PACKAGES, shadows

    hidden = shadows()
    for name, origin in hidden:
        yield Finding("names", "fail", f"the package '{name}' is hidden by {origin}", "rename that file or folder")
    ours = Path(__file__).resolve().parents[2]
    here = (folder or Path.cwd()).resolve()
    clashes = [] if here == ours else [path for path in _clashing(here, PACKAGES) if path.exists()]
    for path in clashes:
        yield Finding(
            "names",
            "warn",
            f"a Python script in {here} that imports Framekeep would find {path.name} in place of Framekeep's "
            f"'{path.stem}'",
            "rename it, or keep the script elsewhere; the framekeep command is not affected",
        )
    if not hidden and not clashes:
        yield Finding("names", "ok", "nothing here has the name of a package of Framekeep's")


def _clashing(folder: Path, packages: tuple[str, ...]) -> Iterator[Path]:
    for name in packages:
        yield folder / f"{name}.py"
        # A folder without Python files hides nothing: a regular package found later comes first.
        yield folder / name / "__init__.py"


def check_settings(load: Callable[[], Loaded], loaded: list[Loaded]) -> Findings:
    """Whether all sources of settings hold together; puts what was loaded into `loaded`."""
    try:
        loaded.append(load())
    except SettingsError as error:
        yield Finding("settings", "fail", error.message, error.hint)
        return
    sources = sorted(set(loaded[0].origins.values()))
    yield Finding("settings", "ok", f"from {', '.join(sources)}" if sources else "all at their defaults")


def check_home(home: Home) -> Findings:
    """Whether state can be kept there."""
    place = _existing(home.root)
    probe_error = _write_error(place)
    if probe_error:
        yield Finding("home", "fail", f"cannot write into {place}: {probe_error}", "choose another with --home")
        return
    state = "" if home.root.exists() else " (made by the first render)"
    yield Finding("home", "ok", f"{home.root}{state}")
    kind = _disk_kind(place)
    if kind in _NETWORK_DISKS:
        yield Finding(
            "home",
            "warn",
            f"{home.root} is on a network disk ({kind}), where locks are not reliable",
            "choose a local folder with --home",
        )


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _write_error(folder: Path) -> str:
    if not folder.is_dir():
        return "it is not a folder"
    try:
        with tempfile.TemporaryFile(dir=folder):
            return ""
    except OSError as error:
        return error.strerror or str(error)


def _disk_kind(path: Path) -> str:
    import psutil

    resolved = path.resolve()
    with contextlib.suppress(OSError):
        mounts = {Path(part.mountpoint): part.fstype for part in psutil.disk_partitions(all=True)}
        return next((mounts[folder] for folder in (resolved, *resolved.parents) if folder in mounts), "")
    return ""


def check_disk(home: Home) -> Findings:
    """Space where state is kept and where videos go unless told otherwise."""
    import shutil

    for what, folder in (("home", home.root), ("this folder", Path.cwd())):
        free = shutil.disk_usage(_existing(folder)).free
        status: Status = "fail" if free < _DISK_FAIL else "warn" if free < _DISK_WARN else "ok"
        hint = "framekeep gc --dry-run shows what could go" if status != "ok" else ""
        yield Finding("disk", status, f"{free / _GB:.1f} GB free for {what}", hint)


def check_memory() -> Findings:
    """What this process may still take, control groups included."""
    free = available_memory()
    status: Status = "fail" if free < _MEMORY_FAIL else "warn" if free < _MEMORY_WARN else "ok"
    hint = "close other programs, or: --jobs 1 --quality low" if status != "ok" else ""
    yield Finding("memory", status, f"{free / _GB:.1f} GB available, {_cores()} cores", hint)


def available_memory(groups: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> int:
    """The least of what the machine has left and what each control group above this process leaves, in bytes."""
    import psutil

    least = int(psutil.virtual_memory().available)
    with contextlib.suppress(OSError, ValueError):
        for line in own.read_text().splitlines():
            number, controllers, path = line.split(":", 2)
            if number == "0":
                root, names = groups, ("memory.max", "memory.current")
            elif "memory" in controllers.split(","):
                root, names = groups / "memory", ("memory.limit_in_bytes", "memory.usage_in_bytes")
            else:
                continue
            folder = root / path.lstrip("/")
            for place in (folder, *folder.parents):
                if place.is_relative_to(root):
                    least = min(least, _group_leaves(place, *names))
    return least


def _group_leaves(folder: Path, limit_name: str, usage_name: str) -> int:
    """Bytes up to a group's limit; what its files keep in memory can be taken back and counts as free."""
    with contextlib.suppress(OSError, ValueError):
        limit = int((folder / limit_name).read_text())
        usage = int((folder / usage_name).read_text())
        cached = 0
        for line in (folder / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                cached = int(line.split()[1])
        return max(0, limit - usage + cached)
    return sys.maxsize


def _cores() -> int:
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1
