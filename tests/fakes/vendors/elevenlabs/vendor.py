# SPDX-License-Identifier: ISC
"""ElevenLabs: its endpoints and settings, and the small requests that deep checks make."""
from ..core import keys
from ..core.exchange import Endpoint, Vendor
from ..media import voice
from . import common, context, rest, streaming

SETTINGS = {**keys.SETTINGS, **voice.SETTINGS, "tone_hz": 400, "voices": None, "max_contexts": 5,
            "error_shape": "new", "character_count": 1234, "character_limit": 100000}


def _authorised(answer):
    def handle(exchange):
        refusal = common.authorise(exchange)
        return exchange.answer(answer(exchange)) if refusal is None else refusal
    return handle


def _subscription(exchange):
    settings = exchange.settings
    return {
        "tier": "creator", "status": "active", "character_count": settings["character_count"],
        "character_limit": settings["character_limit"], "can_extend_character_limit": False,
        "allowed_to_extend_character_limit": False, "max_credit_limit_extension": 0,
        "next_character_count_reset_unix": 1800000000, "voice_slots_used": 1, "voice_limit": 30,
        "professional_voice_slots_used": 0, "professional_voice_slots_used_in_workspace": 0,
        "professional_voice_limit": 1, "voice_add_edit_counter": 0, "can_extend_voice_limit": False,
        "can_use_instant_voice_cloning": True, "can_use_professional_voice_cloning": True,
        "currency": "usd", "current_overage": {"amount": "0", "currency": "usd"},
        "billing_period": "monthly_period", "character_refresh_period": "monthly_period"}


def _user(exchange):
    return {"user_id": "simulated", "workspace_id": "simulated", "is_new_user": False,
            "subscription": _subscription(exchange), "can_use_delayed_payment_methods": False,
            "is_onboarding_completed": True, "is_onboarding_checklist_completed": True,
            "created_at": 1700000000, "seat_type": "workspace_admin"}


def _voice(voice_id):
    return {"voice_id": voice_id, "name": common.VOICES.get(voice_id, "Simulated"),
            "category": "premade", "labels": {}, "available_for_tiers": []}


def _known_voices(exchange):
    return exchange.settings["voices"] or list(common.VOICES)


def _one_voice(exchange):
    voice_id = exchange.request.match_info["voice"]
    refusal = common.authorise(exchange)
    if refusal is not None:
        return refusal
    if voice_id not in _known_voices(exchange):
        return exchange.refuse(404, "voice_not_found")
    return exchange.answer(_voice(voice_id))


def _model(model, most_chars):
    return {"model_id": model, "name": model, "can_do_text_to_speech": True,
            "maximum_text_length_per_request": most_chars, "token_cost_factor": 1.0,
            "languages": [{"language_id": "en", "name": "English"}],
            "model_rates": {"character_cost_multiplier":
                            0.5 if model.startswith(common.CHEAP) else 1.0}}


SPEECH = "/v1/text-to-speech/{voice}"
ENDPOINTS = [
    Endpoint("elevenlabs", "speech", "POST", SPEECH, rest.speak, "stream"),
    Endpoint("elevenlabs", "stream", "POST", SPEECH + "/stream", rest.speak, "stream"),
    Endpoint("elevenlabs", "speech-timed", "POST", SPEECH + "/with-timestamps", rest.speak_timed),
    Endpoint("elevenlabs", "stream-timed", "POST", SPEECH + "/stream/with-timestamps",
             rest.stream_timed, "stream"),
    Endpoint("elevenlabs", "stream-input", "GET", SPEECH + "/stream-input", streaming.stream_input,
             "socket", context.QUIRKS),
    Endpoint("elevenlabs", "multi-stream-input", "GET", SPEECH + "/multi-stream-input",
             streaming.multi_stream_input, "socket", streaming.MULTI_QUIRKS),
    Endpoint("elevenlabs", "user", "GET", "/v1/user", _authorised(_user)),
    Endpoint("elevenlabs", "subscription", "GET", "/v1/user/subscription",
             _authorised(_subscription)),
    Endpoint("elevenlabs", "voices", "GET", "/v1/voices", _authorised(
        lambda exchange: {"voices": [_voice(each) for each in _known_voices(exchange)]})),
    Endpoint("elevenlabs", "voice", "GET", "/v1/voices/{voice}", _one_voice),
    Endpoint("elevenlabs", "models", "GET", "/v1/models", _authorised(
        lambda _: [_model(model, most) for model, most in common.MODELS.items()])),
]
VENDOR = Vendor("elevenlabs", SETTINGS, ENDPOINTS, common.error, common.headers,
                {"error_shape": ("new", "legacy", "text")})


def claims(request):
    return "xi-api-key" in request.headers
