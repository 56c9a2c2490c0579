# SPDX-License-Identifier: ISC
"""
A real browser, whose microphone is a file, speaks to the voice page and listens. What the page
shows, what comes out of its loudspeaker and what the records say must be the same conversation.
"""
import base64
import pathlib
import signal

import numpy
import pytest

import caller_voice
import program

PROBE = (pathlib.Path(__file__).resolve().parent / "page_probe.js").read_text(encoding="utf-8")
GREETING = "Hello, this is an automated assistant. How can I help you?"
pytestmark = pytest.mark.slow


class VoicePage:
    """The page in the browser."""

    def __init__(self, browser, server, microphone=None, path="/calls/voice-test/"):
        self.server = server
        self.driver = browser("about:blank", microphone=microphone)
        self.driver.set_window_size(1200, 900)
        self.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": PROBE})
        self.driver.get(server.url + path)

    def prefer(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def brightness(self):
        """Of the page's background, 0 to 255."""
        colour = self.js("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def click(self, element_id):
        self.driver.find_element("id", element_id).click()

    def text(self, selector):
        """The shown texts of all elements that match."""
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".map((element) => element.innerText.trim())", selector)

    def turn(self, number, who):
        return " ".join(self.text(f'[data-turn="{number}"] .bubble.{who} .text'))

    def until(self, condition, what, seconds=20):
        return program.eventually(
            condition, f"{what}\n{self.text('#state, #notices, #turns')}\n{self.server.log}",
            seconds)

    def picture(self, output, name):
        assert self.driver.save_screenshot(str(output / f"{name}.png"))

    def sound(self, path):
        """(samples, rate, time of the first) of all that left the page; also as a file."""
        answer = self.js("return probe.sound()")
        samples = numpy.frombuffer(base64.b64decode(answer["base64"]), "<i2")
        caller_voice.write(path, samples, int(answer["rate"]))
        return samples, answer["rate"], answer["start"]


def says(*parts):
    """Samples of sentences of a caller, with pauses of so many seconds between them."""
    return numpy.concatenate([
        caller_voice.sentence("rms", part) if isinstance(part, int) else caller_voice.silence(part)
        for part in parts])


def record_of(server, condition):
    def asked():
        calls = server.get("/calls/call-history/?per_page=1").json["calls"]
        found = calls and server.get(f"/calls/call-detail/{calls[0]['call_id']}/").json
        return found if found and condition(found) else None
    return program.eventually(asked, "the whole call is in the records")


def test_one_talks_to_the_page_and_is_answered(serve, browser, tmp_path, output):
    # After the greeting the wish; after the answer the day; into the next answer the time.
    line = says(5.5, 0, 3.6, 1, 1.1, 2, 8.0)
    microphone = caller_voice.write(tmp_path / "caller.wav", line)
    page = VoicePage(browser, serve(), microphone)
    page.prefer("light")
    page.until(lambda: page.text("#state") == ["Ready to call"], "the page is ready")
    light = page.brightness()
    page.picture(output, "1_ready_light")
    page.click("call")
    page.until(lambda: page.turn(0, "agent") == GREETING, "the greeting is shown")
    page.until(lambda: "appointment" in page.turn(1, "user"), "the wish is shown as it is said")
    page.until(lambda: "day" in page.turn(1, "agent"), "the answer is shown")
    page.until(lambda: page.text('[data-turn="1"] .timing strong'), "the turn has its latency")
    page.picture(output, "2_call_light")
    page.prefer("dark")
    assert page.brightness() < 80 < 180 < light
    page.until(lambda: "wednesday" in page.turn(2, "user").lower(), "the day is shown")
    page.until(lambda: page.text('[data-turn="2"] .bubble.agent .chip'), "it was interrupted")
    page.picture(output, "3_interrupted_dark")
    page.until(lambda: page.turn(3, "user"), "what was said into the answer is shown")
    page.until(lambda: page.text('[data-turn="3"] .timing strong'), "its latency is shown")
    assert page.js("return document.body.dataset.phase") == "live"
    page.click("call")
    page.until(lambda: "You hung up" in page.text("#state")[0], "the page hung up")
    page.picture(output, "4_over_dark")

    check_what_was_shown(page)
    check_what_was_heard(page, output)
    check_what_is_recorded(page)
    assert [entry for entry in page.driver.get_log("browser") if entry["level"] == "SEVERE"] == []


def check_what_was_shown(page):
    shown = page.js("return probe.shown")
    for meter in ("you", "them"):
        levels = [each[meter] for each in shown]
        assert max(levels) > 0.4, f"the meter {meter} moves"
        assert sum(level > 0.3 for level in levels) < 0.8 * len(levels)
    assert {each["partial"] for each in shown} - {""}, "words are shown before they are sure"
    for latency in page.text(".timing strong"):
        number, unit = latency.split()
        assert 100 < float(number) * {"ms": 1, "s": 1000}[unit] < 5000, latency
    assert page.text('[data-turn="1"] .timing .part')[0].startswith("end of speech")
    assert any("(sphinx)" in part for part in page.text(".timing .part"))
    assert page.text(".bubble.agent .unheard")[0], "what was not heard is marked"
    assert page.text("#notices") == [""]


def check_what_was_heard(page, output):
    samples, rate, start = page.sound(output / "loudspeaker.wav")
    window = int(rate / 20)
    loud = [caller_voice.loudness(samples[at:at + window]) > 200
            for at in range(0, len(samples) - window, window)]
    assert 4 < sum(loud) / 20 < 16, "the agent is heard for some of the time"
    clears = page.js("return probe.clears")
    assert len(clears) == 1, "one answer was interrupted"
    begin = int((clears[0] - start) * 20)
    assert any(loud[begin - 10:begin]), "the agent spoke when it was interrupted"
    assert not any(loud[begin + 8:begin + 20]), "it was silent from 0.4 s to 1 s later"


def check_what_is_recorded(page):
    found = record_of(page.server, lambda call: call["call"]["ended_at"])
    assert found["call"]["status"] == "completed"
    assert found["call"]["end_reason"] == "caller_hung_up"
    assert found["call"]["provider"] == "browser"
    shown = [(turn, who, page.turn(turn, who)) for turn in range(4) for who in ("user", "agent")]
    roles = {"user": "user", "assistant": "agent"}
    stored = {(message["turn"], roles[message["role"]]): message["content"]
              for message in found["messages"] if message["role"] in roles}
    for turn, who, text in shown:
        assert text == stored.get((turn, who), ""), (turn, who)
    assert [turn["turn"] for turn in found["turns"]][:2] == [1, 2]


def test_without_leave_to_use_the_microphone_one_is_told_and_can_type(serve, browser):
    page = VoicePage(browser, serve())
    page.js("""navigator.mediaDevices.getUserMedia =
        () => Promise.reject(new DOMException("no", "NotAllowedError"));""")
    page.click("call")
    page.until(lambda: "may not use the microphone" in page.text("#notices")[0], "it is explained")
    page.driver.find_element("xpath", "//button[.='Call without a microphone']").click()
    page.until(lambda: page.turn(0, "agent") == GREETING, "the call begins")
    page.driver.find_element("id", "words").send_keys("goodbye\n")
    page.until(lambda: "Goodbye" in page.turn(1, "agent"), "the typed words are answered")
    page.until(lambda: "The agent hung up" in page.text("#state")[0], "the agent hangs up")
    assert "completed" in page.text("#state")[0], "it says why"


def test_a_server_that_goes_away_is_told_on_the_page(serve, browser):
    server = serve()
    page = VoicePage(browser, server)
    page.click("call-typing")
    page.until(lambda: page.turn(0, "agent") == GREETING, "the call begins")
    server.stop(signal.SIGINT)
    page.until(lambda: "The server ended the call" in page.text("#notices")[0], "it is told")
    assert page.js("return document.body.dataset.phase") == "idle"
    page.click("call")
    page.until(lambda: "server" in page.text("#notices")[0].lower(), "calling again is explained")


def test_the_chat_page_answers_and_speaks(serve, browser, output):
    page = VoicePage(browser, serve(), path="/calls/test/")
    page.driver.find_element("id", "words").send_keys("I need an appointment\n")
    page.until(lambda: "day" in page.turn(1, "agent"), "the answer is shown")
    page.click("voice")
    page.driver.find_element("id", "words").send_keys("<b>Monday</b>\n")
    page.until(lambda: "Monday" in page.turn(2, "agent"), "the next one too")
    assert page.turn(2, "user") == "<b>Monday</b>", "texts are only ever texts"
    page.until(lambda: page.js(
        "return probe.blocks.some(({ samples }) => samples.some((s) => Math.abs(s) > 0.05))"),
        "the answer is heard")
    page.picture(output, "chat")
