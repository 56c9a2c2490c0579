# SPDX-License-Identifier: ISC
"""
People at the admin pages, in a real browser: they log in, look for calls, watch one as it runs, end
it, and are kept from what is not for their role.
"""
import datetime
import json
import re
import signal
import sqlite3
import urllib.parse

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import browser as chromium
import conf as configurations
import conftest
import program
from admin_page import AdminPage, problem
from axe import axe  # noqa: F401, it is a fixture
from people import Browser, People
from socket_caller import SocketCaller

CALLS = 120
NASTY = "<img src=x onerror=document.title='owned'><script>document.title='owned'</script>"
STATUSES = ["completed", "failed", "busy", "no_answer"]
HEADINGS = {"": "Overview", "live": "Live calls", "calls": "Calls", "plugins": "Providers",
            "config": "Configuration", "keys": "API keys", "users": "Users", "audit": "Audit log"}
pytestmark = pytest.mark.slow


def call_id(number):
    return f"01a20000-0000-7000-8000-{number:012d}"


def insert(connection, table, **row):
    marks = ", ".join("?" * len(row))
    connection.execute(f"INSERT INTO {table} ({', '.join(row)}, revision) VALUES ({marks}, 1)",
                       tuple(row.values()))


def fill(path):
    """Call `n` was an hour after the one before; the newest has texts that are no texts."""
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    with sqlite3.connect(path) as connection:
        for number in range(CALLS):
            at = (begin + datetime.timedelta(hours=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            is_nasty = number == CALLS - 1
            insert(connection, "calls", call_id=call_id(number), provider="twilio",
                   direction="inbound" if number % 2 else "outbound",
                   from_number=NASTY if is_nasty else f"+1201555{number:04d}",
                   to_number="+15005550006",
                   agent=NASTY if is_nasty else "sales" if number % 10 == 0 else "default",
                   status=STATUSES[number % 4], end_reason=NASTY if is_nasty else "caller_hung_up",
                   created_at=at, started_at=at, answered_at=at, ended_at=at, duration_s=61.4,
                   cost=0.25)
        insert(connection, "messages", seq=1, message_id=call_id(1), call_id=call_id(CALLS - 1),
               turn=1, role="user", content=f"a table for zanzibar {NASTY}", at=at)
        connection.execute("INSERT INTO messages_fts (messages_fts) VALUES ('rebuild')")


@pytest.fixture(scope="module")
def office(tmp_path_factory, built):
    """A server with records, and people: ada administers, otto operates, vera views."""
    folder = tmp_path_factory.mktemp("office")
    port = program.free_port()
    group = configurations.default(port, folder, program.BUILD / "plugins")
    path = folder / "aicaller.conf"
    path.write_text(configurations.group_text(group), encoding="utf-8")
    people = People(lambda *words, **options: program.run(words, folder, built, **options),
                    (path, port))
    for name, role in (("ada", "admin"), ("otto", "operator"), ("vera", "viewer")):
        people.add(name, role)
    fill(folder / "aicaller.db")
    log = conftest.OUTPUT / "test_admin_pages.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.unlink(missing_ok=True)
    server = program.Server(path, port, folder, log, program=built).start()
    server.people = people
    yield server
    server.stop(signal.SIGINT)


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    if chromium.missing():
        pytest.skip(f"{chromium.missing()} is not installed")
    started = chromium.start(tmp_path_factory.mktemp("browser"))
    yield started
    started.quit()


@pytest.fixture
def page(driver, office):
    """The pages for one test, which fails when the browser has anything to complain about."""
    admin = AdminPage(driver, office)
    admin.expected = []
    admin.prefer("light")
    admin.size(1280, 800)
    yield admin
    assert admin.complaints(*admin.expected) == []
    assert admin.js("return document.title") != "owned"


def rows(page):
    """What the list shows, by column."""
    names = ["start", "direction", "from", "to", "agent", "status", "duration", "cost"]
    return [dict(zip(names, cells)) for cells in page.js(
        "return [...document.querySelectorAll('.card .rows tbody tr')]"
        ".map((row) => [...row.cells].map((cell) => cell.innerText.trim()))")]


def wait_for_rows(page, condition, what):
    page.until(lambda: not page.shows("[aria-busy='true']") and condition(rows(page)), what)
    return rows(page)


# Who one is

def test_who_does_not_know_the_password_is_told_and_stays_out(page, office, output):
    page.expected = ["401"]
    page.start("#/calls")
    assert page.text("h1") == ["Log in"]
    assert page.js("return document.activeElement.name") == "name"
    page.picture(output, "log_in_light")
    page.log_in("ada", "wrong horse battery")
    page.until(lambda: page.text("[role=alert]"), "it is told")
    assert not page.shows(".side")
    assert page.js("return document.activeElement.name") == "password"
    page.picture(output, "log_in_wrong")
    page.log_in("ada")
    page.until(lambda: page.text("h1") == ["Calls"], "one comes where one wanted to go")
    wait_for_rows(page, bool, "with what is there")
    assert page.text(".person strong") == ["ada"]


def test_who_guesses_is_locked_out_and_told_for_how_long(page, office):
    page.expected = ["401", "429"]
    office.people.add("lena", "viewer")
    page.start()
    for _ in range(5):
        page.log_in("lena", "a wrong password")
        page.until(lambda: page.text("[role=alert]") and not page.shows("[type=submit]:disabled"),
                   "it is refused")
    page.log_in("lena")
    page.until(lambda: "lock" in " ".join(page.text("[role=alert]")), "also the right one, now")
    assert not page.shows(".side")


def test_who_logs_out_is_out_in_every_window(page, office):
    page.expected = ["401"]
    page.enter("vera", "#/calls")
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("tab")
    page.driver.get(f"{office.url}/admin/#/calls")
    wait_for_rows(page, bool, "the other window needs no second log-in")
    page.click("Log out")
    page.until(lambda: page.text("h1") == ["Log in"], "out")
    page.driver.close()
    page.driver.switch_to.window(first)
    page.until(lambda: "Your session has ended" in page.all(), "out here, too, and told why")
    assert page.driver.get_cookies() == []


def test_a_script_without_the_token_of_the_session_changes_nothing(page, office):
    page.expected = ["403"]
    page.enter("otto", "#/calls")
    path = f"/calls/{call_id(0)}/hangup/"
    assert problem(page.fetch("POST", path)) == (403, "csrf")
    assert problem(page.fetch("POST", path, {"x-csrf-token": "0" * 64})) == (403, "csrf")


def test_who_is_in_may_also_try_the_agent(page, office):
    page.enter("otto", "#/calls")
    path = page.js("return [...document.querySelectorAll('.side a')]"
                   ".find((link) => link.innerText.trim() === 'Text chat').getAttribute('href')")
    page.driver.get(office.url + path)
    page.driver.find_element(By.ID, "words").send_keys("I need an appointment\n")
    page.until(lambda: "day" in " ".join(page.text(".bubble.agent .text")), "it answers")


# The list

def test_the_list_is_filtered_by_what_stands_in_the_address(page, output):
    page.enter("ada", "#/calls?until=2026-02-01")
    shown = wait_for_rows(page, lambda found: len(found) == 50, "the first page")
    assert page.text("[role=status].small") == ["120 calls"]
    assert (shown[1]["duration"], shown[1]["cost"]) == ("1:01", "0.25")
    page.picture(output, "calls_light")
    page.choose("status", "failed")
    shown = wait_for_rows(page, lambda found: len(found) == 30, "failed calls")
    assert {row["status"].partition(" ")[0] for row in shown} == {"Failed"}
    assert "status=failed" in page.driver.current_url
    page.choose("direction", "outbound")
    page.until(lambda: page.text(".empty .title") == ["No call matches"], "none of both")
    page.picture(output, "calls_none")
    page.driver.back()
    wait_for_rows(page, lambda found: len(found) == 30, "back to the failed ones")
    assert page.js("return document.querySelector('[name=direction]').value") == ""
    page.click("Clear filters")
    wait_for_rows(page, lambda found: len(found) >= 50, "all again")
    page.fill("number", "+12015550042\n", within="form")
    shown = wait_for_rows(page, lambda found: len(found) == 1, "one caller")
    assert (shown[0]["from"], shown[0]["direction"]) == ("+12015550042", "Outbound")
    address = page.driver.current_url
    page.driver.get("about:blank")
    page.driver.get(address)
    wait_for_rows(page, lambda found: len(found) == 1, "the address keeps it")
    page.go("#/calls?agent=sales")
    wait_for_rows(page, lambda found: len(found) == 12, "one agent")
    page.go("#/calls?from=2026-01-02&until=2026-01-02")
    wait_for_rows(page, lambda found: len(found) == 24, "one day")


def test_words_that_were_said_are_found_and_errors_are_sentences(page):
    page.expected = ["400"]
    page.enter("ada", "#/calls")
    wait_for_rows(page, bool, "the list")
    page.fill("text", "zanzibar\n", within="form")
    shown = wait_for_rows(page, lambda found: len(found) == 1, "the call")
    assert shown[0]["from"] == NASTY and shown[0]["agent"] == NASTY, "texts are only ever texts"
    assert NASTY in shown[0]["status"]
    page.go("#/calls?status=nonsense")
    page.until(lambda: page.text("[role=alert]"), "it says what is wrong")
    assert "status" in page.text("[role=alert]")[0]
    assert page.buttons().count("Try again") == 1


def test_one_pages_through_the_list_and_back(page):
    page.enter("ada", "#/calls?until=2026-02-01")
    first = wait_for_rows(page, lambda found: len(found) == 50, "the first page")
    asked = "return performance.getEntriesByType('resource').map((each) => each.name)" \
        ".filter((name) => name.includes('call-history'))"
    page.click("Next")
    second = wait_for_rows(page, lambda found: found[0] != first[0], "the second page")
    page.click("Last")
    last = wait_for_rows(page, lambda found: found[-1]["from"] == "+12015550000", "the last page")
    assert "last=true" in page.driver.current_url
    assert page.js("return [...document.querySelectorAll('[aria-disabled=true]')]"
                   ".map((each) => each.innerText)") == ["Next", "Last"]
    page.click("Previous")
    wait_for_rows(page, lambda found: found[-1] != last[-1], "the one before it")
    page.click("First")
    assert wait_for_rows(page, lambda found: found[0] == first[0], "the first one") == first
    assert len({row["from"] for row in first + second}) == 100, "none twice"
    for name in page.js(asked):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(name).query)
        assert query["per_page"] == ["50"], "never more than a page is loaded"


def test_the_list_is_also_a_table_for_spreadsheets(page):
    page.enter("ada", "#/calls?status=busy")
    wait_for_rows(page, bool, "the list")
    path = page.js("return document.querySelector('a[download]').getAttribute('href')")
    status, text = page.fetch("GET", path)
    assert status == 200 and len(text.strip().splitlines()) == 31


# Calls as they run

def watch(page, caller):
    """Opens the running call, the newest one."""
    page.go("#/live", "Live calls")
    page.until(lambda: page.text(".choose"), "the call is there")
    page.js("[...document.querySelectorAll('.choose')]"
            ".find((each) => each.innerText.includes('browser')).click()")
    page.until(lambda: "automated assistant" in " ".join(page.text(".line.assistant")),
               "what was said before one came")
    assert caller.call_id in page.driver.current_url


def test_a_running_call_is_watched_and_ended(page, office, output):
    page.expected = ["409"]
    page.enter("otto", "#/calls")
    with SocketCaller(office) as caller:
        page.caller = caller
        page.until(lambda: caller.noted("heard", turn=0), "the greeting was heard", 20)
        page.until(lambda: page.shows(f".rows a[href$='{caller.call_id}']"),
                   "running calls stand on top of the list")
        watch(page, caller)
        page.picture(output, "live_light")
        caller.socket.send({"type": "text", "text": f"I need an appointment {NASTY}"})
        page.until(lambda: any(NASTY in line for line in page.text(".line.user")),
                   "the words are shown as words", 20)
        page.until(lambda: len(page.text(".line.assistant")) == 2, "the answer is shown, too", 20)
        page.picture(output, "live_talk")
        page.click("Transfer…")
        page.fill("to", "+1 (201) 555-0123")
        page.click("Transfer", "dialog")
        page.until(lambda: page.text("dialog [role=alert]"), "this line can not be handed on")
        page.click("Cancel", "dialog")
        page.until(lambda: not page.shows("dialog"), "it is left")
        page.click("Hang up…")
        page.until(lambda: page.text("dialog h2") == ["Hang up?"], "one is asked first")
        page.picture(output, "live_hang_up")
        page.click("Cancel", "dialog")
        page.until(lambda: not page.shows("dialog"), "nothing happens")
        page.click("Hang up…")
        page.click("Hang up", "dialog")
        caller.until_over()
        page.until(lambda: "The call is over" in page.all(), "it is told")
        page.picture(output, "live_over")
    record = program.eventually(
        lambda: (found := office.get(f"/calls/call-detail/{caller.call_id}/").json)
        and found["call"]["ended_at"] and found, "the record")
    assert record["call"]["status"] == "completed"
    page.go("#/live", "Live calls")
    page.until(lambda: page.text(".page-head .chip") == ["Live"], "connected")
    page.until(lambda: "browser" not in " ".join(page.text(".choose")), "nobody is left")


def test_a_viewer_sees_but_can_do_nothing(page, office, output):
    page.expected = ["403"]
    page.enter("vera", "#/calls?until=2026-02-01")
    shown = wait_for_rows(page, bool, "the list")
    assert re.fullmatch(r"\D*0118", shown[1]["from"]), "of numbers only the end"
    with SocketCaller(office) as caller:
        page.caller = caller
        page.until(lambda: caller.noted("heard", turn=0), "the greeting was heard", 20)
        watch(page, caller)
        assert not {"Hang up…", "Transfer…"} & set(page.buttons())
        token = json.loads(page.fetch("GET", "/admin/api/session/")[1])["csrf"]
        for action, body in (("hangup", None), ("transfer", '{"to": "+12015550123"}')):
            answer = page.fetch("POST", f"/calls/{caller.call_id}/{action}/",
                                {"x-csrf-token": token, "content-type": "application/json"}, body)
            assert problem(answer) == (403, "scope"), action
        page.picture(output, "live_viewer")
        caller.hang_up()
    assert not {"Users", "API keys", "Configuration", "Audit log"} & set(page.text(".side nav a"))
    page.go("#/users", "This page is not for your role")
    assert problem(page.fetch("GET", "/admin/api/users/")) == (403, "scope")


def test_a_stream_that_breaks_is_told_and_comes_back(page, office):
    page.expected = ["/calls/events/"]
    page.enter("vera", "#/live")
    page.until(lambda: page.text(".page-head .chip") == ["Live"], "connected")
    page.js("""window.told = [];
        new MutationObserver(() => told.push(document.querySelector("main").innerText))
            .observe(document.querySelector("main"), {subtree: true, childList: true});""")
    office.reload()
    page.until(lambda: "connection to the server was lost" in " ".join(page.js("return told")),
               "it is told")
    page.until(lambda: page.text(".page-head .chip") == ["Live"], "connected again", 20)


# What administrators do

def test_an_administrator_makes_and_removes_users(page, office, output):
    page.expected = ["409"]
    page.enter("ada", "#/users")
    page.until(lambda: page.text("tbody strong")[:1] == ["ada"], "who there is")
    page.click("Add a user…")
    page.fill("name", "nina")
    page.fill("password", "a good long password")
    page.choose("role", "operator", within="dialog")
    page.picture(output, "users_add")
    page.click("Add a user", "dialog")
    page.until(lambda: "nina" in page.text("tbody strong") and not page.shows("dialog"), "made")
    page.click("Add a user…")
    page.fill("name", "nina")
    page.fill("password", "a good long password")
    page.click("Add a user", "dialog")
    page.until(lambda: page.text("dialog [role=alert]"), "twice is an error, told in the dialog")
    page.driver.find_element(By.CSS_SELECTOR, "dialog input").send_keys(Keys.ESCAPE)
    page.until(lambda: not page.shows("dialog"), "the dialog is left by a key")
    row = page.js("return [...document.querySelectorAll('tbody tr')]"
                  ".findIndex((row) => row.innerText.includes('nina')) + 1")
    for _ in range(5):
        assert Browser(office).log_in("nina", "a wrong password").status == 401
    page.driver.refresh()
    hers = f"tbody tr:nth-child({row})"
    page.until(lambda: "Locked until" in " ".join(page.text(hers)), "locked")
    page.click("Unlock", hers)
    page.until(lambda: "Active" in " ".join(page.text(hers)), "unlocked")
    page.click("Disable…", hers)
    page.click("Disable", "dialog")
    page.until(lambda: "Disabled" in " ".join(page.text(hers)), "disabled")
    page.picture(output, "users")
    page.click("Remove…", hers)
    page.click("Remove", "dialog")
    page.until(lambda: "nina" not in page.text("tbody strong"), "removed")


def test_a_key_is_shown_once_works_and_is_revoked(page, office, output):
    page.enter("ada", "#/keys")
    page.until(lambda: page.text(".empty .title") == ["No API key yet"], "none yet")
    page.picture(output, "keys_none")
    page.click("Make a key…")
    page.fill("name", "crm")
    page.click("Make a key", "dialog")
    key = page.until(lambda: page.text("#new-key"), "the key")[0]
    page.picture(output, "keys_made")
    elsewhere = {"Host": "voice.example.com", "Authorization": f"Bearer {key}"}
    assert office.get("/calls/call-history/", headers=elsewhere).status == 200
    page.click("I have kept it", "dialog")
    page.until(lambda: page.text("tbody strong") == ["crm"], "in the list")
    assert key not in page.driver.page_source
    page.click("Revoke…")
    page.click("Revoke", "dialog")
    page.until(lambda: "Revoked" in page.all(), "revoked")
    program.eventually(lambda: office.get("/calls/call-history/", headers=elsewhere).status == 401,
                       "it is refused")


def test_configuration_providers_and_audit_are_shown(page):
    page.enter("ada", "#/config")
    page.until(lambda: "server.state_dir" in page.text("dt"), "the settings")
    page.driver.find_element(By.CSS_SELECTOR, "input[type=search]").send_keys("local path")
    page.until(lambda: page.text("dt") == ["providers.local.path"], "one is found")
    page.go("#/plugins", "Providers")
    page.until(lambda: "flite" in page.text("tbody strong"), "a provider")
    page.go("#/audit", "Audit log")
    page.until(lambda: "ada" in page.text("tbody td:nth-child(2)"), "who did what")


# Everybody can use them

def visit(page, name, query=""):
    page.go(f"#/{name}{query}", HEADINGS[name])
    page.until(lambda: not page.shows(".waiting") and not page.shows("[aria-busy='true']"), name)


def test_every_page_fits_a_phone_in_both_colours(page, output):
    page.enter("ada")
    page.size(390, 844)
    for scheme in ("light", "dark"):
        page.prefer(scheme)
        page.until(lambda: (page.brightness() < 80) == (scheme == "dark"), scheme)
        for name in HEADINGS:
            visit(page, name)
            width = page.js("return document.documentElement.scrollWidth")
            assert width <= 390, f"{name} is {width} wide"
            page.picture(output, f"phone_{name or 'overview'}_{scheme}")
    page.click("Menu")
    page.until(lambda: page.shows(".side.open"), "the menu opens")
    page.picture(output, "phone_menu")
    page.click("Calls", ".side")
    page.until(lambda: page.text("h1") == ["Calls"] and not page.shows(".side.open"), "and closes")


def test_the_reader_chooses_colours_and_language(page, output):
    page.enter("ada", "#/calls")
    page.js("const choice = document.querySelector('.choices select'); choice.value = 'dark';"
            "choice.dispatchEvent(new Event('change'))")
    assert page.brightness() < 80
    page.js("const choice = document.querySelectorAll('.choices select')[1]; choice.value = 'hi';"
            "choice.dispatchEvent(new Event('change'))")
    page.until(lambda: page.text("h1") == ["कॉल"], "Hindi, after loading anew")
    assert page.js("return document.documentElement.lang") == "hi"
    assert page.brightness() < 80, "the colours stay"
    wait_for_rows(page, bool, "the list")
    page.picture(output, "calls_hindi_dark")


def test_the_keyboard_is_enough(page):
    page.enter("ada", "#/calls")
    wait_for_rows(page, bool, "the list")
    page.js("document.activeElement.blur()")
    body = page.driver.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert page.js("return document.activeElement.className") == "skip"
    assert page.js("return document.activeElement.getBoundingClientRect().top") >= 0, "it is seen"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    assert page.js("return document.activeElement.id") == "main"
    page.js("document.querySelector('.side a[href=\"#/users\"]').focus()")
    assert page.js("return getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.driver.switch_to.active_element.send_keys(Keys.ENTER)
    page.until(lambda: page.js("return document.activeElement.tagName") == "H1",
               "focus goes to the new page")
    assert page.js("return document.title") == "Users · aicaller"


def test_nothing_keeps_people_out(page, axe):  # noqa: F811
    page.start()
    found = {"log-in": axe(page.driver)}
    page.log_in("ada")
    page.until(lambda: page.shows(".side"), "one is in")
    for name in HEADINGS:
        visit(page, name, "?agent=sales" if name == "calls" else "")
        found[name] = axe(page.driver)
        page.prefer("dark")
        found[f"{name}, dark"] = axe(page.driver, "color-contrast")
        page.prefer("light")
    visit(page, "users")
    page.click("Add a user…")
    found["dialog"] = axe(page.driver)
    assert not any(found.values()), json.dumps(found, indent=1)
    page.js("document.querySelector('dialog input').removeAttribute('name');"
            "document.querySelector('dialog label').replaceWith(document.createElement('input'))")
    assert axe(page.driver), "it does find what is wrong"
