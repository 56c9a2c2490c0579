# SPDX-License-Identifier: ISC
"""What schemathesis checks of every answer, beside what it checks by itself."""
import schemathesis


@schemathesis.check
def described_or_refused_by_the_port(_context, response, case):
    """A status that is not in the description is a refusal of the port: about:blank."""
    described = case.operation.definition.raw["responses"]
    if str(response.status_code) in described:
        return
    kind = response.headers.get("content-type", [""])[0]
    problem = response.json() if kind == "application/problem+json" else {}
    assert problem.get("type") == "about:blank", \
        f"{response.status_code} is not described: {response.text[:300]}"
    assert response.status_code in (400, 404, 405, 408, 411, 413, 414, 417, 426, 431, 501), \
        f"the port says {response.status_code}"


@schemathesis.check
def tells_nothing_of_its_inside(_context, response, _case):
    """No answer has words of a database or of a program that broke."""
    text = response.text.lower()
    for word in ("syntax error", "sqlite", "sqlstate", "no such table", "segmentation"):
        assert word not in text or response.status_code < 400, response.text[:300]
