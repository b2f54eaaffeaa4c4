# SPDX-License-Identifier: Apache-2.0
"""Whatever is sent, the API answers as its own schema says: never a fault of ours, never an undocumented answer."""

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import CHECKS, load_all_checks

from api import Api
from clearwell.ground.identity.actor import OrganizationKind

load_all_checks()
CHECKED = [CHECKS.get_one(name) for name in ("not_a_server_error", "status_code_conformance", "response_schema_conformance")]
CASES = 400
"""Requests in all, spread over every operation."""


BOUNDED = settings(deadline=None, database=None, derandomize=True, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def probe(operation: Any, headers: dict[str, str], requests: int) -> None:
    """Send generated requests to one operation and hold each answer against the schema."""

    @settings(BOUNDED, max_examples=requests)
    @given(st.data())
    def send(data: Any) -> None:
        case = data.draw(operation.as_strategy())
        case.validate_response(case.call(headers=headers), checks=CHECKED)

    send()


@pytest.mark.parametrize("kind", [OrganizationKind.COORDINATOR, OrganizationKind.OPERATOR])
def test_generated_requests_get_documented_answers(api: Api, address: str, kind: OrganizationKind) -> None:
    caller = api.caller(kind)
    schema = schemathesis.openapi.from_url(f"{address}/api/v1/openapi.json")
    operations = [result.ok() for result in schema.get_all_operations()]

    for operation in operations:
        probe(operation, caller.headers, max(1, CASES // 2 // len(operations)))
