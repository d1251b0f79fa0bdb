"""Reads the kept documents with published validators, and what was said with them: `validate.py openapi FILE`, `asyncapi FILE SCHEMA`,
`frames ASYNCAPI DIRECTORY`. Says `done` at its end, or what is wrong."""

import json
import os
import re
import sys

import jsonschema
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator


def load(path):
    with open(path) as file:
        return json.load(file)


def validator(document, schema):
    """Of one schema of a document, whose references are into that document."""
    whole = {**schema, "components": document["components"]}
    Draft202012Validator.check_schema(whole)
    return Draft202012Validator(whole)


def fail_on(what, value, checker):
    for error in checker.iter_errors(value):
        sys.exit(f"{what}: at {'/'.join(map(str, error.absolute_path))}: {error.message[:2000]}")


def openapi(path):
    document = load(path)
    for error in OpenAPIV31SpecValidator(document).iter_errors():
        sys.exit(f"{path}: {error}")
    names, examples = set(), 0
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if method == "parameters":
                continue
            name = call["operationId"]
            assert name not in names, f"two calls are named {name}"
            names.add(name)
            contents = [call.get("requestBody", {}).get("content", {})]
            contents += [answer.get("content", {}) for answer in call["responses"].values()]
            for media in (media for content in contents for media in content.values()):
                if "example" in media:
                    fail_on(f"{name}: its example", media["example"], validator(document, media["schema"]))
                    examples += 1
    for name, schema in document["components"]["schemas"].items():
        for example in schema.get("examples", []):
            fail_on(name, example, validator(document, schema))
    assert len(names) > 50 and examples > 25, f"{len(names)} calls, {examples} examples"


def asyncapi(path, schema):
    document = load(path)
    definition = load(schema)
    # As it is published it names its parts by addresses, each of which is in it.
    fail_on(path, document, jsonschema.validators.validator_for(definition)(definition))
    for name, message in document["components"]["messages"].items():
        validator(document, message["payload"])
    for channel in document["channels"].values():
        for there in channel["messages"].values():
            assert there["$ref"].removeprefix("#/components/messages/") in document["components"]["messages"], there


def closed(schema, is_whole=True):
    """The same, where what is not named must not be there: members of ours that no schema names are found so."""
    if not isinstance(schema, dict) or not schema:
        return schema
    made = dict(schema)
    for name in ("properties", "patternProperties"):
        if name in made:
            made[name] = {member: closed(one) for member, one in made[name].items()}
    for name in ("items", "additionalProperties"):
        if name in made:
            made[name] = closed(made[name])
    for name in ("allOf", "anyOf", "oneOf"):
        if name in made:
            made[name] = [closed(one, is_whole=False) for one in made[name]]
    return {"allOf": [made], "unevaluatedProperties": False} if is_whole else made


def frames(path, directory):
    """Each line: `{"of": the operation, "name", "data"}`; of streams `path` instead of `of`."""
    document = load(path)
    streams = {name: re.compile(re.sub(r"{[^}]*}", "[^/]+", channel["address"])) for name, channel in document["channels"].items()}
    schemas = document["components"]["schemas"]
    document["components"]["schemas"] = {name: closed(schema, is_whole=False) for name, schema in schemas.items()}
    checkers, seen, count = {}, set(), 0
    for lines in os.scandir(directory):
        for line in open(lines):
            said = json.loads(line)
            if "path" in said:
                said["of"] = next((name for name, path in streams.items() if path.fullmatch(said["path"])), said["path"])
            key = f"{said['of']}.{said['name']}"
            if key not in checkers:
                message = document["components"]["messages"].get(key)
                if message is None:
                    sys.exit(f"nothing is said of {key}: {line}")
                checkers[key] = validator(document, closed(message["payload"]))
            fail_on(f"{key}: {line[:3000]}", said["data"], checkers[key])
            seen.add(key)
            count += 1
    print(f"{count} of {len(seen)} kinds")
    print("not seen: " + ", ".join(sorted(set(document["components"]["messages"]) - seen)))


{"openapi": openapi, "asyncapi": asyncapi, "frames": frames}[sys.argv[1]](*sys.argv[2:])
print("done")
