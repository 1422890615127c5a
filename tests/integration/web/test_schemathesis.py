"""The API keeps what its own document says, whatever it is asked (schemathesis)."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.browser.running import PASSWORD, Client, House

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


@pytest.fixture(scope="session")
def token(house: House) -> str:
    """An administrator's token."""
    answer = Client(house.desk).api("POST", "/tokens", json={"login": "admin", "password": PASSWORD})
    return str(answer.json()["token"])


@pytest.fixture(scope="session")
def api_schema(house: House) -> Any:
    """The document as the desk serves it."""
    document = Client(house.desk).api("GET", "/openapi.json").json()
    schema = schemathesis.openapi.from_dict(document)
    schema.config.update(base_url=house.desk.base)
    return schema


schema = schemathesis.pytest.from_fixture("api_schema")


@schema.exclude(path="/api/v1/tokens").parametrize()
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_keeps_its_word(case: schemathesis.Case, house: House, token: str) -> None:
    case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token}"}
    response = case.call(verify=str(house.desk.settings.var_dir / "secrets" / "tls.crt"))
    case.validate_response(response, checks=CHECKS)
