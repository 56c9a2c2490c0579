# SPDX-License-Identifier: ISC
"""
Text in, sound out, over a WebSocket: what the two forms of it share. Text is held back until there
is enough of it, as the chunk length schedule says, unless the client flushes or runs in auto mode.
"""
import base64

from ..core.outbox import Outbox
from ..media.voice import Voice
from . import common

SCHEDULE = [120, 160, 250, 290]
TRIGGER_CHARS = 50
QUERY = {"model_id", "output_format", "language_code", "enable_logging", "enable_ssml_parsing",
         "inactivity_timeout", "sync_alignment", "auto_mode", "apply_text_normalization", "seed",
         "authorization", "single_use_token", "optimize_streaming_latency"}
QUIRKS = {
    "is_final_snake": "is_final instead of isFinal",
    "is_final_false": "isFinal is false instead of null beside sound",
    "alignment_spelling": "charsStartTimesMs and charsDurationsMs in alignments",
    "no_alignment": "alignments are null",
    "one_message": "all sound of a generation comes in one message, which may exceed 1 MiB",
    "final_missing": "the last message with isFinal is missing",
}
SETTINGS_CHANGED = ("voice_settings field must be provided in the first message and then either be "
                    "not provided or not change.")


class Refuse(Exception):
    """The session ends with an error frame and close code 1008."""

    def __init__(self, error, message):
        super().__init__(message)
        self.error = error


class Options:
    """The query of a connection."""

    def __init__(self, exchange):
        query = exchange.query
        for name in set(query) - QUERY:
            exchange.entry.violation(f"the query parameter {name} is not documented")
        self.form, _ = common.output_format(query.get("output_format", "mp3_44100_128"))
        self.model = query.get("model_id", "eleven_multilingual_v2")
        self.auto_mode = query.get("auto_mode") == "true"
        self.alignment = query.get("sync_alignment") == "true"
        self.inactivity_s = min(float(query.get("inactivity_timeout", 20)), 180)
        if self.model not in common.MODELS:
            raise ValueError(f"the model {self.model} was not found")
        if self.model == "eleven_v3":
            raise ValueError("eleven_v3 is not available on this socket")


class Context:
    """One voice that text is sent to; `names` are the fields that say whose sound a message is."""

    def __init__(self, exchange, socket, options, names):
        self.exchange, self.options, self.names = exchange, options, names
        self.settings = exchange.settings
        self.outbox = Outbox(socket)
        self.voice = Voice(self.settings, options.form)
        self.text = ""
        self.schedule = list(SCHEDULE)
        self.generations = 0
        self.voice_settings = None
        self.begun = False

    def begin(self, message):
        """The first message: settings that stay."""
        self.begun = True
        self.voice_settings = message.get("voice_settings")
        if self.voice_settings is not None:
            try:
                common.check_voice_settings(self.voice_settings)
            except ValueError as problem:
                raise Refuse("invalid_voice_settings", str(problem)) from None
        config = message.get("generation_config") or {}
        schedule = config.get("chunk_length_schedule")
        if schedule is not None:
            if not schedule or not all(isinstance(each, (int, float)) and 50 <= each <= 500
                                       for each in schedule):
                raise Refuse("invalid_input_message",
                             "each item of chunk_length_schedule is between 50 and 500")
            self.schedule = schedule

    def add(self, message):
        """A message with text."""
        settings = message.get("voice_settings")
        if settings is not None and settings != self.voice_settings:
            raise Refuse("invalid_input_message", SETTINGS_CHANGED)
        text = message.get("text") or ""
        if text and not text.endswith(" "):
            self.exchange.entry.violation(f"the text {text[-20:]!r} does not end in a space")
        self.text += text if self.text or text != " " else ""
        wanted = self.schedule[min(self.generations, len(self.schedule) - 1)]
        triggered = message.get("try_trigger_generation") and len(self.text) >= TRIGGER_CHARS
        if message.get("flush") or triggered or len(self.text) >= wanted or self.options.auto_mode:
            self.generate()

    def generate(self):
        """Makes sound of all text that waits."""
        text, self.text = self.text, ""
        if not text.strip():
            return
        self.generations += 1
        settings = self.settings
        if self.exchange.quirk("one_message"):
            self.voice.settings = {**settings, "piece_ms": 10 ** 9}
        delay = settings["first_byte_ms"]
        for number, piece in enumerate(self.voice.speak(text)):
            self.outbox.post(self._message(piece, number == 0), delay)
            delay += settings["piece_every_ms"]

    def _message(self, piece, first):
        alignment = None
        if (self.options.alignment or first) and not self.exchange.quirk("no_alignment"):
            alignment = common.socket_alignment(piece, self.exchange.quirk("alignment_spelling"))
        snake = self.exchange.quirk("is_final_snake")
        return {"audio": base64.b64encode(piece.audio).decode(),
                "is_final" if snake else "isFinal":
                    False if self.exchange.quirk("is_final_false") else None,
                "normalizedAlignment": alignment, "alignment": alignment, **self.names}

    def finish(self):
        """The last message."""
        if not self.exchange.quirk("final_missing"):
            snake = self.exchange.quirk("is_final_snake")
            self.outbox.post({"audio": None, "is_final" if snake else "isFinal": True,
                              "normalizedAlignment": None, "alignment": None, **self.names})


def error_form(code, message):
    """An error frame and the close that follows it: (messages, close code, reason)."""
    error = code or "invalid_input_message"
    message = message or "The input could not be understood."
    return [{"message": message, "error": error, "code": 1008}], 1008, message


def silence(seconds):
    return (f"Have not received a new text input within the timeout of {seconds:g} seconds. "
            "Streaming input terminated. Please make sure to either feed the input in the timely "
            'manner, or to send the end of input text (empty string "") when done.')
