# SPDX-License-Identifier: ISC
"""Pages and their files: compressed where the browser takes it, never sent twice, and small."""
import gzip
import json
import pathlib
import re

import pytest

import program

STATIC = program.ROOT / "host/web/static"
GZIP = {"Accept-Encoding": "gzip, deflate, br"}
PAGE_BYTES = 150_000


def served():
    """(path, file) of everything that the manifest names."""
    lines = (STATIC / "manifest.txt").read_text(encoding="utf-8").splitlines()
    return [tuple(line.split()[:2]) for line in lines if line.startswith("/")]


def test_every_file_comes_as_it_is_and_compressed(shared_server):
    for path, name in served():
        plain = shared_server.get(path)
        packed = shared_server.get(path, headers=GZIP)
        assert plain.body == (STATIC / name).read_bytes(), path
        assert gzip.decompress(packed.body) == plain.body, path
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert packed.headers["Content-Type"] == plain.headers["Content-Type"]
        assert packed.headers["ETag"] != plain.headers["ETag"], "they are different bytes"
        assert plain.headers["Vary"] == packed.headers["Vary"] == "accept-encoding"


@pytest.mark.parametrize("wish", ["identity", "gzip;q=0", "br, *;q=0", ""])
def test_who_takes_no_gzip_gets_none(shared_server, wish):
    answer = shared_server.get("/static/admin/style.css", headers={"Accept-Encoding": wish})
    assert "Content-Encoding" not in answer.headers
    assert answer.body == (STATIC / "admin/style.css").read_bytes()


def test_what_the_browser_has_compressed_is_not_sent_again(shared_server):
    tag = shared_server.get("/static/admin/app.js", headers=GZIP).headers["ETag"]
    again = shared_server.get("/static/admin/app.js", headers={**GZIP, "If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")
    assert "Content-Encoding" not in again.headers
    weak = f'"other", W/{tag}'
    again = shared_server.get("/static/admin/app.js", headers={**GZIP, "If-None-Match": weak})
    assert again.status == 304, "a proxy may have made the tag weak"
    plain = shared_server.get("/static/admin/app.js", headers={"If-None-Match": tag})
    assert plain.status == 200, "it has the other form"


def loads(path, seen):
    """All that a file makes the browser load, modules of other pages included."""
    if path in seen or path not in dict(served()):
        return seen
    seen.add(path)
    text = (STATIC / dict(served())[path]).read_text(encoding="utf-8")
    for quoted in re.findall(r'["`]((?:/static/|\./)[\w./-]+)["`]', text):
        loads(f"{pathlib.PurePosixPath(path).parent}/{quoted[2:]}" if quoted[0] == "." else quoted,
              seen)
    return seen


def test_the_admin_pages_all_together_weigh_less_than_150_kb(shared_server):
    names = set()
    for path, _ in served():
        if path.startswith(("/admin/", "/static/admin/")):
            loads(path, names)
    sizes = {path: len(shared_server.get(path, headers=GZIP).body) for path in names}
    assert "/static/vendor/preact.js" in sizes
    assert sum(sizes.values()) < PAGE_BYTES, sorted(sizes.items(), key=lambda item: -item[1])


def test_the_shell_is_for_everybody_and_holds_nothing(shared_server):
    elsewhere = {"Host": "voice.example.com"}
    for path in ("/admin/", "/admin", "/static/admin/app.js", "/static/vendor/preact.js"):
        assert shared_server.get(path, headers=elsewhere).status == 200, path
    assert shared_server.get("/static/style.css", headers=elsewhere).status == 403


def test_every_word_of_the_pages_is_there_in_every_language():
    words = json.loads((STATIC / "admin/words.json").read_text(encoding="utf-8"))
    assert set(words) == {"en", "hi"}
    assert list(words["en"]) == list(words["hi"])
    used = set()
    for path in (STATIC / "admin").glob("*.js"):
        text = path.read_text(encoding="utf-8")
        used |= set(re.findall(r'[^\w.]t\("([\w.]+)"', text))
    assert used > {"calls.none", "login.title"} and used <= set(words["en"])
    for name, english in words["en"].items():
        values = re.findall(r"\{\w+\}", english)
        assert sorted(re.findall(r"\{\w+\}", words["hi"][name])) == sorted(values), name
