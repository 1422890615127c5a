"""One route of the API: how it is called, who may, what it takes and gives. Route and documentation are one thing."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, TypeVar

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import AfterValidator, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from callcenter.web.access import Right
from callcenter.web.errors import WebError
from callcenter.web.viewer import guarded

PREFIX = "/api/v1"
MAX_BODY = 64 * 1024
IDEMPOTENCY_HEADER = "Idempotency-Key"
KEY_PATTERN = r"^[A-Za-z0-9._:-]{8,100}$"
BIGGEST = 2**53 - 1
"""Numbers of the API are exact in every JSON reader."""


def _written_out(value: Any) -> Any:
    """pydantic takes a bare number for seconds since 1970: whoever sends one means something else."""
    if isinstance(value, str) and not re.match(r"\d{4}-\d\d-\d\d[Tt ]", value):
        raise ValueError("a date and time as in RFC 3339, 2026-11-22T08:00:00+08:00")
    return value


YEARS = range(1970, 3000)
"""In all of them a time has a place in every zone."""


def _in_our_years(moment: datetime) -> datetime:
    if moment.year not in YEARS:
        raise ValueError(f"a year from {YEARS[0]} to {YEARS[-1]}")
    return moment


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out), AfterValidator(_in_our_years)]
"""A date and time with its offset, written out."""


class Query(BaseModel):
    """What may stand after the question mark; a misspelt name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Body(BaseModel):
    """What a changing request carries; a misspelt name is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Answer(BaseModel):
    """What an endpoint gives."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class ErrorAnswer(Answer):
    """Every error: what went wrong in the reader's language, its id in the log, details where there are any."""

    status: int
    message: str
    error_id: str
    details: Any = None


class NoQuery(Query):
    """Nothing may stand after the question mark."""


@dataclass(frozen=True)
class Path:
    """A part of the address."""

    name: str
    pattern: str
    schema: dict[str, Any]
    help: str


CALL_ID = Path(
    "call", r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    {"type": "string", "format": "uuid"}, "A call's id.",
)  # fmt: skip
TICKET_NUMBER = Path(
    "number", r"[0-9]{6,15}", {"type": "integer", "minimum": 100001, "maximum": 10**15 - 1},
    "A ticket's number as the caller heard it.",
)  # fmt: skip
ROW_ID = Path("id", r"[0-9]{1,15}", {"type": "integer", "minimum": 1, "maximum": 10**15 - 1}, "The row's number.")
STAFF = Path(
    "staff", r"[a-z0-9_]{1,60}", {"type": "string", "pattern": "^[a-z0-9_]{1,60}$"}, "A staff id of organisation.yaml."
)

Doing = Callable[[web.Request, Any, Any], Awaitable[Any]]


@dataclass(frozen=True)
class Endpoint:
    """A route. `doing(request, query, body)` returns an `answer`, or a response where `media` is not JSON."""

    method: str
    path: str
    doing: Doing
    summary: str
    tag: str
    answer: type[BaseModel] | None = None
    query: type[Query] = NoQuery
    body: type[Body] | None = None
    right: Right | None = None
    public: bool = False
    status: int = 200
    parts: tuple[Path, ...] = ()
    keyed: bool = False
    """Takes an Idempotency-Key: the same key does it once."""
    media: tuple[str, ...] = ("application/json",)
    errors: tuple[int, ...] = ()
    also: dict[int, str] = field(default_factory=dict)
    """Other answers that are no errors (206, 304)."""

    @property
    def address(self) -> str:
        """The path as OpenAPI writes it."""
        return PREFIX + self.path

    def route(self) -> web.RouteDef:
        """The route of the application."""
        pattern = self.address
        for part in self.parts:
            pattern = pattern.replace("{" + part.name + "}", "{" + f"{part.name}:{part.pattern}" + "}")
        handler: Handler = self._handle
        if not self.public:
            handler = guarded(handler, self.right)
        return web.route(self.method, pattern, handler, name=None)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        query = read_query(request, self.query)
        if self.keyed:
            idempotency_key(request)
        body = await read_body(request, self.body) if self.body is not None else None
        given = await self.doing(request, query, body)
        if isinstance(given, web.StreamResponse):
            return given
        if self.answer is None:
            return web.Response(status=204)
        text = self.answer.model_validate(given).model_dump_json(by_alias=True)
        return web.Response(text=text, status=self.status, content_type="application/json")


Q = TypeVar("Q", bound=Query)
B = TypeVar("B", bound=Body)


def read_query(request: web.Request, model: type[Q]) -> Q:
    """The query as `model`; a name given twice is refused, as it would silently lose one."""
    values = dict(request.query)
    values.pop("lang", None)
    if len(request.query) != len(set(request.query.keys())):
        raise WebError(422, "web.query_twice", details=[{"field": "query", "message": "a name is given twice"}])
    if any("\x00" in value for value in values.values()):
        raise WebError(422, "web.nul", details=[{"field": "query", "message": "a NUL character"}])
    return model.model_validate(values)


async def read_body(request: web.Request, model: type[B]) -> B:
    """The JSON body as `model`. Raises WebError 400, 413, or 422 with the fields that do not fit."""
    if request.content_type != "application/json":
        raise WebError(
            415,
            "web.media_type",
            "Send the body as application/json.",
            [{"field": "Content-Type", "message": "not JSON"}],
        )
    if (request.content_length or 0) > MAX_BODY:
        raise WebError(413, "web.too_large")
    raw = await request.read()
    try:
        tree = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise WebError(400, "web.not_json", details=[{"field": "body", "message": "not JSON"}]) from error
    if b"\\u0000" in raw or b"\x00" in raw:
        raise WebError(422, "web.nul", details=[{"field": "body", "message": "a NUL character"}])
    return TypeAdapter(model).validate_python(tree)


def idempotency_key(request: web.Request) -> str:
    """The request's key. Raises WebError 422 when it is missing or odd."""
    key = request.headers.get(IDEMPOTENCY_HEADER, "")
    if not re.fullmatch(KEY_PATTERN, key):
        raise WebError(
            422, "web.key_missing", f"Send an {IDEMPOTENCY_HEADER} of 8 to 100 letters and digits.",
            [{"field": IDEMPOTENCY_HEADER, "message": f"must match {KEY_PATTERN}"}],
        )  # fmt: skip
    return key


__all__ = [
    "CALL_ID", "PREFIX", "ROW_ID", "STAFF", "TICKET_NUMBER", "Answer", "Body", "Endpoint", "ErrorAnswer", "Path",
    "Query", "ValidationError", "idempotency_key",
]  # fmt: skip
