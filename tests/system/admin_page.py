# SPDX-License-Identifier: ISC
"""The admin pages in a browser, as a person uses them: by the words on buttons and fields."""
import json

from selenium.common.exceptions import WebDriverException
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

import program
from people import GOOD



class AdminPage:
    def __init__(self, driver, server):
        self.driver = driver
        self.server = server
        self.caller = None  # a SocketCaller who goes on with the call while the page is waited for

    def start(self, path="", language="en", theme=""):
        """Opens the pages as somebody who was never here."""
        self.driver.execute_cdp_cmd("Network.clearBrowserCookies", {})
        self.driver.execute_cdp_cmd("Storage.clearDataForOrigin", {
            "origin": self.server.url, "storageTypes": "local_storage"})
        self.driver.get("about:blank")
        self.driver.get(f"{self.server.url}/static/admin/favicon.svg")
        self.js("localStorage.setItem('language', arguments[0]);"
                "if (arguments[1]) { localStorage.setItem('theme', arguments[1]); }",
                language, theme)
        self.driver.get(f"{self.server.url}/admin/{path}")
        self.until(lambda: self.text("h1"), "the page begins")
        self.driver.get_log("browser")
        return self

    def log_in(self, name, password=GOOD):
        for field, words in (("name", name), ("password", password)):
            found = self.driver.find_element(By.NAME, field)
            found.clear()
            found.send_keys(words)
        self.driver.find_element(By.NAME, "password").send_keys(Keys.ENTER)

    def enter(self, name, path="", **options):
        """In as this user, at this page."""
        self.start(path, **options)
        self.log_in(name)
        self.until(lambda: self.shows(".side"), "one is in")
        return self

    def go(self, path, heading=None):
        self.js("location.hash = arguments[0]", path)
        if heading:
            self.until(lambda: self.text("h1") == [heading], heading)
        return self

    def js(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def shows(self, selector):
        return self.js("return document.querySelector(arguments[0]) !== null", selector)

    def text(self, selector):
        """The shown texts of all elements that match."""
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".map((element) => element.innerText.trim())", selector)

    def all(self):
        return " ".join(self.text("body"))

    def buttons(self):
        return self.text("button, a.button")

    def click(self, words, within=""):
        """A button or link by its text."""
        found = self.until(lambda: self.js(
            "return [...document.querySelectorAll(`${arguments[1]} button, ${arguments[1]} a`)]"
            ".find((element) => element.innerText.trim() === arguments[0])", words, within),
            f"there is {words!r}")
        self.js("arguments[0].click()", found)

    def fill(self, name, words, within="dialog"):
        found = self.driver.find_element(By.CSS_SELECTOR, f"{within} [name='{name}']")
        found.clear()
        found.send_keys(words)
        return found

    def choose(self, name, value, within="form"):
        self.js("const field = document.querySelector(arguments[0]); field.value = arguments[1];"
                "field.dispatchEvent(new Event('change', {bubbles: true}))",
                f"{within} [name='{name}']", value)

    def fetch(self, method, path, headers=None, body=None):
        """What the server says to a script of the page: (status, body)."""
        return self.driver.execute_async_script("""
            const [method, path, headers, body, done] = arguments;
            fetch(path, { method, headers, body })
                .then(async (answer) => done([answer.status, await answer.text()]));
            """, method, path, headers or {}, body)

    def prefer(self, scheme):
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {
            "features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def size(self, width, height):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500})

    def brightness(self):
        """Of the page's background, 0 to 255."""
        colour = self.js("return getComputedStyle(document.body).backgroundColor")
        return sum(int(part) for part in colour.partition("(")[2].rstrip(")").split(",")[:3]) / 3

    def until(self, condition, what, seconds=10):
        def asked():
            try:
                return condition()
            except WebDriverException:
                return None  # the page is on its way to another
        try:
            if self.caller and not self.caller.is_over:
                return self.caller.until(asked, what, seconds=seconds)
            return program.eventually(asked, what, seconds)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.driver.current_url}\n{self.all()}") from None

    def picture(self, folder, name):
        assert self.driver.save_screenshot(str(folder / f"{name}.png"))

    def complaints(self, *expected):
        """What the browser complained about since the last time: errors, refused by policy."""
        entries = [entry["message"] for entry in self.driver.get_log("browser")
                   if entry["level"] in ("SEVERE", "WARNING")]
        return [each for each in entries if not any(word in each for word in expected)]


def problem(answer):
    """(status, type) of what `fetch` brought."""
    status, text = answer
    return status, json.loads(text)["type"].rpartition("#")[2]
