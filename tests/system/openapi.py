# SPDX-License-Identifier: ISC
"""schema/openapi.json, to hold answers against it, and a server that has everything in it."""
import contextlib
import json
import re
import signal

import jsonschema

import conf as configurations
import dialling
import people
import program

PATH = program.ROOT / "schema/openapi.json"
METHODS = ("get", "post", "put", "patch", "delete")


class Description:
    def __init__(self, document=None):
        self.document = document or json.loads(PATH.read_text(encoding="utf-8"))
        self.resolver = jsonschema.RefResolver("", self.document)

    def resolved(self, node):
        while isinstance(node, dict) and "$ref" in node:
            node = self.resolver.resolve(node["$ref"])[1]
        return node

    def operations(self):
        """(method, path, operation) of each."""
        for path, item in self.document["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method, path, item[method]

    def find(self, method, path):
        """The operation of a real path; one without braces goes first."""
        path = path.partition("?")[0].rstrip("/")
        found = [(template.count("{"), template) for template in self.document["paths"]
                 if method.lower() in self.document["paths"][template] and
                 re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template.rstrip("/")), path)]
        assert found, f"{method} {path} is not described"
        return self.document["paths"][min(found)[1]][method.lower()]

    def parameters(self, operation):
        return [self.resolved(one) for one in operation.get("parameters", [])]

    def body(self, operation):
        """The schema of its JSON body, or None."""
        content = self.resolved(operation.get("requestBody", {})).get("content", {})
        return self.resolved(content.get("application/json", {}).get("schema"))

    def errors(self, schema, value):
        validator = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        return [f"{'/'.join(map(str, error.absolute_path))}: {error.message[:300]}"
                for error in validator.iter_errors(value)]

    def check(self, method, path, answer):
        """Fails the test where an answer is not described; returns it."""
        place = f"{method} {path[:200]} -> {answer.status}: {answer.body[:500]}"
        kind = (answer.headers["Content-Type"] or "").partition(";")[0]
        if kind == "application/problem+json":
            problem = answer.json
            assert problem["status"] == answer.status, place
            assert not self.errors({"$ref": "#/components/schemas/Problem"}, problem), place
            if problem["type"] == "about:blank":
                assert 400 <= answer.status < 600 and answer.status != 500, place
                return answer
        responses = self.find("GET" if method == "HEAD" else method, path)["responses"]
        assert str(answer.status) in responses, f"not described: {place}"
        response = self.resolved(responses[str(answer.status)])
        content = response.get("content", {})
        if method == "HEAD" or not content:
            assert answer.body == b"", place
            return answer
        assert kind in content, f"not described: {kind}: {place}"
        schema = content[kind].get("schema")
        if schema and kind.endswith("json"):
            errors = self.errors(schema, answer.json)
            assert not errors, (errors, place)
        return answer


@contextlib.contextmanager
def whole_server(folder, built):
    """A server with a carrier, a browser, a storage, and the users ann (admin) and val (viewer)."""
    with dialling.Simulators(folder) as vendors:
        port = program.free_port()
        group = configurations.merged(
            configurations.default(port, folder, program.BUILD / "plugins"),
            dialling.changes(vendors))
        path = folder / "aicaller.conf"
        path.write_text(configurations.group_text(group), encoding="utf-8")
        users = people.People(lambda *words, **more: program.run(words, folder, built, **more),
                              (path, port))
        users.add("ann", "admin")
        users.add("val", "viewer")
        server = program.Server(path, port, folder, folder / "serve.log", program=built).start()
        server.conf = path
        server.folder = folder
        dialling.reach(server, vendors, {"answer": "no-answer"})
        try:
            yield server
        finally:
            server.stop(signal.SIGINT)


class CheckedBrowser(people.Browser):
    """A browser, of which every answer has to be as described."""

    def __init__(self, server, description):
        super().__init__(server)
        self.description = description

    def send(self, method, path, body=None, headers=None):
        return self.description.check(method, path, super().send(method, path, body, headers))
