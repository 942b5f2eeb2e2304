"""A writer that is asked again: in another form, with more room, or for another length. Each answer is bought once."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from checkpoints.keys import step_key
from checkpoints.ledger.purchases import Purchases
from checkpoints.ledger.request_styles import KEPT_S, RequestStyles
from checkpoints.records import Record
from config.errors import CancelledError, RejectedError, RetryExhaustedError, TransientError
from config.settings import Settings
from pipeline.planning.steps import Step
from stages.base import CancelToken
from stages.models import Brief
from stages.script.llm.account import ModelAccount
from stages.script.llm.request_style import RequestStyle
from stages.script.llm.writer import LlmWriter

if TYPE_CHECKING:
    from conftest import Workbench

SETTINGS = Settings.model_validate(
    {
        "resilience": {"retry": {"max_retry_attempts": 3, "initial_delay_ms": 1}},
        "features": {"graceful_degradation": {"enabled": False}},
    }
)
BRIEF = Brief(title="Lamps", text="The history of lamps at sea", language="en", target_length_s=10)
FITTING = (
    "Three lamps were lit on the cliff, and the sailors came home by them.",
    "Nobody climbs the stairs any more, but every dusk the light goes round and round.",
)
Body = dict[str, Any]


def scenes(*narrations: str) -> str:
    told = [{"heading": "Lamps", "narration": text, "picture_prompt": "A lamp"} for text in narrations]
    return json.dumps({"scenes": told})


def answer(
    text: str | None = scenes(*FITTING), finish: str = "stop", tokens: int = 400, **message: Any
) -> tuple[int, Body]:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": text, **message}}
    usage = {"prompt_tokens": 1, "completion_tokens": tokens, "total_tokens": tokens + 1}
    return 200, {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
        "usage": usage,
    }


def is_second(body: Body) -> bool:
    """Whether a request names the length of the answer before it."""
    return "words in all narrations," in str(body["messages"])


class ModelService(ThreadingHTTPServer):
    """Answers each request as `reply` does, which is handed its body."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply: Callable[[Body], tuple[int, Any]] = lambda body: answer()
        self.asked: list[Body] = []
        self.ids: list[str | None] = []

    @property
    def forms(self) -> list[str]:
        return [body.get("response_format", {}).get("type", "none") for body in self.asked]


class _Handler(BaseHTTPRequestHandler):
    server: ModelService

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        self.server.ids.append(self.headers["Idempotency-Key"])
        status, document = self.server.reply(body)
        payload = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        text_kind = "text/event-stream" if str(document).startswith("data:") else "text/html"
        kind = text_kind if isinstance(document, str) else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(payload)))
        self.end_headers()
        self.wfile.write(payload)

    def log_message(self, *args: Any) -> None:
        """Silent: what a test prints is what it tests."""


@pytest.fixture
def service() -> Iterator[ModelService]:
    running = ModelService()
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield running
    running.shutdown()
    running.server_close()
    thread.join()


@pytest.fixture
def bench(workbench: Workbench) -> Workbench:
    return workbench


def writer(service: ModelService, key: str = "key-0123456789", model: str = "m") -> LlmWriter:
    url = f"http://127.0.0.1:{service.server_port}/v1"
    return LlmWriter("LocalLLM", ModelAccount("compatible", model, SecretStr(key) if key else None, url))


def run(bench: Workbench, service: ModelService, name: str = "a", brief: Brief = BRIEF) -> Record:
    toolbox = bench.toolbox(SETTINGS, writers=[writer(service)])
    return bench.run(Step("script", "script", 0, step_key("script", {"test": name}), brief), SETTINGS, toolbox)


def states(bench: Workbench) -> list[str]:
    return [call.state for call in Purchases(bench.ledger).of_job("job")]


def refusing(*refused: str, status: int = 400, body: Any = None) -> Callable[[Body], tuple[int, Any]]:
    said = body or {
        "error": {"message": "This response_format type is unavailable now", "type": "invalid_request_error"}
    }
    return lambda asked: (status, said) if asked.get("response_format", {}).get("type", "none") in refused else answer()


