"""One request to a language model, in a given style, and what came back. Nothing is repeated here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stages.http.client import Sending, open_client
from stages.script.llm.answer import Answer
from stages.script.llm.prompt import INSTRUCTIONS, Draft
from stages.script.llm.request_style import RequestStyle

if TYPE_CHECKING:
    from pydantic_ai.messages import ModelResponse
    from pydantic_ai.models import Model, ModelRequestParameters
    from pydantic_ai.profiles import ModelProfile
    from pydantic_ai.settings import ModelSettings

    from stages.script.llm.account import ModelAccount


async def ask_model(
    name: str,
    account: ModelAccount,
    style: RequestStyle,
    text: str,
    request_id: str,
    sending: Sending,
    timeout_s: float,
) -> Answer:
    """The answer to a message. Raises what the SDKs and pydantic-ai raise."""
    import pydantic_ai
    from pydantic_ai.direct import model_request
    from pydantic_ai.messages import ModelRequest

    pydantic_ai.BANNER_ENABLED = False
    async with open_sdk(name, account, sending, timeout_s) as client:
        model = _model(name, account, style, client)
        if style.role == "user":
            # One message: where a role for instructions is missing, two of the user's in a row are refused, too.
            asked = ModelRequest.user_text_prompt(f"{INSTRUCTIONS}\n{text}")
        else:
            asked = ModelRequest.user_text_prompt(text, instructions=INSTRUCTIONS)
        response = await model_request(
            model,
            [asked],
            model_settings=_settings(style, request_id),
            model_request_parameters=_output(model, style),
        )
    return _answer(response)


def open_sdk(name: str, account: ModelAccount, sending: Sending, timeout_s: float) -> Any:
    """The SDK's client with its own retries off: retrying is the caller's business."""
    client = open_client(name, timeout_s, sending)
    options: dict[str, Any] = {"base_url": account.url, "max_retries": 0, "http_client": client}
    if account.kind == "anthropic":
        from anthropic import AsyncAnthropic

        return AsyncAnthropic(api_key=account.key, **options)
    from openai import AsyncOpenAI

    # A server of one's own may need no key, but the SDK insists on one.
    return AsyncOpenAI(api_key=account.key or "none", **options)


def _model(name: str, account: ModelAccount, style: RequestStyle, client: Any) -> Model:
    if account.kind == "anthropic":
        from pydantic_ai.models.anthropic import AnthropicModel
        from pydantic_ai.providers.anthropic import AnthropicProvider

        return AnthropicModel(account.model, provider=AnthropicProvider(anthropic_client=client))
    from pydantic_ai.providers.openai import OpenAIProvider
    from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

    from stages.script.chat_model import ChatModel

    profile = _profile(style)
    if account.kind == "openai":
        return ChatModel(account.model, provider=OpenAIProvider(openai_client=client), profile=profile)
    # Expects less of the server: only what the protocol's copies have in common.
    provider = OpenAICompatibleProvider(name, openai_client=client)
    return ChatModel(account.model, provider=provider, profile=profile)


def _profile(style: RequestStyle) -> ModelProfile:
    """What pydantic-ai would otherwise guess from the model's name."""
    from pydantic_ai.profiles.openai import OpenAIModelProfile

    return OpenAIModelProfile(
        supports_json_schema_output=True,
        supports_json_object_output=style.form == "json",
        openai_chat_supports_max_completion_tokens=style.limit_name == "max_completion_tokens",
    )


def _settings(style: RequestStyle, request_id: str) -> ModelSettings:
    from pydantic_ai.settings import ModelSettings

    settings = ModelSettings()
    if request_id:
        settings["extra_headers"] = {"Idempotency-Key": request_id}
    if style.room_tokens and style.limit_name != "none":
        settings["max_tokens"] = style.room_tokens
    return settings


def _output(model: Model, style: RequestStyle) -> ModelRequestParameters:
    """The form: by schema, where Anthropic's older models know only tools; as JSON; or as the instructions say."""
    from pydantic_ai.models import ModelRequestParameters
    from pydantic_ai.output import OutputObjectDefinition
    from pydantic_ai.tools import ToolDefinition

    schema = Draft.model_json_schema()
    if style.form == "prompt":
        return ModelRequestParameters(output_mode="text")
    output = OutputObjectDefinition(json_schema=schema, name="script", strict=True)
    if style.form == "json":
        return ModelRequestParameters(output_mode="prompted", output_object=output, prompted_output_template=False)
    if model.profile.get("supports_json_schema_output"):
        return ModelRequestParameters(output_mode="native", output_object=output)
    tool = ToolDefinition(name="script", parameters_json_schema=schema, kind="output")
    return ModelRequestParameters(output_mode="tool", output_tools=[tool], allow_text_output=False)


def _answer(response: ModelResponse) -> Answer:
    from pydantic_ai.messages import TextPart, ThinkingPart, ToolCallPart

    texts = [part.content for part in response.parts if isinstance(part, TextPart)]
    thoughts = [part.content for part in response.parts if isinstance(part, ThinkingPart)]
    calls = [part.args_as_json_str() for part in response.parts if isinstance(part, ToolCallPart)]
    details = response.provider_details or {}
    return Answer(
        text="\n".join(calls or texts),
        thoughts="\n".join(thoughts),
        finish=response.finish_reason or "",
        refusal=str(details.get("refusal") or ""),
        tokens=response.usage.output_tokens,
    )
