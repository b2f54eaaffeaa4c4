# SPDX-License-Identifier: Apache-2.0
"""Weaknesses: CWE ids, whether stated or inferred, and the families within which tools name one flaw differently."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from clearwell.vocabulary.errors import Invalid

_CWE = re.compile(r"(?:CWE)?[-_ :]?0*([1-9][0-9]{0,4})", re.IGNORECASE)


class Weakness(msgspec.Struct, frozen=True):
    """A CWE id with its standing: `source` is "stated" by the document or "inferred" by us, `origin` says from what."""

    id: str
    source: Literal["stated", "inferred"] = "stated"
    origin: str | None = msgspec.field(default=None, name="from")

    @property
    def family(self) -> str:
        """The family of this weakness, or the id itself when it belongs to none."""
        return FAMILY_OF.get(self.id, self.id)


def parse_cwe(text: str) -> str:
    """Return `CWE-787` for the spellings that tools use (`cwe-0787`, `CWE:787`, `787`); raise Invalid."""
    match = _CWE.fullmatch(text.strip())
    if match is None:
        raise Invalid("this is not a CWE id: it should look like CWE-787")
    return f"CWE-{match.group(1)}"


# fmt: off
FAMILIES: dict[str, tuple[str, ...]] = {
    # Siblings and children in CWE's research view (CWE-1000) that tools use for the same flaw.
    "memory": (
        "CWE-118", "CWE-119", "CWE-120", "CWE-121", "CWE-122", "CWE-123", "CWE-124", "CWE-125", "CWE-126", "CWE-127",
        "CWE-129", "CWE-131", "CWE-170", "CWE-193", "CWE-242", "CWE-466", "CWE-676", "CWE-680", "CWE-786", "CWE-787",
        "CWE-788", "CWE-805", "CWE-806", "CWE-822", "CWE-823",
    ),
    "lifetime": ("CWE-415", "CWE-416", "CWE-590", "CWE-672", "CWE-762", "CWE-763", "CWE-825", "CWE-562"),
    "uninitialized": ("CWE-456", "CWE-457", "CWE-824", "CWE-908", "CWE-909"),
    "integer": ("CWE-128", "CWE-190", "CWE-191", "CWE-192", "CWE-194", "CWE-195", "CWE-196", "CWE-197", "CWE-681", "CWE-682"),
    "null": ("CWE-476", "CWE-690"),
    "divide": ("CWE-369",),
    "format-string": ("CWE-134",),
    "race": ("CWE-362", "CWE-364", "CWE-366", "CWE-367", "CWE-377", "CWE-378", "CWE-379", "CWE-667"),
    "path": (
        "CWE-22", "CWE-23", "CWE-24", "CWE-25", "CWE-26", "CWE-27", "CWE-28", "CWE-29", "CWE-35", "CWE-36", "CWE-37", "CWE-38",
        "CWE-39", "CWE-40", "CWE-59", "CWE-61", "CWE-73", "CWE-426",
    ),
    "command": ("CWE-77", "CWE-78", "CWE-88"),
    "code": ("CWE-94", "CWE-95", "CWE-96", "CWE-98", "CWE-470", "CWE-913", "CWE-917", "CWE-1336"),
    "pollution": ("CWE-915", "CWE-1321"),
    "deserialization": ("CWE-502",),
    "sql": ("CWE-89", "CWE-564", "CWE-943"),
    "ldap": ("CWE-90",),
    "xpath": ("CWE-91", "CWE-643", "CWE-652"),
    "markup": ("CWE-79", "CWE-80", "CWE-81", "CWE-82", "CWE-83", "CWE-84", "CWE-85", "CWE-86", "CWE-87", "CWE-116"),
    "header": ("CWE-93", "CWE-113", "CWE-444"),
    "xml-entity": ("CWE-611", "CWE-776", "CWE-827"),
    "request": ("CWE-918", "CWE-441"),
    "redirect": ("CWE-601",),
    "csrf": ("CWE-352",),
    "signature": ("CWE-345", "CWE-347", "CWE-354"),
    "certificate": ("CWE-295", "CWE-296", "CWE-297", "CWE-298", "CWE-299", "CWE-370"),
    "cipher": ("CWE-310", "CWE-326", "CWE-327", "CWE-780", "CWE-1240"),
    "hash": ("CWE-328", "CWE-916"),
    "random": ("CWE-330", "CWE-331", "CWE-332", "CWE-335", "CWE-336", "CWE-337", "CWE-338", "CWE-340", "CWE-1241"),
    "cookie": ("CWE-614", "CWE-1004", "CWE-1275"),
    "credentials": ("CWE-256", "CWE-257", "CWE-259", "CWE-260", "CWE-321", "CWE-522", "CWE-798"),
    "disclosure": ("CWE-200", "CWE-201", "CWE-209", "CWE-497", "CWE-532", "CWE-538", "CWE-668"),
    "authorization": ("CWE-284", "CWE-285", "CWE-639", "CWE-862", "CWE-863", "CWE-425"),
    "authentication": ("CWE-287", "CWE-288", "CWE-290", "CWE-294", "CWE-306"),
    "protection": ("CWE-693",),
    "trust-boundary": ("CWE-501",),
    "complexity": ("CWE-407", "CWE-1333", "CWE-185", "CWE-625"),
    "exhaustion": ("CWE-400", "CWE-401", "CWE-404", "CWE-770", "CWE-771", "CWE-772", "CWE-789", "CWE-834", "CWE-835"),
    "recursion": ("CWE-674",),
    "assertion": ("CWE-617", "CWE-248", "CWE-754", "CWE-755"),
    "type": ("CWE-704", "CWE-843"),
}
"""Family -> its CWE ids. Families join tools' words for one flaw, so they are kept narrow: a wrong join hides a bug.

