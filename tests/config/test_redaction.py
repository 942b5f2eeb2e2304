"""What the redactor takes out of a text, and what it leaves in."""

from __future__ import annotations

import base64
import html
import json
import logging
import random
import re
import string
import urllib.parse
from collections.abc import Callable

import pytest

from config.errors import RejectedError, SettingsError
from config.redaction import MASK, RedactingFormatter, Redactor, redact
from config.secret_forms import SHORTEST_PART
from config.settings import Settings

KEY = 'sk-Ab3/De6+Gh9=Jk2"Mn5\\Pq8&St1 Uv4ü\u200bXy7'


def knowing(*secrets: str) -> Redactor:
    redactor = Redactor()
    redactor.learn(*secrets)
    return redactor


@pytest.mark.parametrize(
    "form",
    [
        KEY,
        urllib.parse.quote(KEY),
        urllib.parse.quote(KEY, safe=""),
        re.sub("%..", lambda code: code[0].lower(), urllib.parse.quote(KEY, safe="")),
        urllib.parse.quote(urllib.parse.quote(KEY)),
        urllib.parse.quote_plus(KEY),
        json.dumps(KEY)[1:-1],
        json.dumps(KEY, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(KEY))[1:-1],
        json.dumps(KEY)[1:-1].replace("/", "\\/"),
        repr(KEY)[1:-1],
        repr(KEY.encode())[2:-1],
        html.escape(KEY),
    ],
)
def test_a_secret_goes_however_it_is_escaped(form: str) -> None:
    text = knowing(KEY).redact(f"<p>before {form} after</p>")
    assert text.startswith("<p>before ")
    assert text.endswith(" after</p>")
    left = text.removeprefix("<p>before ").removesuffix(" after</p>").replace(MASK, "")
    assert len(left) < SHORTEST_PART, left


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user-name"])
def test_a_secret_goes_in_base64_too_wherever_in_it_it_begins(before: str) -> None:
    secret = "hunter2-in-the-tower"
    coded = base64.b64encode(f"{before}:{secret}".encode()).decode()
    text = knowing(secret).redact(f"Proxy-Authorization: Basic {coded}")
    assert MASK in text
    # What is left holds the user's name, and the bits that its last character and the first ones of the secret share.
    left = text.rpartition(" ")[2].replace(MASK, "").rstrip("=")
    assert len(left) <= len(before) * 4 / 3 + 5


def test_every_part_of_eight_characters_goes_and_shorter_ones_stay() -> None:
    secret = "Zq7-Wx2-Rt9-Lm4-Kv8"
    redactor = knowing(secret)
    for start in range(len(secret)):
        for end in range(start + 1, len(secret) + 1):
            part = secret[start:end]
            found = redactor.redact(f"the key ({part}…) is wrong")
            assert found == f"the key ({MASK if len(part) >= SHORTEST_PART else part}…) is wrong"


def test_no_part_is_left_in_any_random_text() -> None:
    rng = random.Random(7)
    letters = string.ascii_letters + string.digits
    secrets = ["".join(rng.choices(letters, k=rng.randrange(8, 60))) for _ in range(10)]
    redactor = knowing(*secrets)
    for _ in range(500):
        pieces = []
        for _ in range(rng.randrange(1, 8)):
            secret = rng.choice(secrets)
            start = rng.randrange(len(secret))
            pieces += ["".join(rng.choices(letters + " ", k=rng.randrange(20))), secret[start : start + 30]]
        text = redactor.redact("".join(pieces))
        assert not any(
            secret[at : at + SHORTEST_PART] in text
            for secret in secrets
            for at in range(len(secret) - SHORTEST_PART + 1)
        )