# The form of the answer


def test_a_server_without_schemas_is_asked_for_json_and_that_is_remembered(
    bench: Workbench, service: ModelService
) -> None:
    service.reply = refusing("json_schema")
    assert len(run(bench, service).facts["scenes"]) == 2
    assert service.forms == ["json_schema", "json_object"]
    assert states(bench) == ["failed", "answered"]
    assert run(bench, service, "b").facts["writer"] == "LocalLLM"
    assert service.forms == ["json_schema", "json_object", "json_object"]


def test_a_server_that_knows_no_form_is_asked_in_words_alone(bench: Workbench, service: ModelService) -> None:
    service.reply = refusing("json_schema", "json_object", status=422)
    run(bench, service)
    run(bench, service, "b")
    assert service.forms == ["json_schema", "json_object", "none", "none"]
    assert '{"scenes": [{' in json.dumps(service.asked[-1]["messages"]).replace('\\"', '"')


def test_what_was_learned_is_forgotten_when_the_server_refuses_it(bench: Workbench, service: ModelService) -> None:
    service.reply = refusing("json_schema")
    run(bench, service)
    service.reply = refusing("json_object", body={"error": "'response_format.type' must be 'json_schema' or 'text'"})
    run(bench, service, "b")
    run(bench, service, "c")
    assert service.forms == ["json_schema", "json_object", "json_object", "json_schema", "json_schema"]


def test_what_was_learned_grows_old(bench: Workbench, service: ModelService) -> None:
    service.reply = refusing("json_schema")
    run(bench, service)
    with bench.ledger.writing("test") as connection:
        connection.execute("UPDATE request_styles SET learned_at = learned_at - ?", (KEPT_S + 1,))
    run(bench, service, "b")
    assert service.forms == ["json_schema", "json_object"] * 2


def test_another_model_of_the_same_server_is_asked_anew(bench: Workbench, service: ModelService) -> None:
    service.reply = refusing("json_schema")
    run(bench, service)
    known = writer(service).server
    assert RequestStyles(bench.ledger).find(known)
    assert not RequestStyles(bench.ledger).find(writer(service, model="other").server)


def test_a_refused_form_does_not_open_the_circuit_nor_use_up_retries(bench: Workbench, service: ModelService) -> None:
    service.reply = refusing("json_schema", "json_object")
    run(bench, service)
    assert {row["outcome"] for row in bench.ledger.attempts("job")} == {"ok"}


def test_a_server_that_refuses_every_form_says_why_and_not_that_the_brief_is_wrong(
    bench: Workbench, service: ModelService
) -> None:
    service.reply = refusing("json_schema", "json_object", "none", body={"error": "'response_format' is not supported"})
    with pytest.raises(RejectedError) as caught:
        run(bench, service)
    assert "'response_format' is not supported" in caught.value.message
    assert "brief's text" not in caught.value.hint
    assert len(service.asked) == 3


# Limits


def test_a_cut_off_answer_is_asked_for_once_more_with_more_room(bench: Workbench, service: ModelService) -> None:
    def reply(body: Body) -> tuple[int, Any]:
        return answer() if body.get("max_tokens") else answer(scenes(*FITTING)[:90], "length", tokens=4000)

    service.reply = reply
    assert len(run(bench, service).facts["scenes"]) == 2
    assert [body.get("max_tokens") for body in service.asked] == [None, 12_000]
    assert states(bench) == ["answered", "answered"]
    assert len(set(service.ids)) == 2


def test_an_answer_that_is_cut_off_twice_is_not_bought_a_third_time(bench: Workbench, service: ModelService) -> None:
    service.reply = lambda body: answer(scenes(*FITTING)[:90], "length")
    with pytest.raises(RejectedError, match="stopped at its token limit") as caught:
        run(bench, service)
    assert len(service.asked) == 2
    assert "`length`" in caught.value.hint