Their order counts: of several weaknesses of one finding the family that stands first here speaks for it (`family_of`). So what a flaw
*is* stands before what it leads to or how it came about: memory before integer, path before disclosure.
"""

# fmt: on

FAMILY_OF: dict[str, str] = {cwe: family for family, members in FAMILIES.items() for cwe in members}
_RANK = {family: rank for rank, family in enumerate(FAMILIES)}
_SAYS_LITTLE = frozenset({"CWE-19", "CWE-20", "CWE-74", "CWE-435", "CWE-664", "CWE-691", "CWE-697", "CWE-703", "CWE-707", "CWE-710"})
"""CWE's pillars and the classes whose use for one flaw CWE discourages: beside another weakness they tell no flaws apart."""


def family_of(weaknesses: Iterable[Weakness]) -> str | None:
    """The one family that speaks for a finding of these weaknesses, in whatever order they are told; None without any.

    Of several, the one that stands first in FAMILIES; what belongs to no family comes after those, what says little last.
    """
    several = list(weaknesses)
    if len(several) == 1:
        return several[0].family
    told = sorted(several, key=lambda weakness: (weakness.id in _SAYS_LITTLE, _RANK.get(weakness.family, len(_RANK)), weakness.family))
    return told[0].family if told else None


# fmt: off
NAMES: dict[str, str] = {
    # CWE's own names (version 4.x), for documents that must state them (CSAF 2.0, 6.1.11); only those that we are sure of.
    "CWE-20": "Improper Input Validation",
    "CWE-22": "Improper Limitation of a Pathname to a Restricted Directory ('Path Traversal')",
    "CWE-23": "Relative Path Traversal",
    "CWE-36": "Absolute Path Traversal",
    "CWE-59": "Improper Link Resolution Before File Access ('Link Following')",
    "CWE-74": "Improper Neutralization of Special Elements in Output Used by a Downstream Component ('Injection')",
    "CWE-77": "Improper Neutralization of Special Elements used in a Command ('Command Injection')",
    "CWE-78": "Improper Neutralization of Special Elements used in an OS Command ('OS Command Injection')",
    "CWE-79": "Improper Neutralization of Input During Web Page Generation ('Cross-site Scripting')",
    "CWE-88": "Improper Neutralization of Argument Delimiters in a Command ('Argument Injection')",
    "CWE-89": "Improper Neutralization of Special Elements used in an SQL Command ('SQL Injection')",
    "CWE-94": "Improper Control of Generation of Code ('Code Injection')",
    "CWE-119": "Improper Restriction of Operations within the Bounds of a Memory Buffer",
    "CWE-120": "Buffer Copy without Checking Size of Input ('Classic Buffer Overflow')",
    "CWE-121": "Stack-based Buffer Overflow",
    "CWE-122": "Heap-based Buffer Overflow",
    "CWE-125": "Out-of-bounds Read",
    "CWE-126": "Buffer Over-read",
    "CWE-127": "Buffer Under-read",
    "CWE-129": "Improper Validation of Array Index",
    "CWE-134": "Use of Externally-Controlled Format String",
    "CWE-190": "Integer Overflow or Wraparound",
    "CWE-191": "Integer Underflow (Wrap or Wraparound)",
    "CWE-200": "Exposure of Sensitive Information to an Unauthorized Actor",
    "CWE-269": "Improper Privilege Management",
    "CWE-276": "Incorrect Default Permissions",
    "CWE-287": "Improper Authentication",
    "CWE-295": "Improper Certificate Validation",
    "CWE-306": "Missing Authentication for Critical Function",
    "CWE-345": "Insufficient Verification of Data Authenticity",
    "CWE-347": "Improper Verification of Cryptographic Signature",
    "CWE-352": "Cross-Site Request Forgery (CSRF)",
    "CWE-362": "Concurrent Execution using Shared Resource with Improper Synchronization ('Race Condition')",
    "CWE-369": "Divide By Zero",
    "CWE-400": "Uncontrolled Resource Consumption",
    "CWE-401": "Missing Release of Memory after Effective Lifetime",
    "CWE-407": "Inefficient Algorithmic Complexity",
    "CWE-415": "Double Free",
    "CWE-416": "Use After Free",
    "CWE-426": "Untrusted Search Path",
    "CWE-434": "Unrestricted Upload of File with Dangerous Type",
    "CWE-444": "Inconsistent Interpretation of HTTP Requests ('HTTP Request/Response Smuggling')",
    "CWE-476": "NULL Pointer Dereference",
    "CWE-502": "Deserialization of Untrusted Data",
    "CWE-522": "Insufficiently Protected Credentials",
    "CWE-601": "URL Redirection to Untrusted Site ('Open Redirect')",
    "CWE-611": "Improper Restriction of XML External Entity Reference",
    "CWE-617": "Reachable Assertion",
    "CWE-639": "Authorization Bypass Through User-Controlled Key",
    "CWE-674": "Uncontrolled Recursion",
    "CWE-693": "Protection Mechanism Failure",
    "CWE-770": "Allocation of Resources Without Limits or Throttling",
    "CWE-776": "Improper Restriction of Recursive Entity References in DTDs ('XML Entity Expansion')",
    "CWE-787": "Out-of-bounds Write",
    "CWE-798": "Use of Hard-coded Credentials",
    "CWE-824": "Access of Uninitialized Pointer",
    "CWE-835": "Loop with Unreachable Exit Condition ('Infinite Loop')",
    "CWE-843": "Access of Resource Using Incompatible Type ('Type Confusion')",
    "CWE-862": "Missing Authorization",
    "CWE-863": "Incorrect Authorization",
    "CWE-908": "Use of Uninitialized Resource",
    "CWE-915": "Improperly Controlled Modification of Dynamically-Determined Object Attributes",
    "CWE-918": "Server-Side Request Forgery (SSRF)",
    "CWE-1236": "Improper Neutralization of Formula Elements in a CSV File",
    "CWE-1321": "Improperly Controlled Modification of Object Prototype Attributes ('Prototype Pollution')",
    "CWE-1333": "Inefficient Regular Expression Complexity",
    "CWE-1336": "Improper Neutralization of Special Elements Used in a Template Engine",
}
# fmt: on
