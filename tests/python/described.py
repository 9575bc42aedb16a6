"""Does the description of the doors tell the truth? It is valid OpenAPI 3.1, and its examples are sent and answered.

Each example of a request is sent to a gateway of our own, which has what the example names: a thread, a message, an
attachment. The answer must have a status of success that the description names, the content type that goes with it,
and the shape. So must the answer of each door that takes no body.

    python described.py PATH-OF-THE-PROGRAM docs/openapi.json
"""

import json
import sys
import urllib.parse
from http.client import HTTPConnection
from pathlib import Path

from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from echo import Echo
from gateway import ANSWER_SECONDS_MAX, Gateway

METHODS = ("get", "put", "post", "delete", "patch")
SETTINGS = {"SESSION_SECRET": "a secret of these tests and of nothing else in the world", "AUTH_ATTEMPTS_PER_MINUTE": "0"}
ACCOUNT = {"email": "grace@example.org", "password": "a long password", "full_name": "Grace"}
QUESTION = {
    "content": [{"type": "input_text", "text": "What are the three terms of a PID controller?"}],
    "attachments": [],
    "inference_options": {},
}


class Document:
    """The description, and what fits it."""

    def __init__(self, path):
        self.json = json.loads(Path(path).read_text())

    def wrong(self, schema, value):
        """What is wrong with a value of this shape, or nothing."""
        whole = schema | {"components": self.json["components"]}
        validator = Draft202012Validator(whole, format_checker=FormatChecker())
        return "; ".join(f"{error.json_path}: {error.message[:300]}" for error in validator.iter_errors(value))

    def found(self, described):
        """What a reference stands for, or the thing itself."""
        while "$ref" in described:
            at = self.json
            for name in described["$ref"].removeprefix("#/").split("/"):
                at = at[name]
            described = at
        return described

    def operations(self):
        for path, item in self.json["paths"].items():
            for method in METHODS:
                if method in item:
                    yield method.upper(), path, item[method]

    def examples(self, content):
        """The examples of a body, by name; a shape whose members all have one makes an example, too."""
        if "examples" in content:
            return {name: example["value"] for name, example in content["examples"].items()}
        if "example" in content:
            return {"the example": content["example"]}
        schema = self.found(content.get("schema", {}))
        if "example" in schema:
            return {"the example": schema["example"]}
        members = {name: self.found(member) for name, member in schema.get("properties", {}).items()}
        told = {name: member["example"] for name, member in members.items() if "example" in member}
        return {"the examples of its members": told} if set(schema.get("required", [])) <= told.keys() and told else {}


class Reader:
    """Somebody who has something of everything that an example may name."""

    count = 0

    def __init__(self, gateway):
        self.gateway = gateway
        self.headers = {}
        Reader.count += 1
        status, _, _, body = self.send("POST", "/auth/signup", ACCOUNT | {"email": f"{Reader.count}@example.org"})
        assert status == 201, body
        self.headers = {"authorization": "Bearer " + json.loads(body)["session"]["token"]}
        _, _, _, events = self.send("POST", "/chatkit", {"type": "threads.create", "params": {"input": QUESTION}})
        events = [json.loads(line[6:]) for line in events.decode().splitlines() if line.startswith("data: ")]
        message = next(event["item"] for event in events if event.get("item", {}).get("type") == "user_message")
        announced = {"name": "notes.txt", "size": 12, "mime_type": "text/plain"}
        _, _, _, body = self.send("POST", "/chatkit", {"type": "attachments.create", "params": announced})
        self.attachment = json.loads(body)
        self.things = {"thr_": message["thread_id"], "msg_": message["id"], "atc_": self.attachment["id"]}

    def owning(self, value):
        """An example with the things of this reader in the place of those it names."""
        if isinstance(value, dict):
            return {name: self.owning(member) for name, member in value.items()}
        if isinstance(value, list):
            return [self.owning(member) for member in value]
        if isinstance(value, str) and value[:4] in self.things and "0198f0c3a1b27d4e8f90a1b2c3d4" in value:
            return self.things[value[:4]]
        return value

    def send(self, method, path, body=None, headers=None):
        """Status, content type, headers and bytes of an answer."""
        if isinstance(body, (dict, list)):
            body, headers = json.dumps(body), {"content-type": "application/json"} | (headers or {})
        connection = HTTPConnection("127.0.0.1", self.gateway.port, timeout=ANSWER_SECONDS_MAX)
        try:
            connection.request(method, path, body, self.headers | (headers or {}))
            answer = connection.getresponse()
            kind = answer.headers.get("content-type", "").split(";")[0]
            return answer.status, kind, answer.headers, answer.read()
        finally:
            connection.close()


def events(body):
    """What a stream of events holds, as the description says it."""
    blocks = body.decode().split("\n\n")
    lines = [[line[6:] for line in block.splitlines() if line.startswith("data: ")] for block in blocks]
    return [{"data": "\n".join(data)} for data in lines if data]


