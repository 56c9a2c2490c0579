# SPDX-License-Identifier: ISC
"""
axe-core judges how well people who see, hear or move otherwise can use a page. It is not part of
the tree: a package that carries it is fetched once with pip and kept under tests/output/.
"""
import hashlib
import subprocess
import sys
import zipfile

import pytest

import program

PACKAGE = "axe-playwright-python==0.1.8"
MEMBER = "axe_playwright_python/axe.min.js"
SHA256 = "84494fec757e4710dc751c8d7a636e457f4532f08f85c86dc9070133fbff53bc"
FOLDER = program.ROOT / "tests/output/axe"
RULES = {"resultTypes": ["violations"],
         "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}
RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, arguments[0]).then((found) => done(found.violations), (e) => done(String(e)));
"""


def fetch():
    """The text of axe.min.js; None where it can not be had."""
    script = FOLDER / "axe.min.js"
    if not script.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", "--no-deps",
                        "--timeout", "15", "--retries", "1", "--dest", FOLDER, PACKAGE],
                       check=False, capture_output=True)
        for wheel in FOLDER.glob("*.whl"):
            with zipfile.ZipFile(wheel) as archive:
                script.write_bytes(archive.read(MEMBER))
    if not script.exists():
        return None
    data = script.read_bytes()
    assert hashlib.sha256(data).hexdigest() == SHA256, f"{script} is not the one we know"
    return data.decode("utf-8")


@pytest.fixture(scope="session")
def axe():
    """
    axe(driver) -> what is serious or critical on the page that the browser shows, as lines;
    axe(driver, "color-contrast") looks at that rule alone.
    """
    text = fetch()
    if text is None:
        pytest.skip(f"{PACKAGE} can not be fetched")

    def judge(driver, rule=None):
        if not driver.execute_script("return typeof axe === 'object'"):
            driver.execute_script(text)
        found = driver.execute_async_script(RUN, {**RULES, "runOnly": [rule]} if rule else RULES)
        assert isinstance(found, list), found
        return [f"{each['id']}: {each['help']}: {node['html'][:120]}" for each in found
                if each["impact"] in ("serious", "critical") for node in each["nodes"]]
    return judge
