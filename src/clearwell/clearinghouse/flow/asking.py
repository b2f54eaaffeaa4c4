# SPDX-License-Identifier: Apache-2.0
"""Asking: "is this already held?", before a report is sent, between parties that do not trust each other (docs/adr/0021).

The hub sees the signature, keeps its keyed hash, and writes every question to the ledger. What it answers is what intake would
answer ("duplicate" or not) and a day; never content, finder or embargo.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from clearwell.clearinghouse.case import store
from clearwell.clearinghouse.case.deadline import policy_for
from clearwell.clearinghouse.case.entries import ClaimChecked, KnownAlarmRaised, KnownAsked
from clearwell.clearinghouse.case.store import KeptCase
from clearwell.clearinghouse.dedupe import claim_hash, question_store
from clearwell.clearinghouse.dedupe import store as dedupe_store
from clearwell.clearinghouse.dedupe.decide import decide
from clearwell.clearinghouse.dedupe.question import MOST, AskedSignature, KnownAnswer, KnownStanding, keys_of
from clearwell.clearinghouse.dedupe.signature import Signature
from clearwell.clearinghouse.dedupe.spelling import component_of as dedupe_component
from clearwell.clearinghouse.distribution import store as distribution_store
from clearwell.clearinghouse.intake.batch import component_of
from clearwell.ground.house import House
from clearwell.ground.identity.actor import DEDUPE, Member
from clearwell.ground.ledger.entries import Salted
from clearwell.ground.policy.policy import Act, Subject
from clearwell.ground.storage.database import Row, Transaction
from clearwell.vocabulary.errors import Invalid, NotFound
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.ids import OrganizationId, SubmissionId, spell, uuid7
from clearwell.vocabulary.product import Product, parse_target

_DAY = timedelta(days=1)
_PAGE = 5_000
_OVERLAP = timedelta(minutes=10)


def ask_known(house: House, actor: Member, asked: Sequence[AskedSignature]) -> tuple[KnownAnswer, ...]:
    """Answer each signature: not known, known since a day, public as an id; or, past the day's budget, that it is over.

    The same statements run whatever the answer is. Raises Invalid for what is no signature, Refused.
    """
    house.policy.require(actor, Act.ASK_KNOWN, Subject(organization=actor.organization))
    if not 1 <= len(asked) <= MOST:
        raise Invalid(f"ask about 1 to {MOST} signatures at a time")
    signed = [_signed(number, one) for number, one in enumerate(asked)]
    with house.transaction(actor) as tx, tx.acting_as(DEDUPE.scope):
        answers = _look_up(tx, asked, signed)
        keyed = [house.blobs.mac("asked", b"".join(sorted(s.key for s in found))) for found in signed]
        if not _within_budget(house, tx, actor, keyed, [answer.is_positive for answer in answers]):
            answers = tuple(KnownAnswer(KnownStanding.OVER_BUDGET) for _ in asked)
        is_over = answers[0].standing is KnownStanding.OVER_BUDGET
        hashed = Salted(" ".join(key.hex() for key in keyed), organization=actor.organization)
        house.write(tx, KnownAsked(actor.organization, len(asked), is_over, hashed), by=actor)
    return answers


def _signed(number: int, asked: AskedSignature) -> tuple[Signature, ...]:
    try:
        return keys_of(asked)
    except Invalid as reason:
        raise Invalid(f"signatures[{number}]: {reason}") from None


def _look_up(tx: Transaction, asked: Sequence[AskedSignature], signed: Sequence[tuple[Signature, ...]]) -> tuple[KnownAnswer, ...]:
    known = dedupe_store.known(tx, [signature.key for found in signed for signature in found])
    cases = store.load_whole_cases(tx, list({other.case for others in known.values() for other in others}))
    public = distribution_store.public_ids(tx, {kept.advisory for kept in cases.values() if kept.advisory is not None})
    answers = []
    for one, found in zip(asked, signed, strict=True):
        product = parse_target(one.target)
        component, version = component_of(product, OrganizationId("")), dedupe_component(product)[1]
        joined = decide(found, SubmissionId(""), version, one.proof_sha256 is not None, known, cases, component)
        held = [cases[other.case] for s in found for other in known.get(s.key, ()) if other.case in cases]
        published = [kept for kept in held if kept.advisory in public and kept.case.component == component]
        if published:
            kept = min(published, key=lambda kept: kept.case.first_received)
            answers.append(_known(kept, KnownStanding.PUBLIC, public[kept.advisory] if kept.advisory else None))
        elif joined is not None and cases[joined.case].case.refused_at is None:
            answers.append(_known(cases[joined.case], KnownStanding.KNOWN, None))
        else:
            answers.append(KnownAnswer(KnownStanding.NOT_KNOWN))
    return tuple(answers)


def _known(kept: KeptCase, standing: KnownStanding, public_id: str | None) -> KnownAnswer:
    first = datetime.combine(kept.case.first_received.astimezone(UTC).date(), datetime.min.time(), UTC)
    return KnownAnswer(standing, first.date(), policy_for(first).ends_at(first).date() if public_id is None else None, public_id)


def _within_budget(house: House, tx: Transaction, actor: Member, keyed: Sequence[bytes], positive: Sequence[bool]) -> bool:
    """Count what is asked against the day's budget, and raise the alarm when too many answers were positive."""
    now, settings = house.clock.now(), house.settings
    tx.take_turns("asking", [actor.organization])
    question_store.forget_before(tx, now - 7 * _DAY)
    asked, positives = question_store.counted_since(tx, actor.organization, now - _DAY)
    if asked + len(keyed) > settings.known_budget_per_day:
        return False
    question_store.insert_asked(tx, actor.organization, list(zip(keyed, positive, strict=True)), now)
    positives += sum(positive)
    if positives > settings.known_alarm_positives:
        if not question_store.has_alarm(tx, actor.organization, now):
            house.write(tx, KnownAlarmRaised(actor.organization, asked + len(keyed), positives), by=actor)
        question_store.raise_alarm(tx, actor.organization, asked + len(keyed), positives, now)
    return True


