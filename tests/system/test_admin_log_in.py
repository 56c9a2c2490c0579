# SPDX-License-Identifier: ISC
"""
The people who log in to the admin pages: made by a command, checked by the server, with sessions
that end when they should.
"""
import pytest

import program
from people import GOOD, Browser, People

HISTORY = "/calls/call-history/"
SESSION = "/admin/api/session/"


@pytest.fixture
def people(aicaller, make_conf):
    """people(changes) -> People with a configuration of its own."""
    return lambda changes=None: People(aicaller, make_conf(changes))


def test_who_logs_in_has_a_session_that_ends_with_the_log_out(people, serve):
    ours = people()
    ours.add("jo", "operator")
    server = serve(conf=ours.conf)
    jo = Browser(server)
    assert (jo.get(SESSION).status, jo.get(SESSION).json["has_users"]) == (401, True)
    answer = jo.log_in("jo")
    assert answer.status == 200, answer.text
    assert answer.json["user"] == {"name": "jo", "role": "operator"}
    attributes = answer.headers["Set-Cookie"].split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= set(attributes)
    assert "Secure" not in attributes
    assert answer.headers["Cache-Control"] == "no-store"
    session = jo.get(SESSION)
    assert session.status == 200 and session.json == answer.json
    assert jo.get(HISTORY).status == 200
    assert jo.post("/calls/test-chat/", {"message": "hello"}).status == 200
    cookie = jo.cookie
    assert jo.post("/admin/api/logout/").status == 204
    assert jo.cookie == ""
    jo.cookie = cookie
    answer = jo.get(HISTORY)
    assert (answer.status, answer.json["type"].rpartition("#")[2]) == (401, "session-ended")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