@pytest.mark.parametrize(
    ("refusal", "limits"),
    [
        (
            {"detail": "Extra inputs are not permitted: max_tokens"},
            [("max_tokens", 8192), ("max_completion_tokens", 8192)],
        ),
        (
            {"error": {"message": "max_tokens is too large: 8192. This model supports at most 4096 completion tokens"}},
            [("max_tokens", 8192), ("max_tokens", 4096)],
        ),
        (
            {"error": {"message": "Range of max_tokens should be [1, 4096]"}},
            [("max_tokens", 8192), ("max_tokens", 4096)],
        ),
        (
            {
                "error": {
                    "message": "This model's maximum context length is 4096 tokens. However, you requested 9000 tokens "
                    "(808 in the messages, 8192 in the completion)."
                }
            },
            [("max_tokens", 8192), ("max_tokens", 3272)],
        ),
    ],
)
def test_a_limit_that_the_server_does_not_take_is_given_in_its_way(
    bench: Workbench, service: ModelService, refusal: Any, limits: list[tuple[str, int]]
) -> None:
    def reply(body: Body) -> tuple[int, Any]:
        found = [(name, body[name]) for name in ("max_tokens", "max_completion_tokens") if name in body]
        if not found:
            return answer(scenes(*FITTING)[:90], "length")
        return answer() if found[0] == limits[-1] else (400, refusal)

    service.reply = reply
    run(bench, service)
    named = ("max_tokens", "max_completion_tokens")
    assert [(name, body[name]) for body in service.asked for name in named if name in body] == limits


def test_a_context_without_room_for_more_is_told_as_a_script_cut_off(bench: Workbench, service: ModelService) -> None:
    refusal = {
        "error": {
            "message": "This model's maximum context length is 1500 tokens. However, you requested 9000 tokens "
            "(808 in the messages, 8192 in the completion)."
        }
    }
    service.reply = lambda body: (400, refusal) if "max_tokens" in body else answer(scenes(*FITTING)[:90], "length")
    with pytest.raises(RejectedError, match="room for 8192 tokens: its script is cut off"):
        run(bench, service)
    assert len(service.asked) == 2


@pytest.mark.parametrize(
    "refusal",
    [
        "System role not supported",
        "Conversation roles must alternate user/assistant/user/assistant/...",
        'Error rendering prompt with jinja template: "Only user and assistant roles are supported!"',
    ],
)
def test_instructions_are_the_users_where_a_model_has_no_other_role(
    bench: Workbench, service: ModelService, refusal: str
) -> None:
    def reply(body: Body) -> tuple[int, Any]:
        roles = [message["role"] for message in body["messages"]]
        return answer() if roles == ["user"] else (400, {"object": "error", "message": refusal})

    service.reply = reply
    run(bench, service)
    run(bench, service, "b")
    assert len(service.asked) == 3
    assert "You write the narration" in json.dumps(service.asked[-1]["messages"])


# Length


def test_a_wrong_length_is_asked_for_once_more_with_the_numbers(bench: Workbench, service: ModelService) -> None:
    service.reply = lambda body: answer() if is_second(body) else answer(scenes("Only a lamp."))
    record = run(bench, service)
    assert len(record.facts["scenes"]) == 2
    assert "27 too few; write 30" in str(service.asked[1]["messages"])
    assert states(bench) == ["answered", "answered"]
    assert record.facts["notes"] == []


@pytest.mark.parametrize(
    "second", [scenes("Only a lamp, and no more."), "no script at all", "I'm sorry, but I can't do that."]
)
def test_of_two_wrong_lengths_the_better_one_is_kept_and_said(
    bench: Workbench, service: ModelService, second: str
) -> None:
    first = scenes("Three lamps were lit on the cliff, and all the sailors came home by them at last.")
    service.reply = lambda body: answer(second if is_second(body) else first)
    record = run(bench, service)
    assert record.facts["scenes"][0]["narration"].startswith("Three lamps")
    (note,) = record.facts["notes"]
    assert "wrote 17 words where about 30 were asked for" in note


# Bought once


