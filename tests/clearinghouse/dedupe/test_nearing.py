# SPDX-License-Identifier: Apache-2.0
"""Keys that lie together: those of one component and file begin alike, and a hub whose keys did not is brought forward in steps."""

from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from clearwell.clearinghouse.dedupe import nearing
from clearwell.clearinghouse.dedupe.signature import HASH, NEAR, run_signatures
from clearwell.clearinghouse.flow import answering, reporting
from clearwell.clearinghouse.flow.reporting import AnsweredFinding, Envelope
from clearwell.ground.identity.actor import Member, OrganizationKind
from clearwell.ground.storage.database import NOBODY, Transaction
from clearwell.ground.storage.embedded import OWNER
from clearwell.vocabulary.errors import Unavailable
from clearwell.vocabulary.finding import ProofFiles
from clearwell.vocabulary.product import Product, parse_purl
from house.rows import database_of
from hub import Hub
from story import plain
from story import report as in_a_report

from .conftest import crash, report

GUID = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"
PRINT = (("primaryLocationLineHash", "39fa2ee980eb94b0:1"),)
FINDINGS = [
    report(function="parse", fingerprints=PRINT, rule="overflow", external_id="F-1"),
    report("./src//parse.c", 11, "parse", message="other words", rule="overflow", external_id=GUID),
    report("src/other.c", function="parse", title="the same words", rule="overflow"),
    report("src/other.c", 99, function="parse", title="the same words", rule="overflow", external_id=GUID.replace("6", "7")),
    report(None, title="prose", message="enough words to be told apart from all the other reports " * 3),
    report(product=None, rule="overflow"),
    report(product=Product(repository="https://Forge.example/Water/Pump.git", commit="0123456789abcdef"), function="f"),
    report(proof=ProofFiles({"proof.toml": b"x = 1"})),
    crash("parse", "read", "handle", "main"),
    crash("one", None, "two"),
]


@pytest.mark.parametrize("organization", ["org_a", None])
def test_a_key_lies_where_its_component_and_file_do_whatever_rule_made_it(organization: str | None) -> None:
    rows = run_signatures(FINDINGS, organization)

    assert {signature.kind for row in rows for signature in row} == {
        "proof", "external-id", "report", "fingerprint", "order", "crash-lines", "crash", "location", "file",
    }  # fmt: skip
    for finding, row in zip(FINDINGS, rows, strict=True):
        for signature in row:
            where = nearing.near_of(finding, signature.kind, organization)
            assert signature.key.startswith(where)
            assert len(signature.key) == (32 if signature.kind == "proof" else NEAR + HASH) and len(where) in {0, NEAR}


def test_keys_of_one_file_lie_nearer_than_those_of_one_component_and_those_nearer_than_others() -> None:
    one, other, elsewhere = (
        nearing.near_of(finding, "location", None)
        for finding in (report(), report("src/other.c"), report(product=parse_purl("pkg:pypi/libbar@1.0")))
    )

    assert one == nearing.near_of(report("./src/parse.c", 77), "fingerprint", None)
    assert one[:4] == other[:4] and one != other
    assert one[:4] != elsewhere[:4]


def test_unknown_components_of_one_organization_lie_together() -> None:
    one, other = (nearing.near_of(report(product=None, tool=tool), "report", "org_a") for tool in ("tool-a", "tool-b"))

    assert one == other != nearing.near_of(report(product=None), "report", "org_b")


def submitted(hub: Hub, lab: Member, *findings: dict[str, object]) -> tuple[AnsweredFinding, ...]:
    sent = reporting.submit_report(hub.house, lab, [in_a_report(*findings)], Envelope(name="report.json"))
    answering.parse_submission(hub.house, sent.id)
    answers = reporting.read_answers(hub.house, lab, sent.id)
    assert len(answers) == len(findings)
    return answers


def named(function: str, **more: object) -> dict[str, object]:
    return {"title": f"overflow in {function}", "locations": [{"file": "a.c", "line": 3, "function": function}], **more}


_STORED = """
SELECT s.finding, s.is_proven, s.stated,
       ARRAY(SELECT h.key FROM clearwell.signature_head h WHERE h.finding = s.finding AND h.is_proven = s.is_proven ORDER BY h.key) AS heads
FROM clearwell.signature_set s ORDER BY s.finding, s.is_proven
"""
_BEFORE = f"""
UPDATE clearwell.signature_head SET key = substring(key FROM {NEAR + 1}) WHERE length(key) = {NEAR + HASH};
UPDATE clearwell.signature_set s SET stated = (
    SELECT string_agg(set_byte(set_byte(set_byte(set_byte('\\x00000000'::bytea, 0, k.kind), 1, k.rule_version), 2, k.is_bound::integer), 3,
                               length(k.short)) || k.short, ''::bytea ORDER BY at)
    FROM (SELECT *, CASE WHEN length(key) = {NEAR + HASH} THEN substring(key FROM {NEAR + 1}) ELSE key END AS short
          FROM clearwell.stated_signatures(s.stated) WITH ORDINALITY AS told (kind, rule_version, is_bound, key, at)) k);
INSERT INTO clearwell.nearing VALUES ('')
"""


@pytest.mark.parametrize("most", [1, 3, 1_000])
def test_a_hub_from_before_is_brought_forward_in_steps_and_knows_what_it_knew(hub: Hub, server: Any, most: int) -> None:
    lab, other = hub.member(OrganizationKind.LAB), hub.member(OrganizationKind.LAB)
    first = submitted(hub, lab, named("pump"), named("valve", proof={"files": {"proof.toml": "x = 1"}}), named("tank", external_id=GUID))
    submitted(hub, other, named("pump", text="other words"), plain("tap", "enough words to be told apart from all others " * 3))
    owner = server.url(OWNER, database_of(hub))

    with psycopg.connect(owner, autocommit=True, row_factory=dict_row) as connection:
        before = connection.execute(_STORED).fetchall()
        for statement in _BEFORE.split(";"):
            connection.execute(statement.encode())
        assert {len(key) for row in connection.execute(_STORED) for key in row["heads"]} == {HASH, 32}
        with hub.house.database.transaction(NOBODY) as tx, pytest.raises(Unavailable, match="clearwell migrate"):
            nearing.refuse_far(tx)
        steps = 1
        with connection.transaction(), pytest.raises(ZeroDivisionError), connection.transaction():
            nearing.bring_near(Transaction(connection, NOBODY), most)
            raise ZeroDivisionError  # killed before it was committed: as if it had never begun
        while nearing.bring_near(Transaction(connection, NOBODY), most):
            steps += 1
        after = connection.execute(_STORED).fetchall()

    assert after == before and steps == -(-5 // most) + 1
    with hub.house.database.transaction(NOBODY) as tx:
        nearing.refuse_far(tx)
    (again,) = submitted(hub, other, named("pump", text="in other words again"))
    assert again.finding.case == first[0].finding.case
