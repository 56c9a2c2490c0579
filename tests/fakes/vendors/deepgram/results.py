# SPDX-License-Identifier: ISC
"""The messages of /v1/listen, as the API reference shows them. Pure."""
import dataclasses
import datetime

MODEL_UUID = "5f9b2c9e-0000-4000-8000-000000000001"
PUNCTUATION = ".,;:!?\"'"


@dataclasses.dataclass
class Segment:
    """A stretch of audio and what was said in it; times in milliseconds of the stream."""

    words: list
    begin_ms: int
    end_ms: int
    first_word_ms: int
    last_word_ms: int
    confidence: float = 0.98
    language: str = "en"


def _words(segment, query):
    count = len(segment.words)
    each = max(1, segment.last_word_ms - segment.first_word_ms) / max(1, count)
    found = []
    for number, word in enumerate(segment.words):
        begin = (segment.first_word_ms + number * each) / 1000
        entry = {"word": word.strip(PUNCTUATION).lower() or word, "start": round(begin, 3),
                 "end": round(begin + each / 1000, 3), "confidence": segment.confidence}
        if query["punctuate"] or query["smart_format"]:
            entry["punctuated_word"] = word
        if query["diarize"]:
            entry["speaker"] = 0
        if query["language"] == "multi":
            entry["language"] = segment.language
        found.append(entry)
    return found


def results(segment, query, request_id, **flags):
    """flags: is_final, speech_final, from_finalize; one that is None is left out."""
    alternative = {"transcript": " ".join(segment.words),
                   "confidence": segment.confidence if segment.words else 0.0,
                   "words": _words(segment, query)}
    if query["language"] == "multi":
        alternative["languages"] = [segment.language] if segment.words else []
    message = {
        "type": "Results",
        "channel_index": [0, query["channels"]],
        "duration": round((segment.end_ms - segment.begin_ms) / 1000, 3),
        "start": round(segment.begin_ms / 1000, 3),
        **{name: value for name, value in flags.items() if value is not None},
        "channel": {"alternatives": [alternative]},
        "metadata": {"request_id": request_id, "model_info": {
            "name": "general-" + query["model"], "version": "2026-01-01.0",
            "arch": "-".join(query["model"].split("-")[:2])}, "model_uuid": MODEL_UUID},
    }
    if query["detect_entities"] and flags.get("is_final"):
        message["entities"] = []
    return message


def speech_started(at_ms):
    return {"type": "SpeechStarted", "channel": [0, 1], "timestamp": round(at_ms / 1000, 3)}


def utterance_end(last_word_ms):
    """-1 has been reported where Deepgram knows no last word."""
    end = -1 if last_word_ms is None else round(last_word_ms / 1000, 3)
    return {"type": "UtteranceEnd", "channel": [0, 1], "last_word_end": end}


def metadata(request_id, sha256, duration_ms, channels):
    now = datetime.datetime.now(datetime.timezone.utc)
    return {"type": "Metadata", "transaction_key": "deprecated", "request_id": request_id,
            "sha256": sha256, "created": now.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "duration": round(duration_ms / 1000, 3), "channels": channels}
