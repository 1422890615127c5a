"""The API keeps what its own document says, whatever it is asked (schemathesis)."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
)

from callcenter.web.api.endpoint import Endpoint
from callcenter.web.api.routes import ENDPOINTS
from tests.browser.running import PASSWORD, Client, House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
GUESSING = ("/tokens", "/passwords")
"""Guessing passwords would only meet the login's limit."""
FITTING, UNFITTING = GenerationMode.POSITIVE, GenerationMode.NEGATIVE
FUZZED = [
    pytest.param(endpoint, mode, id=f"{endpoint.method} {endpoint.path} {mode.value}")
    for endpoint in ENDPOINTS
    for mode in (FITTING, UNFITTING)
    if endpoint.path not in GUESSING
    and (mode is FITTING or endpoint.parts or endpoint.body or endpoint.query.model_fields)
]


@pytest.fixture(scope="session")
def token(house: House) -> str:
    """A manager's token."""
    answer = Client(house.desk).api("POST", "/tokens", json={"login": "manager", "password": PASSWORD})
    return str(answer.json()["token"])


@pytest.fixture(scope="session")
def schema(house: House) -> Any:
    """The document as the desk serves it."""
    return schemathesis.openapi.from_dict(Client(house.desk).api("GET", "/openapi.json").json())


@pytest.mark.parametrize(("endpoint", "mode"), FUZZED)
def test_the_api_keeps_its_word(
    house: House, token: str, schema: Any, endpoint: Endpoint, mode: GenerationMode
) -> None:
    operation = schema[endpoint.address][endpoint.method]
    http = house.client(None).http

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=5, phases=(Phase.generate,), deadline=None, database=None, suppress_health_check=list(HealthCheck),
        derandomize=True,  # the same requests in every run: a fault found is a fault that stays found
    )
    def ask(case: Any) -> None:
        case.headers.update({"Authorization": f"Bearer {token}"})
        response = case.call(base_url=house.desk.base, session=http, verify=http.verify, timeout=30)
        checks = CHECKS if mode is FITTING else [*CHECKS, negative_data_rejection]
        case.validate_response(response, checks=checks)

    ask()
