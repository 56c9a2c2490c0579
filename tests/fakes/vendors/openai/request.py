# SPDX-License-Identifier: ISC
"""
Is this a chat request that the service would take? Sources: the API references and the types of
the official libraries. Pure.
"""
import re

COMMON = {
    "messages", "model", "frequency_penalty", "function_call", "functions", "logit_bias",
    "logprobs", "max_completion_tokens", "max_tokens", "metadata", "n", "parallel_tool_calls",
    "presence_penalty", "reasoning_effort", "response_format", "seed", "service_tier", "stop",
    "store", "stream", "stream_options", "temperature", "tool_choice", "tools", "top_logprobs",
    "top_p", "user"}
GROQ = COMMON | {
    "citation_options", "compound_custom", "disable_tool_validation", "documents",
    "exclude_domains", "include_domains", "include_reasoning", "reasoning_format",
    "search_settings"}
OPENAI = COMMON | {
    "audio", "modalities", "moderation", "prediction", "prompt_cache_key", "prompt_cache_options",
    "prompt_cache_retention", "safety_identifier", "verbosity", "web_search_options"}
MESSAGE_FIELDS = {
    "system": {"role", "content", "name"}, "developer": {"role", "content", "name"},
    "user": {"role", "content", "name"},
    "assistant": {"role", "content", "name", "tool_calls", "reasoning", "refusal", "audio",
                  "function_call", "annotations", "executed_tools"},
    "tool": {"role", "content", "tool_call_id", "name"},
    "function": {"role", "content", "name"}}
TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")
OPENAI_REASONING = re.compile(r"^(o\d|gpt-5)")


class Bad(Exception):
    """A request that gets status 400; holds the parameter that is wrong."""

    def __init__(self, message, parameter=None, code=None):
        super().__init__(message)
        self.parameter, self.code = parameter, code


def check(body, known_fields):
    """Raises Bad. `known_fields` None means that unknown ones are ignored, as local servers do."""
    if not isinstance(body, dict):
        raise Bad("the body is not a JSON object")
    if known_fields is not None:
        for name in body:
            if name not in known_fields:
                raise Bad(f"property '{name}' is unsupported", name)
    if not isinstance(body.get("model"), str):
        raise Bad("'model' is required", "model")
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise Bad("'messages' is required and not empty", "messages")
    _check_messages(messages, known_fields is not None)
    _check_tools(body)
    for name, least, most in (("temperature", 0, 2), ("top_p", 0, 1)):
        value = body.get(name)
        if value is not None and not (isinstance(value, (int, float)) and least <= value <= most):
            raise Bad(f"'{name}' must be between {least} and {most}", name)
    if body.get("stream_options") is not None and not body.get("stream"):
        raise Bad("'stream_options' is only allowed when 'stream' is enabled", "stream_options")


def _check_messages(messages, strict):
    called = set()
    for number, message in enumerate(messages):
        place = f"messages.{number}"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in MESSAGE_FIELDS:
            raise Bad(f"'{place}.role' is not valid", place + ".role")
        for name in message if strict else ():
            if name not in MESSAGE_FIELDS[role]:
                raise Bad(f"property '{name}' is unsupported", f"{place}.{name}")
        content, calls = message.get("content"), message.get("tool_calls")
        if not isinstance(content, (str, list)) and not (role == "assistant" and calls):
            raise Bad(f"'{place}.content' must be a string", place + ".content")
        for call in calls or ():
            if not call.get("id") or call.get("type") != "function" or not isinstance(
                    call.get("function", {}).get("arguments"), str):
                raise Bad(f"'{place}.tool_calls' is not valid", place + ".tool_calls")
            called.add(call["id"])
        if role == "tool" and message.get("tool_call_id") not in called:
            raise Bad(f"'{place}.tool_call_id' was not called before", place + ".tool_call_id")
    answered = {message.get("tool_call_id") for message in messages}
    if called - answered:
        raise Bad("an assistant message with 'tool_calls' must be followed by tool messages",
                  "messages")


def _check_tools(body):
    tools = body.get("tools")
    if tools is None:
        if body.get("tool_choice") not in (None, "none"):
            raise Bad("'tool_choice' is only allowed when 'tools' are specified", "tool_choice")
        return
    if not isinstance(tools, list) or not 1 <= len(tools) <= 128:
        raise Bad("'tools' holds 1 to 128 tools", "tools")
    for number, tool in enumerate(tools):
        function = tool.get("function", {}) if isinstance(tool, dict) else {}
        if tool.get("type") != "function" or not TOOL_NAME.fullmatch(function.get("name", "")):
            raise Bad(f"'tools.{number}' is not valid", f"tools.{number}")
        if not isinstance(function.get("parameters", {}), dict):
            raise Bad(f"'tools.{number}.function.parameters' is no object", f"tools.{number}")


def check_groq(body):
    """What Groq refuses beyond that: docs "API Reference", "Reasoning", "Structured Outputs"."""
    if body.get("n") not in (None, 1):
        raise Bad("'n' : number must be at most 1", "n")
    if body.get("reasoning_format") is not None and body.get("include_reasoning") is not None:
        raise Bad("'reasoning_format' and 'include_reasoning' exclude each other",
                  "reasoning_format")
    effort, model = body.get("reasoning_effort"), body["model"]
    if effort is not None and "gpt-oss" in model and effort not in ("low", "medium", "high"):
        raise Bad("'reasoning_effort' must be one of low, medium, high", "reasoning_effort")
    if (body.get("response_format") or {}).get("type") == "json_schema" and (
            body.get("stream") or body.get("tools")):
        raise Bad("json_schema cannot be combined with streaming or tools", "response_format")


def check_openai(body):
    if OPENAI_REASONING.search(body["model"]) and body.get("max_tokens") is not None:
        raise Bad("Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                  "'max_completion_tokens' instead.", "max_tokens", "unsupported_parameter")
