"""The OpenAPI document: the client of the web interface is generated from it."""

from __future__ import annotations

import pytest
from openapi_spec_validator import validate

CALLS = {
    ("get", "/backend/status"),
    ("get", "/backend/settings"),
    ("post", "/backend/settings"),
    ("get", "/backend/image"),
    ("get", "/backend/image/{path}"),
    ("post", "/backend/image"),
    ("post", "/backend/image/fetch"),
    ("post", "/backend/image/classify"),
    ("post", "/backend/image/generate"),
    ("post", "/backend/image/label"),
    ("get", "/backend/image/stats"),
    ("post", "/backend/image/stats"),
    ("post", "/backend/image/archive"),
    ("get", "/backend/model/{type}"),
}


@pytest.fixture
def document(client):
    return client.get("/backend/openapi.json").json()


def operations(document):
    return {(method, path): each for path, item in document["paths"].items() for method, each in item.items()}


def test_document_is_valid(document):
    validate(document)


def test_every_call_is_documented(document):
    assert operations(document).keys() >= CALLS


def test_every_operation_says_what_it_does(document):
    named = operations(document).values()
    assert len({each["operationId"] for each in named}) == len(named)
    for each in named:
        assert each["summary"]
        assert each["description"]
        assert each["tags"][0] in {tag["name"] for tag in document["tags"]}


def test_every_error_is_documented_as_a_problem(document):
    for (method, path), operation in operations(document).items():
        errors = {status: each for status, each in operation["responses"].items() if status == "default" or int(status) >= 400}
        assert "default" in errors, (method, path)
        for status, response in errors.items():
            [(media_type, content)] = response["content"].items()
            assert media_type == "application/problem+json", (method, path, status)
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            if status != "default":
                assert content["example"]["status"] == int(status)
                assert set(content["example"]) <= set(document["components"]["schemas"]["Problem"]["properties"])


def test_every_answer_and_body_has_a_schema_or_an_example(document):
    for (method, path), operation in operations(document).items():
        parts = [operation["requestBody"]] if "requestBody" in operation else []
        parts += [each for status, each in operation["responses"].items() if status.startswith("2")]
        for part in parts:
            for media_type, content in part.get("content", {}).items():
                assert "schema" in content or "example" in content or media_type.startswith("image/"), (method, path)


def test_fields_of_requests_have_their_limits(document):
    count = document["components"]["schemas"]["GenerateRequest"]["properties"]["count"]["anyOf"][0]
    assert (count["minimum"], count["maximum"]) == (1, 100)
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_pages_to_read_it_are_there(client):
    assert "openapi.json" in client.get("/backend/docs").text
