"""`description`: the server's interface in the words of OpenAPI 3.1, for `/openapi.json`."""

from __future__ import annotations

from typing import Any

from meprop_nlp.config import HEAD_NAMES
from meprop_nlp.serve.limits import MOST_TEXTS
from meprop_nlp.serve.udpipe import INPUTS, OUTPUTS

_TEXT = {"type": "string"}
_LINE = {"type": "string", "pattern": "^[^\\n]*$"}
# a word of a given sentence: something besides spaces, and nothing that ends a column or a line
_WORD = {"type": "string", "pattern": "^[^\\t\\n\\r\\0]*[^\\t\\n\\r\\0 ][^\\t\\n\\r\\0]*$"}


def description(version: str) -> dict[str, Any]:
    """Return the description as an object of JSON.

    Args:
        version: of the package.
    """
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "meprop-nlp",
            "version": version,
            "summary": "Tags, lemmas and dependency trees.",
            "license": {"name": "MIT"},
        },
        "paths": {
            "/": {"get": _operation("A page to try a sentence on.", {"200": _html()})},
            "/healthz": {"get": _health()},
            "/models": {
                method: _operation(
                    "The models that are served, as UDPipe has it.", {"200": _body("Models")}, name
                )
                for method, name in (("get", "models"), ("post", "models_post"))
            },
            "/process": {"get": _process_by_url(), "post": _process_by_form()},
            "/annotate": {"post": _annotate()},
            "/openapi.json": {
                "get": _operation("This description.", {"200": _json({"type": "object"})})
            },
        },
        "components": {"schemas": _schemas()},
    }


def _operation(
    summary: str, responses: dict[str, Any], identifier: str = "", **more: Any
) -> dict[str, Any]:
    named = {"operationId": identifier} if identifier else {}
    return {"summary": summary, **named, **more, "responses": responses}


def _health() -> dict[str, Any]:
    return _operation(
        "Whether the server takes requests; 503 while it stops.",
        {"200": _body("Health"), "503": _body("Health")},
        "health",
    )


def _process_by_url() -> dict[str, Any]:
    parameters = [
        {"name": name, "in": "query", "required": name == "data", "schema": schema, **_no_value()}
        for name, schema in _parameters().items()
    ]
    return _operation(
        "Annotate a text as UDPipe's REST service does.",
        _process_responses(),
        "process",
        parameters=parameters,
    )


def _process_by_form() -> dict[str, Any]:
    schema = {"type": "object", "required": ["data"], "properties": _parameters()}
    kinds = ("application/x-www-form-urlencoded", "multipart/form-data")
    return _operation(
        "Annotate a text as UDPipe's REST service does.",
        _process_responses(),
        "process_post",
        requestBody={
            "required": True,
            "content": {kind: {"schema": schema} for kind in kinds},
        },
    )


def _no_value() -> dict[str, Any]:
    return {"allowEmptyValue": True}


def _parameters() -> dict[str, Any]:
    return {
        "data": _TEXT | {"description": "The text."},
        "model": _TEXT | {"description": "The name of a model, or its beginning."},
        "tokenizer": _TEXT
        | {
            "description": "Given: the data is running text. Options, with ; between them: ranges, "
            "presegmented, normalized_spaces."
        },
        "tagger": _TEXT | {"description": "Given: predict tags and lemmas."},
        "parser": _TEXT | {"description": "Given: predict trees."},
        "input": {
            "type": "string",
            "pattern": f"^(({'|'.join(INPUTS)})(=.*)?)?$",
            "default": "conllu",
            "description": "What the data is without tokenizer.",
        },
        "output": {
            "type": "string",
            "pattern": f"^(({'|'.join(OUTPUTS)})(=.*)?)?$",
            "default": "conllu",
            "description": "What the result is.",
        },
    }


def _process_responses() -> dict[str, Any]:
    reasons = {
        "400": "A parameter is wrong, or the data cannot be read.",
        "408": "The request did not arrive in time.",
        "413": "The request is too large, or its answer.",
        "415": "The type of the payload is not known.",
        "503": "The server is busy; come again after the seconds of Retry-After.",
        "504": "The work took too long.",
    }
    errors = {
        status: {"description": reason, "content": {"text/plain": {"schema": _TEXT}}}
        for status, reason in reasons.items()
    }
    return {"200": _body("Processed"), **errors}


