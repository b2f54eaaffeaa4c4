# SPDX-License-Identifier: Apache-2.0
"""The index: what is stored is known again, with its version; a flood of one flaw is one head; a case that moves takes its own along."""

from collections.abc import Callable
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clearwell.clearinghouse.dedupe import store
from clearwell.clearinghouse.dedupe.signature import VERSIONS, Kind, Signature
from clearwell.ground.identity.actor import DEDUPE
from clearwell.vocabulary.ids import CaseId, FindingId, SubmissionId, spell
from hub import Hub

QUICK = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

finding: Callable[[int], FindingId] = lambda number: FindingId(spell("finding", UUID(int=number)))  # noqa: E731
SUBMISSION = SubmissionId(spell("sub", UUID(int=1)))


def case(number: int) -> CaseId:
    return CaseId(spell("case", UUID(int=number)))


def signature(key: bytes, kind: Kind = "location", at: str | None = None) -> Signature:
    return Signature("L1", kind, VERSIONS[kind], key, at, at is None, (kind, "a test"))


def test_each_kind_is_stored_as_a_number_of_its_own() -> None:
    assert set(store.KINDS) == set(get_args(Kind))
    assert len(set(store.KINDS.values())) == len(store.KINDS)


@QUICK
@given(number=st.uuids())
def test_the_database_spells_ids_as_we_do(hub: Hub, number: UUID) -> None:
    with hub.house.database.transaction(DEDUPE.scope) as tx:
        row = tx.row("SELECT clearwell.id_of('case', %(n)s) AS id, clearwell.uuid_of(%(id)s) AS uuid", n=number, id=spell("case", number))

    assert row == {"id": spell("case", number), "uuid": number}


def test_what_is_no_id_has_no_number_in_the_database(hub: Hub) -> None:
    with pytest.raises(Exception, match="not an id"), hub.house.database.transaction(DEDUPE.scope) as tx:
        tx.row("SELECT clearwell.uuid_of('case_u')")


@QUICK
@given(
    stated=st.lists(
        st.tuples(st.sampled_from(get_args(Kind)), st.binary(min_size=16, max_size=32), st.booleans()),
        min_size=1, max_size=8, unique_by=lambda one: one[1],
    ),
    version=st.sampled_from([None, "1.2,3", "a;b", "2\x00", "\u202e4"]),
    proven=st.booleans(),
)  # fmt: skip
def test_what_is_stored_is_known_again(hub: Hub, stated: list[tuple[Kind, bytes, bool]], version: str | None, proven: bool) -> None:
    one = FindingId(hub.house.new_id("finding"))
    signatures = [signature(key, kind, version if is_bound else None) for kind, key, is_bound in stated]

    with hub.house.database.transaction(DEDUPE.scope) as tx:
        rows = store.stored(signatures, one, SUBMISSION, case(1), None, {})
        store.insert(tx, [store.Stored(row.signature, one, SUBMISSION, case(1), row.version, proven) for row in rows])
        known = store.known(tx, [key for _, key, _ in stated])
        keys = store.keys_by_finding(tx, [one])

    told = version.replace("\0", "␀") if version is not None else None
    for _, key, is_bound in stated:
        (held,) = [other for other in known[key] if other.finding == one]
        assert (held.run, held.case, held.proven) == (SUBMISSION, case(1), proven)
        assert held.version == (told if is_bound else None)
    assert keys[one] == [key for kind, key, _ in stated if kind != "file"]


def test_of_one_flaw_reported_a_thousand_times_the_first_is_known_in_each_case_and_version(hub: Hub) -> None:
    key, known = b"k" * 16, {}
    with hub.house.database.transaction(DEDUPE.scope) as tx:
        rows = [
            row
            for number in range(1_000)
            for row in store.stored([signature(key, at=f"{number % 2}")], finding(number), SUBMISSION, case(number % 3), None, known)
        ]
        store.insert(tx, rows)
        stored = store.known(tx, [key])

    assert [other.finding for other in stored[key]] == [finding(number) for number in range(6)]
    assert {(other.case, other.version) for other in known[key]} == {(other.case, other.version) for other in stored[key]}


def test_of_too_many_heads_the_proven_and_then_the_oldest_are_known(hub: Hub) -> None:
    key = b"m" * 16
    with hub.house.database.transaction(DEDUPE.scope) as tx:
        rows = [store.Stored(signature(key), finding(number), SUBMISSION, case(number), None, number >= 40) for number in range(50, 0, -1)]
        store.insert(tx, rows)
        stored = store.known(tx, [key, b"n" * 16], most=20)

    assert [other.finding for other in stored[key]] == [finding(number) for number in [*range(40, 51), *range(1, 10)]]
    assert set(stored) == {key}
