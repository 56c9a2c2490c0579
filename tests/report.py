# SPDX-License-Identifier: ISC
"""Counts tests in the JUnit files of ctest and pytest, and names the failed and skipped ones."""
import re
import xml.etree.ElementTree as ElementTree


def compiled_cases(case):
    """The cmocka tests within one program, as (name, outcome, why); found in what it printed."""
    program = case.get("name")
    printed = case.findtext("system-out") or ""
    outcomes = re.findall(r"^\[ +(OK|FAILED|SKIPPED) +\] (?!.*listed below:$)(.+)$", printed, re.M)
    for outcome, name in outcomes:
        yield f"{program}: {name}", outcome.lower(), ""
    if case.get("status") == "fail" and "FAILED" not in dict(outcomes):
        failure = case.find("failure")
        why = failure.get("message", "") if failure is not None else ""
        yield program, "failed", why or "the program failed"
    elif case.get("status") in ("notrun", "disabled"):
        yield program, "skipped", "was not run"


def python_case(case):
    name = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
    for child in case:
        if child.tag in ("failure", "error"):
            return name, "failed", ""
        if child.tag == "skipped":
            return name, "skipped", child.get("message", "")
    return name, "ok", ""


def read(path):
    cases = ElementTree.parse(path).getroot().iter("testcase")
    if path.name.startswith("ctest"):
        return [found for case in cases for found in compiled_cases(case)]
    return [python_case(case) for case in cases]


def repeatable(path):
    """
    The failed Python tests of a file as pytest names them, for a second try; None when one of them
    tells of a sanitizer's finding, which counts at once.
    """
    names = []
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        if python_case(case)[1] == "failed":
            if "Sanitizer" in "".join(case.itertext()) + str([child.attrib for child in case]):
                return None
            names.append("tests/" + python_case(case)[0])
    return names


def tell(paths, again=None):
    """
    Prints the result; True only if something ran and nothing failed. A test that is good in the
    file `again`, of a second try, is named as unsteady.
    """
    found = []
    for path in paths:
        if path.exists():
            found += read(path)
    steady = {case[0] for case in read(again) if case[1] == "ok"} if again else set()
    for name, _, _ in found:
        if name in steady:
            print(f"unsteady: {name} (failed beside others, passed by itself)")
    found = [(name, "ok", "") if name in steady else (name, outcome, why)
             for name, outcome, why in found]
    # cmocka lists failed and skipped tests once more at the end of a program.
    found = list(dict.fromkeys(found))
    by_outcome = {outcome: [case for case in found if case[1] == outcome]
                  for outcome in ("ok", "failed", "skipped")}
    for outcome in ("skipped", "failed"):
        for name, _, why in by_outcome[outcome]:
            print(f"{outcome}: {name}" + (f" ({why})" if why else ""))
    counts = {outcome: len(cases) for outcome, cases in by_outcome.items()}
    print(f"{counts['ok']} passed, {counts['failed']} failed, {counts['skipped']} skipped")
    if not found:
        print("no test ran")
    return counts["ok"] > 0 and counts["failed"] == 0