def _annotate() -> dict[str, Any]:
    reasons = {
        "400": "The JSON is not what is expected, or the data cannot be read.",
        "408": "The request did not arrive in time.",
        "413": "The request is too large, or its answer.",
        "415": "The Content-Type is not application/json.",
        "503": "The server is busy; come again after the seconds of Retry-After.",
        "504": "The work took too long.",
    }
    return _operation(
        "Annotate a text, several texts, words or CoNLL-U.",
        {
            "200": _body("Annotated"),
            **{status: _body("Error", reason) for status, reason in reasons.items()},
        },
        "annotate",
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Request"}}},
        },
    )


def _schemas() -> dict[str, Any]:
    identifier = {
        "oneOf": [
            {"type": "integer", "minimum": 1},
            {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        ]
    }
    sentence = {
        "type": "object",
        "required": ["id", "text", "tokens"],
        "properties": {
            "id": {"type": ["string", "null"]},
            "text": _TEXT,
            "tokens": {"type": "array", "items": {"$ref": "#/components/schemas/Token"}},
            "empty_nodes": {"type": "array", "items": {"type": "object"}},
        },
    }
    sentences = {"type": "array", "items": {"$ref": "#/components/schemas/Sentence"}}
    given = {
        "text": _TEXT | {"description": "Running text."},
        "texts": {"type": "array", "items": _TEXT, "maxItems": MOST_TEXTS},
        "tokens": {
            "type": "array",
            "items": {"type": "array", "items": _WORD, "minItems": 1},
            "description": "Sentences, each a list of its words.",
        },
        "conllu": _TEXT | {"description": "Sentences in CoNLL-U."},
    }
    return {
        "Request": {
            "type": "object",
            "additionalProperties": False,
            "oneOf": [{"required": [name]} for name in given],
            "properties": {
                **given,
                "model": _TEXT | {"description": "The name of a model, or its beginning."},
                "heads": {
                    "type": "array",
                    "items": {"enum": list(HEAD_NAMES)},
                    "minItems": 1,
                    "description": "What to predict; unless given, all that the model can.",
                },
            },
        },
        "Annotated": {
            "type": "object",
            "required": ["model"],
            "properties": {
                "model": _TEXT,
                "sentences": sentences,
                "documents": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "required": ["sentences"],
                        "properties": {"sentences": sentences},
                    },
                    "description": "The answer to texts, in their order.",
                },
            },
        },
        "Sentence": sentence,
        "Token": {
            "type": "object",
            "required": ["id", "form"],
            "properties": {
                "id": identifier,
                **dict.fromkeys(("form", "lemma", "upos", "xpos", "deprel"), _TEXT),
                "head": {"type": "integer", "minimum": 0},
            },
        },
        "Models": {
            "type": "object",
            "required": ["models", "default_model"],
            "properties": {
                "models": {
                    "type": "object",
                    "additionalProperties": {
                        "type": "array",
                        "items": {"enum": ["tokenizer", "tagger", "parser"]},
                    },
                },
                "default_model": _TEXT,
            },
        },
        "Processed": {
            "type": "object",
            "required": ["model", "acknowledgements", "result"],
            "properties": {
                "model": _TEXT,
                "acknowledgements": {"type": "array", "items": _TEXT},
                "result": _TEXT,
            },
        },
        "Health": {
            "type": "object",
            "required": ["status", "version", "models", "uptime", "requests", "waiting"],
            "properties": {
                "status": {"enum": ["ok", "stopping"]},
                "version": _LINE,
                "models": {"type": "array", "items": _TEXT},
                "uptime": {"type": "number", "minimum": 0, "description": "In seconds."},
                "requests": {"type": "integer", "minimum": 0},
                "waiting": {"type": "integer", "minimum": 0},
            },
        },
        "Error": {
            "type": "object",
            "required": ["error"],
            "properties": {"error": _TEXT},
        },
    }


def _body(name: str, reason: str = "") -> dict[str, Any]:
    return _json({"$ref": f"#/components/schemas/{name}"}, reason or name)


def _json(schema: dict[str, Any], reason: str = "JSON") -> dict[str, Any]:
    return {"description": reason, "content": {"application/json": {"schema": schema}}}


def _html() -> dict[str, Any]:
    return {"description": "The page", "content": {"text/html": {"schema": _TEXT}}}
