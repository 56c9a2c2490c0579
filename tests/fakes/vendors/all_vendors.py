# SPDX-License-Identifier: ISC
"""The vendors there are, and who is meant where several have the same path."""
from .core.simulator import Simulator
from .deepgram import vendor as deepgram
from .elevenlabs import vendor as elevenlabs
from .openai import vendor as openai
from .twilio import control as twilio_control
from .twilio import vendor as twilio

VENDORS = [deepgram.VENDOR, openai.GROQ, openai.OPENAI, elevenlabs.VENDOR, twilio.VENDOR]
CONTROLS = twilio_control.ROUTES


def claims(name, request):
    """Shared paths such as /v1/models are told apart by the form of their credentials."""
    if name == "elevenlabs":
        return elevenlabs.claims(request)
    if name == "deepgram":
        return deepgram.claims(request)
    return name == "openai" and not elevenlabs.claims(request) and not deepgram.claims(request)


def make():
    """A simulator of all of them."""
    return Simulator(VENDORS, claims, CONTROLS)
