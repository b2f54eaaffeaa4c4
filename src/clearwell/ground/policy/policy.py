# SPDX-License-Identifier: Apache-2.0
"""The policy engine: every verb asks `require(actor, act, subject)`; what no policy permits is refused.

Acts are Cedar actions; `acts.cedar` and `acts.cedarschema` beside this file are the policy. Rows are another wall: row-level
security decides what may be seen at all, the policy decides what may be done.
"""

from enum import StrEnum
from importlib import resources
from typing import Any

import cedarpy
import msgspec

from clearwell.ground.identity.actor import Actor, LinkHolder, Member, System
from clearwell.vocabulary.errors import Refused


class Act(StrEnum):
    """Every act of every verb. A test proves that each has a policy, and that each verb and route asks."""

    # anybody
    READ_PUBLIC = "read_public"
    # members, about their own
    READ_OVERVIEW = "read_overview"
    SUBMIT_REPORT = "submit_report"
    READ_REPORTS = "read_reports"
    APPEAL_REFUSAL = "appeal_refusal"
    MARK_FALSE_HIT = "mark_false_hit"
    ASK_KNOWN = "ask_known"
    REMARK_REPORT = "remark_report"
    READ_PROOF = "read_proof"
    MANAGE_TOKENS = "manage_tokens"
    # coordinators
    READ_CASES = "read_cases"
    SPLIT_CASE = "split_case"
    MERGE_CASES = "merge_cases"
    CONFIRM_SPLIT = "confirm_split"
    CONFIRM_MERGE = "confirm_merge"
    FIND_DIFFERENT = "find_different"
    RECOMPUTE_SUGGESTIONS = "recompute_suggestions"
    RECOMPUTE_SIGNATURES = "recompute_signatures"
    DECIDE_APPEAL = "decide_appeal"
    RECORD_ALIASES = "record_aliases"
    RECORD_DECISION_POINTS = "record_decision_points"
    RECORD_CONTACT = "record_contact"
    REVOKE_LINK = "revoke_link"
    READ_DIFF = "read_diff"
    PROPOSE_DISTRIBUTION = "propose_distribution"
    CONFIRM_DISTRIBUTION = "confirm_distribution"
    PROPOSE_EXTENSION = "propose_extension"
    CONFIRM_EXTENSION = "confirm_extension"
    DESTROY_PROOFS = "destroy_proofs"
    ADD_ORGANIZATION = "add_organization"
    RESUME_PROVING = "resume_proving"
    # holders of a maintainer's link
    READ_LINKED_CASE = "read_linked_case"
    READ_LINKED_PROOF = "read_linked_proof"
    ASK_CODE = "ask_code"
    MAKE_STATEMENT = "make_statement"
    CLAIM_FIX = "claim_fix"
    # operators
    SEND_INVENTORY = "send_inventory"
    READ_ACTIONS = "read_actions"
    SEND_RECEIPT = "send_receipt"
    # systems
    PARSE = "parse"
    CHECK = "check"
    VALIDATE = "validate"
    INVITE_MAINTAINER = "invite_maintainer"
    VERIFY_FIX = "verify_fix"
    PUBLISH = "publish"
    MATCH = "match"
    EXPIRE = "expire"
    SEND_MAIL = "send_mail"
    HASH_CLAIMS = "hash_claims"
    SKETCH = "sketch"
    SIGN = "sign"


class Subject(msgspec.Struct, frozen=True):
    """What an act is done to: its id, and the organization or the case it belongs to where that matters."""

    id: str = "hub"
    organization: str = ""
    case: str = ""


HUB = Subject()
"""The hub itself: for acts about no single thing."""


class Policy:
    """The parsed policies. Deciding takes tens of microseconds."""

    def __init__(self) -> None:
        folder = resources.files(__package__)
        self.text = folder.joinpath("acts.cedar").read_text(encoding="utf-8")
        self.schema = folder.joinpath("acts.cedarschema").read_text(encoding="utf-8")
        checked = cedarpy.validate_policies(self.text, self.schema)
        if not checked.validation_passed:
            raise Refused(f"the policies do not fit their schema: {'; '.join(str(error) for error in checked.errors)}")
        self._policies = cedarpy.PolicySet.from_str(self.text)

    def allows(self, actor: Actor, act: Act, subject: Subject = HUB) -> bool:
        """Say whether a policy permits the act and none forbids it."""
        principal, entity = _principal(actor)
        attributes = {"organization": subject.organization, "case": subject.case}
        entities = [entity, {"uid": {"type": "Subject", "id": subject.id}, "attrs": attributes, "parents": []}]
        request = {
            "principal": principal,
            "action": f'Action::"{act.value}"',
            "resource": f'Subject::"{subject.id}"',
            "context": {},
        }
        return bool(cedarpy.is_authorized(request, self._policies, entities).allowed)

    def require(self, actor: Actor, act: Act, subject: Subject = HUB) -> None:
        """Raise Refused unless the policy permits the act."""
        if not self.allows(actor, act, subject):
            raise Refused(f"you may not {act.value.replace('_', ' ')} here; ask your organization's administrator or the coordinator")


def _principal(actor: Actor) -> tuple[str, dict[str, Any]]:
    if isinstance(actor, Member):
        attributes: dict[str, Any] = {
            "organization": actor.organization,
            "kind": actor.kind.value,
            "permissions": sorted(permission.value for permission in actor.permissions),
        }
        return _entity("Member", actor.person, attributes)
    if isinstance(actor, System):
        return _entity("System", actor.system, {})
    if isinstance(actor, LinkHolder):
        return _entity("LinkHolder", actor.participant, {"case": actor.case, "acts": sorted(actor.acts)})
    return _entity("Visitor", "visitor", {})


def _entity(kind: str, name: str, attributes: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    return f'{kind}::"{name}"', {"uid": {"type": kind, "id": name}, "attrs": attributes, "parents": []}