@pytest.mark.parametrize(
    "said",
    [
        answer("I'm sorry, but I can't help with that."),
        answer(scenes("Es tut mir leid, aber dabei kann ich nicht helfen.")),
        answer(None, refusal="I can't help with that."),
        answer("", finish="content_filter"),
    ],
    ids=["prose", "in the form", "field", "filter"],
)
def test_a_refusal_is_bought_once(bench: Workbench, service: ModelService, said: tuple[int, Body]) -> None:
    service.reply = lambda body: said
    with pytest.raises(RejectedError, match="refused") as caught:
        run(bench, service)
    assert caught.value.kind == "ContentRefused"
    assert len(service.asked) == 1


def _streamed(*, is_whole: bool) -> str:
    pieces = [scenes(*FITTING)[start : start + 50] for start in range(0, len(scenes(*FITTING)), 50)]
    lines = ["data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in pieces]
    end = "data: " + json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    return "\n\n".join([*lines, end, "data: [DONE]"] if is_whole else lines[:-2])


@pytest.mark.parametrize(
    "body",
    [
        {"model": "m", "message": {"role": "assistant", "content": scenes(*FITTING)}, "done": True},
        {"model": "m", "response": scenes(*FITTING), "done": True, "done_reason": "stop"},
        {"id": "x", "choices": [{"index": 0, "text": scenes(*FITTING), "finish_reason": "stop"}]},
        _streamed(is_whole=True),
    ],
    ids=["chat of Ollama", "text of Ollama", "completion", "stream"],
)
def test_a_whole_answer_of_another_protocol_is_read(bench: Workbench, service: ModelService, body: Any) -> None:
    service.reply = lambda asked: (200, body)
    assert len(run(bench, service).facts["scenes"]) == 2
    assert len(service.asked) == 1


def test_a_stream_without_its_end_is_no_answer(bench: Workbench, service: ModelService) -> None:
    service.reply = lambda asked: (200, _streamed(is_whole=False))
    with pytest.raises(RetryExhaustedError, match="no chat completion"):
        run(bench, service)


@pytest.mark.parametrize("text", [None, "", "  \n"])
def test_an_empty_answer_is_called_that(bench: Workbench, service: ModelService, text: str | None) -> None:
    service.reply = lambda body: answer(text)
    with pytest.raises(RejectedError, match="the model answered nothing"):
        run(bench, service)
    assert len(service.asked) == 2


def test_two_answers_far_too_short_are_no_script(bench: Workbench, service: ModelService) -> None:
    service.reply = lambda body: answer(scenes("Only a lamp, at last."))
    with pytest.raises(RejectedError, match="wrote 5 words where about 30 were asked for"):
        run(bench, service)
    assert len(service.asked) == 2


def test_a_refusal_spread_over_scenes_is_one(bench: Workbench, service: ModelService) -> None:
    said = scenes(
        "I'm sorry, but I can't help with that request at all.",
        "Please ask me something else instead, and I will do my best.",
        "I'm happy to help with other topics at any time.",
    )
    service.reply = lambda body: answer(said)
    with pytest.raises(RejectedError, match="refused") as caught:
        run(bench, service)
    assert (caught.value.kind, len(service.asked)) == ("ContentRefused", 1)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": {"message": "model is overloaded", "code": 503}}, "answered 503: model is overloaded"),
        ({"error": "the queue is full"}, "the queue is full"),
        ({"id": "x", "choices": []}, "no chat completion"),
        ({"status": "loading the model"}, "loading the model"),
    ],
)
def test_an_error_that_comes_as_a_success_is_told_in_its_own_words(
    service: ModelService, body: Body, said: str
) -> None:
    service.reply = lambda asked: (200, body)
    with pytest.raises(TransientError) as caught:
        writer(service).write(BRIEF, CancelToken(), 20)
    assert said in caught.value.message
    assert "pydantic" not in caught.value.message


def test_a_form_that_is_refused_within_a_success_is_changed_too(bench: Workbench, service: ModelService) -> None:
    refusal = {"error": {"message": "response_format json_schema is not supported", "code": 400}}
    service.reply = lambda asked: (200, refusal) if "response_format" in asked else answer()
    run(bench, service)
    assert service.forms == ["json_schema", "json_object", "none"]


