# SPDX-License-Identifier: Apache-2.0
"""Changing a marking: the strictest source wins, anybody concerned may make it stricter, only the originator makes it less strict.

Source: FIRST, Traffic Light Protocol 2.0: "the source" sets the label; a recipient who wants to share wider must ask the source.
"""

from clearwell.ground.identity.actor import Member
from clearwell.vocabulary.errors import Refused
from clearwell.vocabulary.ids import OrganizationId
from clearwell.vocabulary.marking import Marking


def remark(present: Marking, wanted: Marking, originator: OrganizationId, by: Member) -> Marking:
    """Return the new label; raise Refused when somebody else than the originator would lower it."""
    if wanted.strictness < present.strictness and by.organization != originator:
        raise Refused(f"{present} was set by its originator; only they can lower it to {wanted}. Ask them (TLP 2.0)")
    return wanted
