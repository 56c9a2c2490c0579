# SPDX-License-Identifier: ISC
"""People who log in to the admin pages, for tests: made by the command, and their browsers."""
import json

GOOD = "correct horse battery"


def type_of(answer):
    """The last part of a problem's type."""
    return answer.json["type"].rpartition("#")[2]


class People:
    """people.add("jo", "admin"); people.conf is (file, port) for a server that knows them."""

    def __init__(self, aicaller, conf):
        self.aicaller = aicaller
        self.conf = conf

    def run(self, *words, **options):
        return self.aicaller("user", *words, "-c", self.conf[0], **options)

    def add(self, name, role="viewer", password=GOOD):
        result = self.run("add", name, "--role", role, "--password-file", "-", text=password + "\n")
        assert result.returncode == 0, result.stderr

    def list(self):
        result = self.run("list", "--json")
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)


class Browser:
    """
    What a browser shows the server: its cookie, the Origin of our page, and in a session the token
    that the page was given.
    """

    def __init__(self, server):
        self.server = server
        self.cookie = None
        self.csrf = None
        self.headers = {"Origin": server.url}

    def log_in(self, name, password=GOOD, headers=None):
        answer = self.send("POST", "/admin/api/login/", {"name": name, "password": password},
                           headers)
        if answer.status == 200:
            self.csrf = answer.json["csrf"]
        return answer

    def take_cookie(self, answer):
        for text in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = text.partition(";")[0].partition("=")
            assert name == "aicaller_session", text
            self.cookie = value

    def send(self, method, path, body=None, headers=None):
        ours = {**self.headers, **({"Cookie": f"aicaller_session={self.cookie}"} if self.cookie
                                   else {}),
                **({"X-CSRF-Token": self.csrf} if self.csrf and method != "GET" else {}),
                **(headers or {})}
        answer = self.server.request(method, path, body,
                                     {key: value for key, value in ours.items()
                                      if value is not None})
        self.take_cookie(answer)
        return answer

    def get(self, path, headers=None):
        return self.send("GET", path, None, headers)

    def post(self, path, body=None, headers=None):
        return self.send("POST", path, {} if body is None else body, headers)
