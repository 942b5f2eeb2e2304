"""`framekeep config keys`: where each API key is found, and keeping one in the system's keyring. No key is ever shown."""

from __future__ import annotations

import os
import sys

from config.errors import SettingsError, UsageError
from config.exit_codes import ExitCode
from config.secret_text import clean_key
from config.section import squashed
from pipeline.cli.command_options import Common
from pipeline.cli.terminal import console


def list_keys(common: Common) -> int:
    """Show for each provider where its key comes from."""
    from config.secret_keys import find_key

    rows = []
    for name, account in common.load(check_keys=False).settings.providers.accounts().items():
        try:
            _key, source = find_key(name, account, os.environ)
            problem = ""
        except SettingsError as error:
            source, problem = "", error.message
        rows.append({"provider": name, "source": source, "variable": account.key_variable, "problem": problem})
    if common.json:
        console.out_json({"keys": rows})
    else:
        table = [(row["provider"], row["source"] or row["problem"] or "none", row["variable"]) for row in rows]
        console.out_table(("PROVIDER", "KEY FROM", "VARIABLE"), table)
    return ExitCode.DONE


def set_key(common: Common, name: str) -> int:
    """Keep the key that is typed, or that stands on stdin, in the system's keyring."""
    from config.secret_keys import SERVICE, write_keyring

    name = _known(common, name)
    try:
        key, problem = clean_key(_read_key(name)), "No key was given"
    except ValueError as error:
        key, problem = "", f"This cannot be a key: {error}"
    if not key:
        raise UsageError(problem, hint=f"framekeep config keys --set {name} < file-with-the-key")
    write_keyring(name, key)
    return _done(common, name, f"the key of {name} is kept in the keyring, under {SERVICE}", kept=True)


def remove_key(common: Common, name: str) -> int:
    """Remove a key from the system's keyring."""
    from config.secret_keys import delete_from_keyring

    name = _known(common, name)
    was_there = delete_from_keyring(name)
    text = f"the key of {name} is removed from the keyring" if was_there else f"the keyring holds no key of {name}"
    return _done(common, name, text, kept=False)


def _known(common: Common, name: str) -> str:
    known = list(common.load(check_keys=False).settings.providers.accounts())
    for candidate in known:
        if squashed(candidate) == squashed(name):
            return candidate
    raise UsageError(f"'{name}' is no provider that takes a key", hint=f"one of: {', '.join(known)}")


def _read_key(name: str) -> str:
    """Hidden on a terminal; never an argument, which other users could see and the shell's history would keep."""
    if sys.stdin.isatty():
        import getpass

        return getpass.getpass(f"Key of {name}: ")
    return sys.stdin.read(10_000)


def _done(common: Common, name: str, text: str, *, kept: bool) -> int:
    if common.json:
        console.out_json({"provider": name, "kept": kept})
    else:
        console.out(text)
    return ExitCode.DONE
