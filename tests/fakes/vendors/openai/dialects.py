# SPDX-License-Identifier: ISC
"""
How servers that speak OpenAI's protocol differ. Written from their documentation and source; no
such server was asked. Sources are in README.md.
"""
import dataclasses
import uuid

from . import request

GROQ_ERRORS = {
    400: ("invalid_request_error", None), 401: ("invalid_request_error", "invalid_api_key"),
    403: ("permissions_error", None), 404: ("invalid_request_error", "model_not_found"),
    413: ("tokens", "rate_limit_exceeded"), 422: ("invalid_request_error", None),
    424: ("failed_dependency", None), 429: ("tokens", "rate_limit_exceeded"),
    498: ("flex_tier", "capacity_exceeded"), 499: ("request_cancelled", None),
    500: ("internal_server_error", None), 502: ("internal_server_error", None),
    503: ("internal_server_error", "service_unavailable")}
OPENAI_ERRORS = {
    **GROQ_ERRORS, 429: ("requests", "rate_limit_exceeded"), 500: ("server_error", None),
    502: ("server_error", None), 503: ("server_error", None)}
MESSAGES = {
    400: "Invalid request.", 401: "Invalid API Key", 403: "Not permitted.",
    404: "The model does not exist or you do not have access to it.",
    413: "Request too large for the model.", 422: "Failed to generate a valid answer.",
    429: "Rate limit reached for model. Please try again in 1.5s.",
    498: "Flex tier capacity exceeded.", 499: "The request was cancelled.",
    500: "Internal server error", 502: "Bad gateway",
    503: "Service unavailable"}
NUMBERED_TYPES = {400: "BadRequestError", 401: "UnauthorizedError", 404: "NotFoundError",
                  500: "InternalServerError", 503: "ServiceUnavailableError"}
LLAMA_TYPES = {400: "invalid_request_error", 401: "authentication_error", 404: "not_found_error",
               500: "server_error", 503: "unavailable_error"}
OLLAMA_TYPES = {400: "invalid_request_error", 404: "not_found_error"}


def _vendor_error(types):
    def make(status, code, message):
        kind, default_code = types.get(status, ("api_error", None))
        return {"error": {"message": message or MESSAGES.get(status, "Error"), "type": kind,
                          "param": None, "code": code or default_code}}
    return make


def _vllm_error(status, code, message):
    return {"error": {"message": message or MESSAGES.get(status, "Error"), "param": None,
                      "type": code or NUMBERED_TYPES.get(status, "InternalServerError"),
                      "code": status}}


def _llama_error(status, code, message):
    if status == 503 and not message:
        message = "Loading model"
    return {"error": {"code": status, "message": message or MESSAGES.get(status, "Error"),
                      "type": code or LLAMA_TYPES.get(status, "server_error")}}


def _ollama_error(status, code, message):
    del code
    return {"error": {"message": message or MESSAGES.get(status, "Error"), "param": None,
                      "type": OLLAMA_TYPES.get(status, "api_error"), "code": None}}


@dataclasses.dataclass(frozen=True)
class Dialect:
    """
    `usage`: "x_groq" in the closing chunk, "asked" as an extra chunk on demand, "always" as an
    extra chunk. `strict`: the fields that are taken, None ignores strangers. `in_stream`: how an
    error looks within a stream.
    """

    name: str
    error: object
    strict: set | None = None
    needs_key: bool = False
    usage: str = "asked"
    first_content: str | None = ""
    reasoning_field: str = "reasoning"
    role_in_all: bool = False
    whole_tools: bool = False
    tool_ids: str = "call_"
    any_model: bool = False
    in_stream: str = "data"
    chunk_extra: dict = dataclasses.field(default_factory=dict)

    def tool_id(self):
        return self.tool_ids + uuid.uuid4().hex[:12]


DIALECTS = {
    "groq": Dialect("groq", _vendor_error(GROQ_ERRORS), request.GROQ, True, usage="x_groq",
                    chunk_extra={"system_fingerprint": "fp_simulated"}),
    "openai": Dialect("openai", _vendor_error(OPENAI_ERRORS), request.OPENAI, True,
                      chunk_extra={"system_fingerprint": None, "service_tier": "default"}),
    "vllm": Dialect("vllm", _vllm_error, tool_ids="chatcmpl-tool-", in_stream="data+done"),
    "llama.cpp": Dialect("llama.cpp", _llama_error, first_content=None,
                         reasoning_field="reasoning_content", any_model=True, tool_ids="",
                         chunk_extra={"system_fingerprint": "b0000-simulated"}),
    "llama.cpp-old": Dialect("llama.cpp-old", _llama_error, usage="always", first_content=None,
                             reasoning_field="reasoning_content", any_model=True, tool_ids="",
                             in_stream="error-field"),
    "ollama": Dialect("ollama", _ollama_error, role_in_all=True, whole_tools=True,
                      chunk_extra={"system_fingerprint": "fp_ollama"}),
}


def of(exchange):
    return DIALECTS[exchange.settings["dialect"]]
