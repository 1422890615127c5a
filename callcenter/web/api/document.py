"""The OpenAPI document, made from the endpoints themselves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from apispec import APISpec
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from callcenter.web.api.endpoint import IDEMPOTENCY_HEADER, KEY_PATTERN, Endpoint, ErrorAnswer
from callcenter.web.errors import STATUS_TEXTS

REF = "#/components/schemas/{model}"
TAGS = {
    "calls": "Calls: what was said, what was understood, the recording.",
    "tickets": "Matters: their record (R6), who is responsible (R11–R17), until when (R18–R24).",
    "duty": "Who is on duty (R25), and the emergency contacts (R29).",
    "people": "Residents and their households.",
    "access": "Log in for a token; who am I.",
}


def _error(status: int) -> dict[str, Any]:
    return {
        "description": STATUS_TEXTS.get(status, "The request cannot be done."),
        "content": {"application/json": {"schema": {"$ref": REF.format(model="ErrorAnswer")}}},
    }


def _parameters(endpoint: Endpoint, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": part.name, "in": "path", "required": True, "schema": part.schema, "description": part.help}
        for part in endpoint.parts
    ]
    model = endpoint.query.model_json_schema(ref_template=REF)
    schemas.update(model.pop("$defs", {}))
    for name, schema in model.get("properties", {}).items():
        found.append(
            {
                "name": name,
                "in": "query",
                "required": name in model.get("required", []),
                "schema": {k: v for k, v in schema.items() if k not in ("title", "description")},
                "description": schema.get("description", ""),
            }
        )
    if endpoint.keyed:
        found.append(
            {
                "name": IDEMPOTENCY_HEADER,
                "in": "header",
                "required": True,
                "schema": {"type": "string", "pattern": KEY_PATTERN},
                "description": "The same key does it once, however often it is sent.",
            }
        )
    return found


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "operationId": f"{endpoint.method.lower()}_{endpoint.doing.__name__}",
        "parameters": _parameters(endpoint, schemas),
        "responses": {},
    }
    if endpoint.right:
        operation["description"] = f"Needs the right `{endpoint.right.value}`."
    success: dict[str, Any] = {"description": "Done." if endpoint.answer is None else "What was asked for."}
    if endpoint.answer is not None:
        schema = {"$ref": REF.format(model=endpoint.answer.__name__)}
        success["content"] = {"application/json": {"schema": schema}}
    elif endpoint.media == ("application/json",) and endpoint.method == "GET":
        success["content"] = {"application/json": {"schema": {"type": "object"}}}
    elif endpoint.media != ("application/json",):
        success["content"] = {media: {"schema": {"type": "string", "format": "binary"}} for media in endpoint.media}
    status = endpoint.status if endpoint.answer is not None or success.get("content") else 204
    operation["responses"][str(status)] = success
    for code, text in endpoint.also.items():
        operation["responses"][str(code)] = {
            "description": text,
            **({"content": success["content"]} if code == 206 else {}),
        }
    usual = {422, 503} | (set() if endpoint.public else {401, 403}) | ({404} if endpoint.parts else set())
    if endpoint.body is not None:
        usual |= {400, 413, 415}
        schema = {"$ref": REF.format(model=endpoint.body.__name__)}
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    for code in sorted(usual | set(endpoint.errors)):
        operation["responses"][str(code)] = _error(code)
    if endpoint.public:
        operation["security"] = []
    return operation


def openapi(endpoints: Iterable[Endpoint], version: str, server: str = "/") -> dict[str, Any]:
    """The OpenAPI 3.1 document of `endpoints`."""
    spec = APISpec(
        title="Hotline desk", version=version, openapi_version="3.1.0", servers=[{"url": server}],
        info={"description": "Calls, matters, duty and people of a hotline. Times are ISO 8601 with zone; texts of "
              "errors follow Accept-Language."},
        tags=[{"name": name, "description": text} for name, text in TAGS.items()],
        security=[{"token": []}, {"session": [], "csrf": []}, {"session": []}],
    )  # fmt: skip
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme("session", {"type": "apiKey", "in": "cookie", "name": "callcenter"})
    spec.components.security_scheme("csrf", {"type": "apiKey", "in": "header", "name": "X-CSRF-Token"})
    listed = list(endpoints)
    models: list[tuple[type[BaseModel], Any]] = [(ErrorAnswer, "serialization")]
    for endpoint in listed:
        models += [(endpoint.answer, "serialization")] if endpoint.answer else []
        models += [(endpoint.body, "validation")] if endpoint.body else []
    _, made = models_json_schema(list(dict.fromkeys(models)), ref_template=REF)
    schemas: dict[str, Any] = dict(made.get("$defs", {}))
    for endpoint in listed:
        operation = _operation(endpoint, schemas)
        spec.path(path=endpoint.address, operations={endpoint.method.lower(): operation})
    for name, schema in schemas.items():
        spec.components.schema(name, schema)
    document: dict[str, Any] = spec.to_dict()
    return document