def list_alarms(house: House, actor: Member) -> tuple[Row, ...]:
    """Organizations that were told "known" suspiciously often, newest first, for coordinators."""
    with house.transaction(actor) as tx:
        house.policy.require(actor, Act.READ_CASES)
        return question_store.alarms(tx)


# scrutineer's claim check ------------------------------------------------------------------------------------------


def check_claim(house: House, actor: Member, hashed: bytes) -> str | None:
    """Answer scrutineer's claim check: the contact when a finding with this salted hash is held, else None.

    Raises NotFound where no salt is set (the default), Invalid for what is no hash. Past the day's budget nothing is held.
    """
    house.policy.require(actor, Act.ASK_KNOWN, Subject(organization=actor.organization))
    salt = house.settings.claim_check_salt
    if not salt:
        raise NotFound("this hub answers no claim checks")
    with house.transaction(actor) as tx, tx.acting_as(DEDUPE.scope):
        is_held = question_store.has_claim(tx, hashed, claim_hash.salt_mark(salt))
        keyed = house.blobs.mac("claim-check", hashed)
        is_within = _within_budget(house, tx, actor, [keyed], [is_held])
        house.write(tx, ClaimChecked(actor.organization, not is_within, Salted(keyed.hex(), organization=actor.organization)), by=actor)
    return house.settings.claim_check_contact if is_held and is_within else None


def hash_claims(house: House) -> int:
    """Hash what came in since the last look (a chore; only where a salt is set). Returns how many findings were looked at."""
    salt = house.settings.claim_check_salt
    if not salt:
        return 0
    mark, looked = claim_hash.salt_mark(salt), 0
    with house.transaction(DEDUPE) as tx:
        house.policy.require(DEDUPE, Act.HASH_CLAIMS)
        # Ids are in the order of time, commits are not quite: look back a little.
        recent = spell("finding", uuid7(int((house.clock.now() - _OVERLAP).timestamp() * 1000), 0))
        after = min(question_store.last_hashed(tx, mark), recent)
    while True:
        with house.transaction(DEDUPE) as tx:
            rows = question_store.unhashed_findings(tx, after, mark, _PAGE)
            question_store.insert_claim_hashes(tx, [(_claim_of(salt, finding), finding_id) for finding_id, finding in rows], mark)
        looked += len(rows)
        if len(rows) < _PAGE:
            return looked
        after = rows[-1][0]


def _claim_of(salt: str, finding: Finding) -> bytes | None:
    product, place = finding.product or Product(), finding.location
    weaknesses = [weakness.id for weakness in finding.weaknesses]
    return claim_hash.hash_of(salt, product, place.file if place else None, weaknesses)