def test_a_run_that_ends_between_two_calls_buys_only_the_second_when_it_goes_on(
    bench: Workbench, service: ModelService
) -> None:
    token = CancelToken()

    def stop_at_the_second(body: Body) -> tuple[int, Any]:
        if is_second(body):
            token.cancel("killed")
        return answer(scenes("Only a lamp."))

    service.reply = stop_at_the_second
    step = Step("script", "script", 0, step_key("script", {"test": "a"}), BRIEF)
    executor = bench.executor(SETTINGS, bench.toolbox(SETTINGS, writers=[writer(service)]))
    with pytest.raises(CancelledError):
        executor.execute(step, token)
    assert states(bench) == ["answered", "cut off"]
    service.reply = lambda body: answer()
    run(bench, service)
    assert [is_second(body) for body in service.asked] == [False, True, True]
    assert service.ids[1] == service.ids[2]
    assert states(bench) == ["answered", "cut off", "answered"]
    assert not Purchases(bench.ledger).noted(step.key, "LocalLLM")


# What refusals mean

SCHEMA = RequestStyle()


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "This response_format type is unavailable now"),
        (422, "Failed to deserialize the JSON body: response_format.type `json_schema` is unavailable now at line 1"),
        (400, "'response_format.type' must be 'json_object' or 'text'"),
        (400, "'response_format' of type 'json_schema' is not supported by this model"),
        (400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."),
        (400, "response_format value as json_schema is enabled only for api versions 2024-08-01-preview and later"),
        (400, "This model does not support response format `json_schema`. See supported models"),
        (400, "Failed to generate JSON. Please adjust your prompt. See 'failed_generation'"),
        (404, "No endpoints found that support the requested parameters"),
        (
            422,
            "{'detail': [{'type': 'enum', 'loc': ['body', 'response_format', 'type'], 'msg': 'Input should be text'}]}",
        ),
        (422, "response_format.type: unknown variant `json_schema`, expected one of `json_object`, `json`, `regex`"),
        (500, 'response_format type must be one of "text" or "json_object", but got: json_schema'),
        (400, "Grammar error: Unimplemented keys"),
        (400, "JSON mode is not enabled for models/gemma-3-27b-it"),
        (
            400,
            "Invalid JSON payload received. Unknown name \"strict\" at 'response_format.json_schema': Cannot find field.",
        ),
        (501, "structured outputs are not implemented"),
        (400, "Unrecognized request argument supplied: response_format"),
        (400, "output_config: Extra inputs are not permitted"),
    ],
)
def test_a_refusal_of_the_form_is_known_by_its_words(status: int, said: str) -> None:
    after = SCHEMA.after_refusal(status, said, may_guess=False)
    assert after
    assert after.form == "json"


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (400, "This model's maximum context length is 4096 tokens, however you requested 9000 tokens"),
        (404, "model 'qwen3' not found, try pulling it first"),
        (400, "The model `gpt-9` does not exist or you do not have access to it."),
        (400, "the request was blocked by the content_filter"),
        (401, "response_format needs a key"),
        (429, "response_format is rate limited"),
        (503, "response_format is busy"),
    ],
)
def test_a_refusal_for_another_reason_is_none_of_the_form(status: int, said: str) -> None:
    assert SCHEMA.after_refusal(status, said, may_guess=True) is None


def test_a_refusal_that_says_nothing_is_tried_in_every_form_unless_the_server_is_known() -> None:
    after = SCHEMA.after_refusal(400, "Bad Request", may_guess=True)
    assert after
    assert after.form == "json"
    assert SCHEMA.after_refusal(400, "Bad Request", may_guess=False) is None
    assert SCHEMA.lasting().after_refusal(400, "Bad Request", may_guess=True) is None


def test_a_note_that_nobody_can_read_is_as_good_as_none(tmp_path: Path) -> None:
    assert RequestStyle.read("{", SCHEMA) == SCHEMA
    assert RequestStyle.read('{"form": "xml"}', SCHEMA) == SCHEMA