def unlike(document, operation, status, kind, body):
    """What in an answer is not as the description has it."""
    if str(status) not in operation["responses"] or status >= 400:
        return f"answered with {status}: {body[:300]!r}"
    contents = document.found(operation["responses"][str(status)]).get("content", {})
    if not contents:
        return f"there is a body: {body[:100]!r}" if body else ""
    content = contents.get(kind, contents.get("*/*"))
    if content is None:
        return f"the answer is {kind}"
    if kind == "application/json":
        return document.wrong(content.get("schema", {}), json.loads(body))
    if kind == "text/event-stream":
        wrong = [document.wrong(content["schema"], event) for event in events(body)]
        data = content["schema"]["properties"]["data"]["contentSchema"]
        wrong += [document.wrong(data, json.loads(event["data"])) for event in events(body)]
        return "; ".join(filter(None, wrong)) or ("" if events(body) else "the stream is empty")
    return "" if body else "the answer is empty"


def bare(document, reader, path, operation):
    """The path with what it names, or nothing where the description does not say what there is."""
    for parameter in map(document.found, operation.get("parameters", [])):
        value = parameter.get("example", parameter.get("schema", {}).get("example"))
        if parameter["in"] == "path":
            if value is None and parameter["name"] not in ("id", "conversation_id"):
                return None
            value = reader.owning(value) if value is not None else reader.things["atc_" if "attach" in path else "thr_"]
            path = path.replace("{" + parameter["name"] + "}", urllib.parse.quote(value, safe="/"))
    return path


def tried(document, gateway):
    """Every example and every door without a body, and what is wrong with its answer."""
    for method, path, operation in document.operations():
        name = f"{method} {path}"
        contents = document.found(operation.get("requestBody", {})).get("content", {})
        if contents.get("application/json") is None and contents:
            continue
        # A socket is spoken to in another way.
        if "101" in operation["responses"] or any(parameter.get("required") and parameter["in"] == "query" for parameter in operation.get("parameters", [])):
            continue
        examples = document.examples(contents["application/json"]) if contents else {"no body": None}
        if not examples:
            yield name, "has no example"
        for example, value in examples.items():
            reader = Reader(gateway)
            if (method, path) != ("POST", "/profile"):
                reader.send("POST", "/profile", {"tech_background": "beginner", "learning_speed": "thorough"})
            place = bare(document, reader, path, operation)
            if place is None:
                yield name, "names something in its path, and no example of it"
                continue
            # A file that was only announced is not there, and a reader who has signed in is no visitor.
            if path == "/attachments/{id}":
                upload = urllib.parse.urlsplit(reader.attachment["upload_descriptor"]["url"])
                reader.send("PUT", f"{upload.path}?{upload.query}", b"Hello, world")
            if path == "/visitor":
                reader.headers = {}
            for accepted in accepting(operation):
                yield from one(document, reader, operation, f"{name}, {example}{accepted and ', ' + accepted}", place, value, accepted)


def accepting(operation):
    """What to say that one takes: nothing, and each way in which the door answers besides."""
    contents = operation["responses"].get("200", {}).get("content", {})
    return ["", *(["text/plain"] if "text/plain" in contents else [])]


def one(document, reader, operation, name, place, value, accepted):
    headers = {"accept": accepted} if accepted else {}
    method = name.split(" ")[0]
    if value is not None and "signin" in place:
        reader.send("POST", "/auth/signup", value | {"full_name": "Somebody"})
    body = None if value is None else reader.owning(value)
    status, kind, _, told = reader.send(method, place, body, headers)
    yield name, unlike(document, operation, status, kind, told)


def untrue(document):
    """What is not as the description itself has it: examples that do not fit their shapes."""
    for method, path, operation in document.operations():
        bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
        for body in map(document.found, bodies):
            for content in body.get("content", {}).values():
                for name, value in document.examples(content).items():
                    wrong = document.wrong(content.get("schema", {}), value)
                    if wrong and name != "the examples of its members":
                        yield f"{method} {path}, {name}: {wrong}"
    for name, schema in document.json["components"]["schemas"].items():
        for member, shape in schema.get("properties", {}).items():
            if "example" in shape and (wrong := document.wrong(shape, shape["example"])):
                yield f"{name}.{member}: {wrong}"


def main(program, path):
    document = Document(path)
    failures = [f"{path}: {'/'.join(map(str, error.path))}: {error.message[:300]}" for error in OpenAPIV31SpecValidator(document.json).iter_errors()]
    failures += [f"{path}: {wrong}" for wrong in untrue(document)]
    passed = 0
    with Echo() as echo, Gateway(program, **SETTINGS | echo.settings) as gateway:
        status, _, _, served = Reader(gateway).send("GET", "/openapi.json")
        if status != 200 or json.loads(served) != document.json:
            failures.append(f"{path} is not what the program says of itself; run `make docs`")
        for name, wrong in tried(document, gateway):
            if wrong:
                failures.append(f"{name}: {wrong}")
            else:
                passed += 1
    for failure in failures:
        print(f"FAIL {failure}")
    print(f"{passed} examples sent and answered as described, {len(failures)} failed")
    return 1 if failures or not passed else 0


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