@pytest.mark.parametrize(
    "text",
    [
        "The key to the lighthouse was kept under a stone; its keeper knew the password.",
        "Scene 3: https://example.org/services/webhooks?x=1 (see /home/user/briefs/key-notes.md)",
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "******** -------- ======== 00000000",
        "mail me at gmail.com or localhost:8080",
        "brief-sk-the-long-road-home.md",
        "The connection was refused, and lighthouses stay dark.",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    redactor = knowing(
        "sk-proj-4fT9x0000000000000000Qw", "aaaaaaaaaaaa", "ollama", "lm-studio", "my-connection-to-lighthouses-7"
    )
    redactor.learn_address("mailto://someone:hunter2hunter2@gmail.com")
    redactor.learn_address("slack://T0kenAAAA/T0kenBBBB/T0kenCCCC")
    redactor.learn_address("https://hooks.example.org/services/T0123456/webhooks")
    assert redactor.redact(text) == text


def test_a_short_password_goes_as_a_word_and_not_within_one() -> None:
    redactor = knowing("letmein")
    assert redactor.redact("password letmein, not letmeinside") == f"password {MASK}, not letmeinside"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("http://user:p4ss@proxy:3128/ is gone", f"http://{MASK}@proxy:3128/ is gone"),
        ("Authorization: Bearer abcdefghij0123456789", f"Authorization: Bearer {MASK}"),
        ("Incorrect API key provided: sk-abc1*****wxyz.", f"Incorrect API key provided: {MASK}."),
        ("unknown key sk-proj-0123456789abcdefghij", f"unknown key {MASK}"),
    ],
)
def test_what_looks_like_a_key_or_a_login_goes_whoever_it_belongs_to(text: str, left: str) -> None:
    assert Redactor().redact(text) == left


def test_logins_of_proxies_and_keys_in_the_environment_are_known() -> None:
    redactor = Redactor()
    redactor.learn_environment(
        {
            "https_proxy": "http://someone:pr0xy%2Fpass@10.0.0.1:3128",
            "OPENAI_API_KEY": "key-of-openai-77",
            "FRAMEKEEP_PROVIDERS__ELEVENLABS__APIKEY": "key-of-elevenlabs",
            "FRAMEKEEP_PROVIDERS__OPENAI__API_KEY_FILE": "/home/user/secret-file",
            "FRAMEKEEP_MONITORING__ALERTURLS": '["json://u:al3rt-pass@127.0.0.1/t0ken-path"]',
            "OTHER_TOKEN": "token-of-another-program",
            "PASSWORD_STORE_DIR": "/home/user/.password-store",
        }
    )
    leaked = (
        "pr0xy%2Fpass pr0xy/pass key-of-openai-77 of-openai key-of-elevenlabs al3rt-pass t0ken-path "
        "token-of-another-program"
    )
    assert set(redactor.redact(leaked).split()) == {MASK}
    kept = "/home/user/secret-file /home/user/.password-store 10.0.0.1 another-program"
    assert redactor.redact(kept) == kept


def test_a_document_keeps_its_form_and_where_its_files_are() -> None:
    document = {"error": {"message": "key hunter2hunter2"}, "attempts": ["hunter2hunter2", 3, None]}
    document |= {"outputs": [{"path": "/videos/hunter2hunter2.mp4"}]}
    assert knowing("hunter2hunter2").redact_in(document) == {
        "error": {"message": f"key {MASK}"},
        "attempts": [MASK, 3, None],
        "outputs": [{"path": "/videos/hunter2hunter2.mp4"}],
    }


def test_an_error_holds_no_secret_from_the_moment_it_is_made() -> None:
    Settings.model_validate({"providers": {"openai": {"api_key": "key-for-this-test"}}})
    error = RejectedError("no such key: key-for-this-test", hint="see key-for-this-test")
    assert "for-this" not in f"{error} {error!r} {error.args} {error.as_dict()}"
    problems = SettingsError("x", problems=["a: key-for-this-test"]).problems
    assert problems == (f"a: {MASK}",)


def test_a_line_of_the_log_and_its_traceback_hold_no_secret() -> None:
    Settings.model_validate({"providers": {"openai": {"api_key": "key-for-this-test"}}})
    try:
        raise ValueError("Bearer key-for-this-test\u200b")
    except ValueError as error:
        record = logging.LogRecord("a", logging.ERROR, "p", 1, "%s", ("key-for-this-test",), (type(error), error, None))
    assert "for-this" not in RedactingFormatter().format(record)


