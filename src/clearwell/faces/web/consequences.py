# SPDX-License-Identifier: Apache-2.0
"""What a kind of weakness can lead to, in plain words for somebody who runs the software and does not write it.

General knowledge about a family of CWE, never a claim about one flaw or one system (never 7): the page says so.
"""

import re

from clearwell.vocabulary.weakness import FAMILY_OF

_CWE = re.compile(r"CWE-[0-9]{1,5}")
_RUNS = "run programs of their own on that system"
_READS = "read data that is not meant for them"
_STOPS = "make it stop or slow down"
_CRASHES = "make it stop, and sometimes take over that system"
_CHANGES = "pass for somebody else, or have forged data accepted"
_PLAIN: dict[str, str] = {
    **dict.fromkeys(("memory", "lifetime", "uninitialized", "integer", "format-string", "type", "race"), _CRASHES),
    **dict.fromkeys(("command", "code", "deserialization"), _RUNS),
    **dict.fromkeys(("null", "divide", "complexity", "exhaustion", "recursion", "assertion"), _STOPS),
    **dict.fromkeys(("xml-entity", "disclosure", "credentials", "ldap", "xpath"), _READS),
    **dict.fromkeys(("signature", "certificate", "cipher", "hash", "random", "authentication", "authorization"), _CHANGES),
    "path": "read or overwrite files that are none of theirs",
    "sql": "read or change what stands in its database",
    "pollution": "change how the program behaves, and sometimes run programs of their own",
    "markup": "show your users a changed page and act in their name",
    "header": "show your users a changed page and act in their name",
    "request": "reach systems inside your network through it",
    "redirect": "send your users to a page of theirs",
    "csrf": "act in the name of your users",
    "cookie": "act in the name of your users",
}


def consequence(title: str) -> str:
    """What others might do with the weakness that an advisory's title names; general words where it names none that we know."""
    named = _CWE.search(title)
    return _PLAIN.get(FAMILY_OF.get(named[0], ""), "misuse it") if named else "misuse it"
