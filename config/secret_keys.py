"""Where a provider's API key is found: the settings, a file of its own, the SDK's environment variable, the system's keyring."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from config.errors import SettingsError, UsageError
from config.paths import expanded
from config.providers import Account

SERVICE = "framekeep"


def find_key(name: str, account: Account, environ: Mapping[str, str]) -> tuple[SecretStr | None, str]:
    """The key of the provider `name` and where it was found; (None, "") where there is none.

    Raises SettingsError for a key file that cannot be used. The keyring is asked last: it may want to be unlocked.
    """
    if account.api_key and account.api_key.get_secret_value().strip():
        return account.api_key, "settings"
    if account.api_key_file:
        return SecretStr(_from_file(name, account.api_key_file)), str(account.api_key_file)
    if account.key_variable and account.base_url:
        # A key that was given for the makers' service is not sent to another server.
        return None, ""
    if account.key_variable and (found := environ.get(account.key_variable, "").strip()):
        return SecretStr(found), f"environment {account.key_variable}"
    if found := read_keyring(name):
        return SecretStr(found), "keyring"
    return None, ""


def _from_file(name: str, path: Path) -> str:
    path = expanded(path)
    try:
        key = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise SettingsError(
            f"The key of {name} cannot be read from {path}: {reason}",
            problems=[f"Providers.{name}.ApiKeyFile: {path}: {reason}"],
            hint="framekeep config keys",
        ) from None
    if not key or len(key.split()) != 1:
        # The content is not shown: it may be a key with something added.
        problem = "is empty" if not key else "holds more than one word"
        raise SettingsError(
            f"The key of {name} cannot be taken from {path}: the file {problem}",
            problems=[f"Providers.{name}.ApiKeyFile: {path}: {problem}"],
            hint="framekeep config keys",
        )
    return key


def read_keyring(name: str) -> str:
    """The key that the system's keyring holds; empty where it holds none, or where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    # Backends talk to the desktop over a bus of its own and raise what that raises: no key is no reason to stop.
    with contextlib.suppress(KeyringError, OSError, RuntimeError):
        return (keyring.get_password(SERVICE, name.lower()) or "").strip()
    return ""


def write_keyring(name: str, key: str) -> None:
    """Keep a key in the system's keyring. Raises UsageError where there is none."""
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(SERVICE, name.lower(), key)
    except (KeyringError, OSError, RuntimeError) as error:
        raise _no_keyring(error) from error


def delete_from_keyring(name: str) -> bool:
    """Remove a key from the keyring; whether there was one. Raises UsageError where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError, PasswordDeleteError

    try:
        keyring.delete_password(SERVICE, name.lower())
    except PasswordDeleteError:
        return False
    except (KeyringError, OSError, RuntimeError) as error:
        raise _no_keyring(error) from error
    return True


def _no_keyring(error: Exception) -> UsageError:
    from keyring.errors import NoKeyringError

    reason = "this machine has none" if isinstance(error, NoKeyringError) else str(error) or type(error).__name__
    return UsageError(
        f"The system's keyring cannot be used: {reason}",
        hint="keep the key in an environment variable, or in a file that ApiKeyFile names",
    )
