# SPDX-License-Identifier: ISC
"""
A supervisor's browser looks at calls: one that a recorded caller really made, talking into the
agent's words, and some that are written into the database, as odd as they come.
"""
import contextlib
import datetime
import json
import shutil
import signal
import sqlite3
import uuid

import pytest

import browser as chromium
import caller_voice
import conf as configurations
import conftest
import program
from axe import axe  # noqa: F401, a fixture
from people import GOOD, People
from socket_caller import SocketCaller

NASTY = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>&amp;"
OFFICE = {
    "agents": {"default": {"record": True}},
    "prices": {"browser": {"connection_minute": 0.6}},
}
STAGES = ["endpointing_ms", "llm_ms", "tts_ms", "playout_ms"]
pytestmark = pytest.mark.slow


class Office:
    """A server, who may look, and one call that was made."""

    def __init__(self, server, folder):
        self.server, self.folder = server, folder

    def detail(self, call_id):
        answer = self.server.get(f"/calls/call-detail/{call_id}/")
        return answer.json if answer.status == 200 else None

    def sql(self, statement, rows):
        [file] = self.folder.rglob("aicaller.db")
        with contextlib.closing(sqlite3.connect(file, timeout=20)) as database:
            with database:
                database.executemany(statement, rows)


def spoken(number):
    return caller_voice.at_16_khz(caller_voice.sentence("rms", number))


def make_call(office):
    """The caller talks into the greeting, is answered, says a day, is answered, and hangs up."""
    with SocketCaller(office.server) as caller:
        caller.until(lambda: len(caller.sound) > 56000, "the greeting is being played")
        caller.until(lambda: caller.noted("heard", turn=1), "the first answer", say=spoken(0))
        caller.until(lambda: caller.noted("heard", turn=2), "the second answer", say=spoken(1))
        caller.hang_up()
    return program.eventually(
        lambda: (found := office.detail(caller.call_id)) and found["call"]["ended_at"]
        and found["recordings"] and found["recordings"][0]["ended_at"] and found,
        "the whole call is in the records")


@pytest.fixture(scope="module")
def office(tmp_path_factory, built):
    folder = tmp_path_factory.mktemp("office")
    port = program.free_port()
    group = configurations.merged(
        configurations.default(port, folder, program.BUILD / "plugins"), OFFICE)
    path = folder / "aicaller.conf"
    path.write_text(configurations.group_text(group), encoding="utf-8")
    log = conftest.OUTPUT / "test_admin_call_page.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    server = program.Server(path, port, folder, log, program=built).start()
    People(lambda *words, **options: program.run(words, folder, built, **options),
           (path, port)).add("ada", "admin")
    place = Office(server, folder)
    place.call = make_call(place)
    yield place
    server.stop(signal.SIGINT)


class Desk:
    """The supervisor's browser."""

    def __init__(self, driver, office, pictures):
        self.driver, self.office, self.pictures = driver, office, pictures
        self.driver.get(f"{office.server.url}/admin/")
        status = self.driver.execute_async_script(
            """fetch("/admin/api/login/", {
                method: "POST", headers: {"content-type": "application/json"},
                body: JSON.stringify({name: arguments[0], password: arguments[1]}),
            }).then((answer) => arguments[2](answer.status));""", "ada", GOOD)
        assert status == 200
        self.driver.get_log("browser")

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def until(self, condition, what, seconds=20):
        return program.eventually(condition, f"{what}\n{self.js('return document.body.innerText')}",
                                  seconds)

    def look(self, scheme="light", width=1300, height=1000):
        self.driver.set_window_size(width, height)
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def open(self, page, ready):
        """Shows a page anew, and waits for an element of it."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.office.server.url}/admin/#/{page}")
        self.until(lambda: self.js("return document.querySelector(arguments[0])", ready), ready)

    def texts(self, selector):
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".map((element) => element.innerText.trim())", selector)

    def picture(self, name):
        assert self.driver.save_screenshot(str(self.pictures / f"{name}.png"))

    def complaints(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@pytest.fixture(scope="module")
def desk(office, tmp_path_factory):
    if chromium.missing():
        pytest.skip(f"{chromium.missing()} is not installed")
    pictures = conftest.OUTPUT / "test_admin_call_page"
    shutil.rmtree(pictures, ignore_errors=True)
    pictures.mkdir(parents=True)
    driver = chromium.start(tmp_path_factory.mktemp("profile"), log=pictures / "chromedriver.log")
    try:
        yield Desk(driver, office, pictures)
    finally:
        driver.quit()


@pytest.fixture
def page(desk, office):
    """The page of the call that was made; nothing may be complained of in the end."""
    desk.look()
    desk.open(f"calls/{office.call['call']['call_id']}", ".spoken")
    yield desk
    assert desk.complaints() == []


def widths(page, row):
    """The lengths of a row's bars as parts of the track, by stage."""
    return page.js("""const track = arguments[0].querySelector(".wf-track").getBoundingClientRect();
        return Object.fromEntries([...arguments[0].querySelectorAll("[data-stage]")].map((bar) => {
            const {left, width} = bar.getBoundingClientRect();
            return [bar.dataset.stage, [(left - track.left) / track.width, width / track.width]];
        }));""", row)