def test_what_one_settings_file_gives_is_kept_out_of_all_that_follows() -> None:
    Settings.model_validate({"monitoring": {"alert_urls": ["json://user:al3rt-pass@127.0.0.1:9/t0ken-path"]}})
    assert redact("al3rt-pass at /t0ken-path") == f"{MASK} at /{MASK}"


CODED: dict[str, Callable[[str], str]] = {
    "percent": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()),
    "percent twice": lambda text: "".join(f"%25{byte:02x}" for byte in text.encode()),
    "bytes": lambda text: "".join(f"\\x{byte:02x}" for byte in text.encode()),
    "code units": lambda text: "".join(f"\\u{ord(character):04X}" for character in text),
    "braces": lambda text: "".join(f"\\u{{{ord(character):x}}}" for character in text),
    "within JSON": lambda text: "".join(f"\\\\u{ord(character):04x}" for character in text),
    "decimal": lambda text: "".join(f"&#{ord(character)};" for character in text),
    "hexadecimal": lambda text: "".join(f"&#x{ord(character):X};" for character in text),
    "hex": lambda text: text.encode().hex(),
    "HEX": lambda text: text.encode().hex().upper(),
    "every other": lambda text: "".join(f"%{ord(one):02X}" if at % 2 else one for at, one in enumerate(text)),
}


@pytest.mark.parametrize("secret", ["Zq7-Wx2/Rt9+Lm4=Kv8", "abcdefghijklmnopqrstuv", "pässwörd-2024"])
@pytest.mark.parametrize("form", CODED)
def test_a_secret_goes_with_its_characters_written_by_their_codes(form: str, secret: str) -> None:
    if form == "every other" and not secret.isascii():
        pytest.skip("one character is several codes there")
    text = knowing(secret).redact(f"before {CODED[form](secret)} after, 100 % &#8211; \\u2013 %20 {'ab' * 12}")
    assert text == f"before {MASK} after, 100 % &#8211; \\u2013 %20 {'ab' * 12}"


@pytest.mark.parametrize(
    ("secret", "text", "left"),
    [
        ("abcdefghijklmnopqrstuv", "part abcdefghij is wrong", f"part {MASK} is wrong"),
        ("correcthorsebatterystaple", "is it correcthorse?", f"is it {MASK}?"),
        ("sk-qwertzuiop-99", "the key qwertzuiop is wrong", f"the key {MASK} is wrong"),
        ("my-connection-7f3a", "the connection broke off", "the connection broke off"),
        ("my-connection-7f3a", "my-connection is wrong", f"{MASK} is wrong"),
    ],
)
def test_a_part_of_lower_case_letters_stays_only_where_it_is_a_word_of_english(
    secret: str, text: str, left: str
) -> None:
    assert knowing(secret).redact(text) == left


@pytest.mark.parametrize(
    ("address", "text", "left"),
    [
        ("http://tokSecretOnly99999@host:9", "sent tokSecretOnly99999", f"sent {MASK}"),
        ("http://tok%2FSecret99999@host:9", "sent tok/Secret99999", f"sent {MASK}"),
        ("tokSecretOnly99999@host:9", "sent tokSecretOnly99999", f"sent {MASK}"),
        ("http://u:p@ss/w0rd!@h:1", "at http://u:p@ss/w0rd!@h:1/x", f"at http://{MASK}@h:1/x"),
        ("http://u:Pw#S3cret99@host:9", "bad Pw#S3cret99, S3cret99", f"bad {MASK}, {MASK}"),
        ("https://host.example:8443/@scope/package", "see @scope/package at host.example", "see @scope/package at host.example"),
        ("https://u:hunter2hunter2@host.example/@scope/pkg", "host.example/@scope", "host.example/@scope"),
    ],
)  # fmt: skip
def test_what_lets_one_through_a_proxy_goes_however_it_is_written(address: str, text: str, left: str) -> None:
    redactor = Redactor()
    redactor.learn_environment({"https_proxy": address})
    assert redactor.redact(text) == left


def test_our_own_example_of_a_login_stays_legible() -> None:
    example = "as in http://user:password@host:port"
    assert Redactor().redact(example) == example
    assert Redactor().redact("http://user:passw0rd@host") == f"http://{MASK}@host"
