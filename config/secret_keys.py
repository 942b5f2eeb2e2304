"""Where a provider's API key is found: the settings, a file of its own, the SDK's environment variable, the system's keyring."""

from __future__ import annotations

import codecs
import contextlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from pydantic import SecretStr

from config.errors import SettingsError, UsageError
from config.paths import expanded
from config.providers import Account, Providers
from config.redaction import SECRETS
from config.secret_text import clean_key

SERVICE = "framekeep"
#: Without one of these, what stands where a file's name belongs may be the key itself.
_NAME_OF_FILE = re.compile(r"^(?:[/~.\\]|[A-Za-z]:[/\\])|\.[a-z]{2,6}$|^[a-z/_-]{1,15}$")


def find_key(name: str, account: Account, environ: Mapping[str, str]) -> tuple[SecretStr | None, str]:
    """The key of the provider `name` and where it was found; (None, "") where there is none.

    Raises SettingsError for a key file that cannot be used, and for a key with a character that no key has. The keyring is
    asked last: it may want to be unlocked.
    """
    key, source = _given_key(name, account, environ)
    # A key that was given for the makers' service is not sent to another server.
    if key or (account.key_variable and account.base_url):
        return key, source
    if kept := _cleaned(name, read_keyring(name), "the system's keyring"):
        return SecretStr(kept), "keyring"
    return None, ""


def problems_of_keys(providers: Providers, environ: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The providers whose key cannot be used, each with what is wrong with it. The keyring is not asked: it may be locked."""
    for name, account in providers.accounts().items():
        if account.api_key_file and _can_be_read_once(expanded(account.api_key_file)):
            continue
        try:
            _given_key(name, account, environ)
        except SettingsError as error:
            for problem in error.problems:
                yield name, problem


def _can_be_read_once(path: Path) -> bool:
    return path.is_fifo() or path.is_char_device()


def _given_key(name: str, account: Account, environ: Mapping[str, str]) -> tuple[SecretStr | None, str]:
    if account.api_key and (key := _cleaned(name, account.api_key.get_secret_value(), "the settings")):
        return SecretStr(key), "settings"
    if account.api_key_file:
        return SecretStr(_from_file(name, account.api_key_file)), str(account.api_key_file)
    variable = "" if account.base_url else account.key_variable
    if variable and (key := _cleaned(name, environ.get(variable, ""), f"the environment variable {variable}")):
        return SecretStr(key), f"environment {variable}"
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
    path, given = expanded(path), str(path)
    if not _NAME_OF_FILE.search(given) and not path.exists():
        SECRETS.learn(given)
        nothing = "ApiKeyFile names no file that is there; what it says is not shown, as it may be the key itself"
        raise SettingsError(
            f"The key of {name} cannot be read: {nothing}",
            problems=[f"the key of {name}: {nothing}"],
            hint="ApiKeyFile names a file that holds the key and nothing else; see: framekeep config keys",
        )
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