def test_the_conversation_tells_what_was_heard_and_what_was_not(page, office):
    messages = office.call["messages"]
    cut = messages[0]
    assert cut["interrupted"] and len(cut["heard"]) < len(cut["content"])
    assert page.texts(".spoken.agent .heard")[0] == cut["heard"].strip()
    unheard = page.js("return document.querySelector('s.unheard').textContent")
    assert unheard == " Not heard: " + cut["content"][len(cut["heard"]):]
    assert page.texts(".spoken .chip") == ["interrupted; the rest was not heard"]
    said = [message["content"] for message in messages if message["role"] == "user"]
    assert page.texts(".spoken.caller .heard") == said
    assert page.texts("#why") == ["The caller hung up."]
    page.picture("call_light")


def test_the_waterfall_is_as_long_as_the_api_says(page, office):
    turns = office.call["turns"]
    rows = page.driver.find_elements("css selector", ".wf-row")
    assert [int(row.get_attribute("data-turn")) for row in rows] == [turn["turn"] for turn in turns]
    ends = page.js("return [...document.querySelectorAll('.wf-axis span')].at(-1).innerText")
    number, unit = ends.split()
    scale_ms = float(number) * {"ms": 1, "s": 1000}[unit]
    for row, turn in zip(rows, turns):
        at, shown = 0, widths(page, row)
        assert set(shown) == {stage for stage in [*STAGES, "stt_ms"] if turn[stage] is not None}
        for stage in STAGES:
            if turn[stage] is not None:
                expected = [at / scale_ms, turn[stage] / scale_ms]
                assert shown[stage] == pytest.approx(expected, abs=0.004), stage
                at += turn[stage]
        assert at == pytest.approx(turn["response_ms"], abs=4), "the stages add up"
    page.driver.find_element("css selector", ".waterfall summary").click()
    table = page.until(lambda: page.texts(".waterfall tbody td"), "the table")
    assert table[:6] == [str(turns[0][name]) if turns[0][name] is not None else "–" for name in (
        "endpointing_ms", "stt_ms", "llm_ms", "tts_ms", "playout_ms", "response_ms")]
    assert "sphinx" in table[6] and "flite" in table[6]


def test_sound_and_words_follow_each_other(page, office):
    lines = page.js("return document.querySelectorAll('.spoken').length")
    assert lines == len(office.call["messages"])
    page.until(lambda: page.js("return document.querySelector('audio').readyState") >= 1,
               "the sound is here")
    length = page.js("return document.querySelector('audio').duration")
    assert length == pytest.approx(office.call["recordings"][0]["duration_s"], abs=0.1)
    began = datetime.datetime.fromisoformat(office.call["recordings"][0]["started_at"])
    times = [datetime.datetime.fromisoformat(message["detail"]["began_at"])
             for message in office.call["messages"]]
    place = [(time - began).total_seconds() for time in times]
    assert place == sorted(place) and 0 <= place[0] and place[-1] < length

    def now():
        return page.js("return document.querySelector('audio').currentTime")

    def marked():
        return page.js("""return [...document.querySelectorAll('.spoken')]
            .findIndex((line) => line.ariaCurrent === "true")""")
    times = page.driver.find_elements("css selector", ".spoken .line-time")
    times[2].click()
    assert now() == pytest.approx(place[2], abs=0.05)
    page.until(lambda: marked() == 2, "the chosen line is marked")
    times[2].send_keys("\ue015")  # arrow down
    page.driver.switch_to.active_element.send_keys("\ue007")  # enter
    assert now() == pytest.approx(place[3], abs=0.05)
    page.until(lambda: marked() == 3, "the next line is marked")
    wave = page.driver.find_element("css selector", ".wave")
    wave.send_keys("\ue011")  # home
    assert now() == 0
    wave.send_keys("\ue014")  # arrow right: 5 s
    assert now() == pytest.approx(5, abs=0.05)
    assert wave.get_attribute("aria-valuenow") == "5"
    page.js("""document.querySelector('audio').currentTime = arguments[0];
        document.querySelector('audio').play();""", place[1] - 0.3)
    page.until(lambda: marked() == 1, "the line that is played is marked")
    assert now() >= place[1] - 0.06
    page.js("document.querySelector('audio').pause()")


