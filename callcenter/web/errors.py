"""One handler of errors for pages and API: what went wrong, its id in the log, and the mend."""

from __future__ import annotations

import secrets
import traceback
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Handler
from pydantic import ValidationError

from callcenter.errors import AccessError, CallCenterError, ConfigError, DomainError, StoreError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, UNWRITABLE
from callcenter.web.i18n import locale_of, translate

log = get_logger("web.errors")

STATUS_TEXTS = {
    400: "That request cannot be understood.",
    401: "Please log in.",
    403: "Your role does not allow this.",
    404: "There is nothing at this address.",
    405: "This cannot be done here.",
    409: "Somebody was faster, or the matter has moved on.",
    413: "That is too large.",
    422: "Some of what was entered does not fit.",
    429: "Too many attempts. Please wait a little.",
    503: "The database is away. What was typed is kept; try again in a moment.",
}
DEFECT = "Something went wrong on our side. It has been written down."


class WebError(CallCenterError):
    """An answer other than success. `details` is plain JSON: for 422 a list of {field, message}."""

    def __init__(self, status: int, code: str, message: str | None = None, details: Any = None) -> None:
        super().__init__(code, message or STATUS_TEXTS.get(status, DEFECT))
        self.status = status
        self.details = details


def unfit(field: str, message: str, **values: object) -> WebError:
    """422: what was entered in `field` does not fit. `message`, translated where it is shown, says what would."""
    return WebError(422, f"web.{field}", details=[{"field": field, "message": message, "values": values}])


def wants_json(request: web.Request) -> bool:
    """Whether the error is for a program: the API, or a request that asks for JSON first."""
    return request.path.startswith(("/api/", "/line/", "/live")) or request.headers.get("Accept", "").startswith(
        "application/json"
    )


def error_body(status: int, message: str, error_id: str, details: Any = None) -> dict[str, Any]:
    """The shape of every error of the API."""
    return {"status": status, "message": message, "error_id": error_id, "details": details}


def validation_details(error: ValidationError) -> list[dict[str, str]]:
    """Which field, and what is wrong with it."""
    return [{"field": ".".join(str(p) for p in e["loc"]), "message": e["msg"]} for e in error.errors()]


def _status_of(error: CallCenterError) -> int:
    if isinstance(error, WebError):
        return error.status
    if isinstance(error, AccessError):
        return 403
    if isinstance(error, DomainError):
        return 409
    if isinstance(error, StoreError):
        ending = error.code.rpartition(".")[2]
        return {"unknown": 404, "deleted": 410, "taken": 409, "cursor": 422}.get(ending, 503)
    if error.retryable:
        return 503
    return 422 if isinstance(error, ConfigError) else 500


def _trace(error: BaseException) -> str:
    """Where it happened, without any values: those may be personal."""
    frames = traceback.extract_tb(error.__traceback__)[-12:]
    return " > ".join(f"{Path(f.filename).name}:{f.lineno} {f.name}" for f in frames)


def translate_error(request: web.Request, error: BaseException) -> tuple[int, str, str, Any]:
    """Status, message in the reader's language, id and details of any error; defects are logged with their trace."""
    error_id, locale = secrets.token_hex(6), locale_of(request)
    details: Any = None
    if isinstance(error, web.HTTPException):
        status, message = error.status, STATUS_TEXTS.get(error.status, error.reason)
    elif isinstance(error, ValidationError):
        status, message, details = 422, STATUS_TEXTS[422], validation_details(error)
    elif isinstance(error, CallCenterError):
        status, message = _status_of(error), error.message
        mend = {"code": error.code, "mend": translate(locale, error.mend)} if error.mend else None
        if mend and (_of_code(locale, error.code) or (locale != "en" and mend["mend"] == error.mend)):
            mend = {"code": error.code}
        details = _spoken(locale, getattr(error, "details", None)) or mend
        if status == 503:
            message = STATUS_TEXTS[503]
    elif isinstance(error, UNWRITABLE):
        status, message = 422, STATUS_TEXTS[422]
    elif isinstance(error, AWAY):
        status, message = 503, STATUS_TEXTS[503]
    else:
        status, message = 500, DEFECT
    if status >= 500:
        log.error("web.failed", error_id=error_id, status=status, error=type(error).__name__, trace=_trace(error))
    elif status not in (401, 404):
        log.info("web.refused", error_id=error_id, status=status, code=getattr(error, "code", None))
    return status, _told(locale, getattr(error, "code", ""), message, status), error_id, details


def _spoken(locale: str, details: Any) -> Any:
    """`details` with what is said of each field in the reader's language."""
    if not isinstance(details, list):
        return details
    return [
        {"field": d["field"], "message": translate(locale, d["message"], **d.get("values", {}))} for d in details
    ]


def _of_code(locale: str, code: str) -> str:
    """What people are told of an error by its code, with the mend; "" for codes that only programs meet."""
    told = translate(locale, f"error:{code}")
    return "" if told == f"error:{code}" else told


def _told(locale: str, code: str, message: str, status: int) -> str:
    """`message` in the reader's language; one that names a value, as its code or else its status says it."""
    if status != 503 and (of_code := _of_code(locale, code)):
        return of_code
    told = translate(locale, message)
    return translate(locale, STATUS_TEXTS.get(status, DEFECT)) if told == message and locale != "en" else told


async def error_response(request: web.Request, error: BaseException) -> web.Response:
    """The answer for `error`: JSON for programs, a page for people, a fragment for htmx."""
    from callcenter.web.page import render_error

    status, message, error_id, details = translate_error(request, error)
    if wants_json(request):
        answer = web.json_response(error_body(status, message, error_id, details), status=status)
    else:
        answer = await render_error(request, status, message, error_id, details)
    if isinstance(error, web.HTTPException) and error.status == 405 and "Allow" in error.headers:
        answer.headers["Allow"] = error.headers["Allow"]
    if status == 429:
        answer.headers["Retry-After"] = "60"
    return answer


@web.middleware
async def errors_middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn every error into an answer; redirects pass."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400 or request.path.startswith("/line/"):  # nodes read the desk's own words
            raise
        return await error_response(request, error)
    except Exception as error:  # noqa: BLE001 - the edge of the process: nothing may get past it unanswered
        return await error_response(request, error)
