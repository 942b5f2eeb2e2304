"""Where a provider's API key is found: the settings, a file of its own, the SDK's environment variable, the system's keyring."""

from __future__ import annotations

import codecs
import contextlib
from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from config.errors import SettingsError, UsageError
from config.paths import expanded
from config.providers import Account
from config.redaction import SECRETS
from config.secret_text import clean_key

SERVICE = "framekeep"
_SHORTEST_KEY = 20


def find_key(name: str, account: Account, environ: Mapping[str, str]) -> tuple[SecretStr | None, str]:
    """The key of the provider `name` and where it was found; (None, "") where there is none.

    Raises SettingsError for a key file that cannot be used, and for a key with a character that no key has. The keyring is
    asked last: it may want to be unlocked.
    """
    if account.api_key and (key := _cleaned(name, account.api_key.get_secret_value(), "the settings")):
        return SecretStr(key), "settings"
    if account.api_key_file:
        return SecretStr(_from_file(name, account.api_key_file)), str(account.api_key_file)
    if account.key_variable and account.base_url:
        # A key that was given for the makers' service is not sent to another server.
        return None, ""
    variable = account.key_variable
    if variable and (key := _cleaned(name, environ.get(variable, ""), f"the environment variable {variable}")):
        return SecretStr(key), f"environment {variable}"
    if key := _cleaned(name, read_keyring(name), "the system's keyring"):
        return SecretStr(key), "keyring"
    return None, ""


def _cleaned(name: str, text: str, source: str) -> str:
    try:
        return clean_key(text)
    except ValueError as error:
        # Neither the key nor the error that holds it is told.
        raise SettingsError(
            f"The key of {name} from {source} cannot be used: {error}",
            problems=[f"{source}: the key of {name}: {error}"],
            hint=f"correct {source}, or keep the key with: framekeep config keys --set {name}",
        ) from None


def _from_file(name: str, path: Path) -> str:
    path = expanded(path)
    if _may_be_a_key(path):
        SECRETS.learn(str(path))
    try:
        raw = path.read_bytes()
        # Windows' shells write UTF-16 into files.
        text = raw.decode("utf-16" if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is not text"
        raise SettingsError(
            f"The key of {name} cannot be read from {path}: {reason}",
            problems=[f"the file {path}: the key of {name}: {reason}"],
            hint="ApiKeyFile names a file that holds the key and nothing else; see: framekeep config keys",
        ) from None
    key = _cleaned(name, text, f"the file {path}")
    if not key:
        raise SettingsError(
            f"The key of {name} cannot be taken from {path}: the file is empty",
            problems=[f"the file {path}: the key of {name}: is empty"],
            hint="framekeep config keys",
        )
    return key


def _may_be_a_key(path: Path) -> bool:
    """Whether somebody has put the key itself where the name of its file belongs."""
    name = str(path)
    return len(path.parts) == 1 and len(name) >= _SHORTEST_KEY and not path.suffix and not name.isalpha()


def read_keyring(name: str) -> str:
    """The key that the system's keyring holds; empty where it holds none, or where there is no keyring."""
    import keyring
    from keyring.errors import KeyringError

    # Backends talk to the desktop over a bus of its own and raise what that raises: no key is no reason to stop.
    with contextlib.suppress(KeyringError, OSError, RuntimeError):
        return keyring.get_password(SERVICE, name.lower()) or ""
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