LEVELS = """
    const canvas = document.querySelector(".wave canvas");
    const {width, height} = canvas;
    const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
    const style = getComputedStyle(document.documentElement);
    const levels = (name) => {
        const wanted = style.getPropertyValue(name).trim().slice(1).match(/../g)
            .map((part) => parseInt(part, 16));
        const loudest = new Array(101).fill(0);
        for (let x = 0; x < width; x++) {
            let found = 0;
            for (let y = 0; y < height; y++) {
                const at = 4 * (y * width + x);
                found += wanted.every((value, i) => Math.abs(pixels[at + i] - value) < 8);
            }
            const part = Math.floor(100 * x / width);
            loudest[part] = Math.max(loudest[part], found / height);
        }
        return loudest;
    };
    return {caller: levels("--caller"), agent: levels("--agent")};
"""


def test_the_picture_shows_both_voices_where_they_spoke(page, office):
    """In hundredths of the call."""
    levels = page.until(lambda: max((drawn := page.js(LEVELS))["agent"]) > 0 and drawn, "a picture")
    recording = office.call["recordings"][0]
    began = datetime.datetime.fromisoformat(recording["started_at"])

    def part(time):
        moment = datetime.datetime.fromisoformat(time) - began
        return int(100 * moment.total_seconds() / recording["duration_s"])
    for message in office.call["messages"]:
        who = "caller" if message["role"] == "user" else "agent"
        first, last = part(message["detail"]["began_at"]), part(message["detail"]["ended_at"])
        assert max(levels[who][first:last + 1]) > 0.08, (message["content"], first, last)


def test_cost_and_events_are_told(page, office):
    cost = office.call["cost"]
    assert cost["total"] > 0
    minutes = office.call["call"]["duration_s"] / 60
    shown = [float(text) for text in page.texts(".cost tfoot td")]
    assert shown == pytest.approx([cost["total"], cost["total"] / minutes], abs=0.005)
    assert len(page.texts(".cost tbody tr")) == len(cost["items"])
    shown = page.js("return [...document.querySelectorAll('[data-event]')]"
                    ".map((item) => item.dataset.event)")
    assert set(shown) >= {"created", "answered", "ended"}
    assert len(shown) == len(office.call["events"]) + 3


def test_the_report_has_no_words_of_people(page, office):
    page.driver.execute_cdp_cmd("Browser.grantPermissions", {
        "origin": office.server.url,
        "permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    page.driver.find_element("id", "report").click()
    text = page.until(lambda: page.driver.execute_async_script(
        "navigator.clipboard.readText().then(arguments[0], () => arguments[0](''))"), "a copy")
    report = json.loads(text)
    assert report["turns"][0]["response_ms"] == office.call["turns"][0]["response_ms"]
    assert report["version"] != "unknown"
    for message in office.call["messages"]:
        assert message["content"] not in text


def test_it_is_readable_in_the_dark_and_on_a_phone(page):
    def brightness():
        colour = page.js("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3
    light = brightness()
    page.look("dark")
    page.until(lambda: brightness() < 60 < 200 < light, "it is dark")
    page.picture("call_dark")
    page.look("light", width=400)
    page.until(lambda: page.js("return innerWidth") <= 500, "it is narrow")
    assert page.js("return document.documentElement.scrollWidth - innerWidth") <= 0
    page.picture("call_phone")


def insert(office, table, rows):
    names = ["revision", *rows[0]]
    office.sql(f"INSERT INTO {table} ({', '.join(names)}) VALUES (1{', ?' * len(rows[0])})",
               [tuple(row.values()) for row in rows])


def test_all_of_it_can_be_used_without_eyes_or_hands(desk, office, axe):  # noqa: F811
    call = f"calls/{office.call['call']['call_id']}"
    for scheme, path, ready in (("dark", call, ".wf-row"), ("light", "", ".plot canvas")):
        desk.look(scheme)
        desk.open(path, ready)
        desk.js("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
        assert axe(desk.driver) == [], (scheme, path)
    assert desk.complaints() == []


def add_odd_call(office, count):
    """A call with HTML in every field and so many messages, long over."""
    call_id, at = str(uuid.uuid4()), "2026-01-05T10:00:00.000Z"
    times = ("created_at", "started_at", "answered_at", "ended_at")
    texts = ("call_sid", "provider", "from_number", "to_number", "agent", "end_reason")
    insert(office, "calls", [{
        "call_id": call_id, "direction": "inbound", "status": "completed", "duration_s": 60,
        **dict.fromkeys(times, at), **dict.fromkeys(texts, NASTY),
        "from_number": NASTY + 200 * "9", "agent": 200 * "x"}])
    if count == 0:
        return call_id
    tools = {"tool_calls": [{"function": {"name": NASTY, "arguments": NASTY}}]}
    roles = ("user", "assistant", "tool", "system")
    insert(office, "messages", [{
        "message_id": str(uuid.uuid4()), "call_id": call_id, "turn": i // 2, "role": roles[i % 4],
        "content": f"{NASTY} {i}", "heard": NASTY[:9], "at": at, "provider": NASTY, "name": NASTY,
        "interrupted": 1, "detail": json.dumps(tools)} for i in range(count)])
    names = ("role", "from", "to", "code", "category", "text", "name", NASTY)
    insert(office, "events", [{
        "event_id": str(uuid.uuid4()), "call_id": call_id, "type": kind, "at": at,
        "provider": NASTY, "detail": json.dumps(dict.fromkeys(names, NASTY))}
        for kind in ("failover", "tool", "reprompt", "transfer", NASTY)])
    insert(office, "turns", [{
        "turn_id": str(uuid.uuid4()), "call_id": call_id, "turn": i, "at": at, "llm_ms": 300,
        "endpointing_ms": 500, "tts_ms": 100, "response_ms": 900, "failovers": 1,
        **dict.fromkeys(("stt_provider", "llm_provider", "tts_provider"), NASTY)}
        for i in range(count // 4)])
    insert(office, "usage", [{
        "usage_id": str(uuid.uuid4()), "call_id": call_id, "at": at, "provider": NASTY,
        "role": NASTY, "units": json.dumps({NASTY: 5}), "cost": 0.5}])
    return call_id


def test_a_call_of_2000_messages_full_of_html_is_text_and_stays_usable(desk, office):
    desk.look()
    call_id = add_odd_call(office, 2000)
    desk.open(f"calls/{call_id}", ".spoken")
    assert desk.js("return document.querySelectorAll('.spoken').length") == 2000
    assert desk.js("return document.querySelectorAll('main img, main script').length") == 0
    assert "owned" not in desk.driver.title.replace(NASTY, "")
    shown = desk.js("return document.querySelector('main').textContent")
    assert f"{NASTY} 1996" in shown and f"{NASTY} took over from {NASTY}" in shown
    assert "This call was not recorded" in shown
    assert desk.js("return document.documentElement.scrollWidth - innerWidth") <= 0
    took_ms = desk.js("""const start = performance.now();
        document.querySelectorAll('.spoken .line-time')[1500].click();
        document.querySelector('main').getBoundingClientRect();
        return performance.now() - start;""")
    assert took_ms < 1000
    desk.picture("call_2000")
    assert desk.complaints() == []


def test_a_call_without_anything_and_one_that_is_gone_are_explained(desk, office):
    call_id = add_odd_call(office, 0)
    desk.look()
    desk.open(f"calls/{call_id}", ".timeline")
    for text in ("Nothing was said.", "No answer was measured.", "No provider has told"):
        assert text in desk.js("return document.querySelector('main').innerText")
    assert desk.complaints() == []
    desk.open(f"calls/{uuid.uuid4()}", ".empty")
    assert "erased" in desk.texts(".empty")[0]
    desk.complaints()  # the browser notes the 404 itself


def add_failover(office):
    """As if the language model had failed in the call just now."""
    now = datetime.datetime.now(datetime.timezone.utc)
    ms = f"{int(now.timestamp() * 1000):012x}"
    insert(office, "events", [{
        "event_id": f"{ms[:8]}-{ms[8:]}-7000-8000-000000000001", "type": "failover",
        "call_id": office.call["call"]["call_id"],
        "at": now.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "detail": json.dumps({"role": "llm", "from": "groq", "to": "script"})}])


def ink(page):
    """How many colours each plot has: a blank one has one at most."""
    return page.js("""return [...document.querySelectorAll('.plot canvas')].map((canvas) => {
        const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
        const colours = new Set();
        for (let i = 0; i < data.length; i += 4) {
            if (data[i + 3] > 200) {
                colours.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
            }
        }
        return colours.size;
    });""")


def test_the_overview_has_the_figures_of_the_statistics(desk, office):
    add_failover(office)
    desk.look()
    desk.open("", ".tile")
    desk.until(lambda: len(ink(desk)) >= 5 and min(ink(desk)) > 2, "all plots are drawn")
    stats = office.server.get("/calls/stats/?by=all").json
    [calls] = stats["calls"]
    tiles = dict(zip(desk.texts(".tile > .small:first-child"), desk.texts(".tile-value")))
    assert tiles["Calls"] == str(calls["calls"])
    response = next(row for row in stats["latency"] if row["stage"] == "response_ms")
    assert tiles["Answer time"] in (f"{response['p50']} ms", f"{response['p50'] / 1000:.1f} s")
    assert float(tiles["Cost"]) == pytest.approx(calls["cost"], abs=0.005)
    desk.driver.find_element("css selector", ".plot summary").click()
    table = desk.texts(".plot:first-of-type tbody tr")
    assert len(table) >= 24 and sum(int(row.split("\t")[1]) for row in table[:24]) == 1
    assert "groq 1 times." in " ".join(desk.js(
        "return [...document.querySelectorAll('.plot-area')].map((area) => area.ariaLabel)"))
    providers = desk.texts("[data-provider] .chip")
    assert providers and set(providers) == {"works"}
    desk.picture("overview_light")
    desk.look("dark")
    desk.until(lambda: min(ink(desk)) > 2, "they are drawn in the dark")
    desk.picture("overview_dark")
    desk.driver.find_element("css selector", "[data-period='7d']").click()
    desk.until(lambda: desk.texts("[data-period='7d'][aria-pressed='true']"), "seven days")
    desk.until(lambda: "per day" in desk.texts("main")[0], "by days")
    desk.look(width=400)
    assert desk.js("return document.documentElement.scrollWidth - innerWidth") <= 0
    desk.picture("overview_phone")
    assert desk.complaints() == []


def press(desk, words):
    """A button of the page, once it is there."""
    desk.until(lambda: desk.js("""
        const button = [...document.querySelectorAll("main button")].find(
            (each) => each.innerText === arguments[0]);
        button?.click();
        return Boolean(button);""", words), words)


def test_a_live_call_grows_and_is_hung_up(desk, office):
    desk.look()
    with SocketCaller(office.server) as caller:
        caller.until(lambda: len(caller.sound) > 32000, "the greeting is being played")
        desk.open(f"calls/{caller.call_id}", "#why")
        assert desk.texts("#why") == ["The call is going on."]
        caller.socket.send({"type": "text", "text": "I need an appointment"})
        caller.until(lambda: caller.noted("heard", turn=1), "the answer")
        desk.until(lambda: len(desk.texts(".spoken")) >= 3, "the conversation grows")
        assert "I need an appointment" in desk.texts(".spoken.caller .heard")
        press(desk, "Pause recording")
        desk.until(lambda: "The recording was paused." in desk.texts(".timeline")[0],
                   "it is paused")
        press(desk, "Resume recording")
        desk.until(lambda: "The recording went on." in desk.texts(".timeline")[0], "it goes on")
        press(desk, "Hang up…")
        desk.driver.find_element("xpath", "//dialog//button[contains(., 'Hang up')]").click()
        caller.until_over()
    desk.until(lambda: "Somebody hung up" in desk.texts("#why")[0], "it says why it ended")
    assert desk.complaints() == []
