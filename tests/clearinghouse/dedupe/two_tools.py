# SPDX-License-Identifier: Apache-2.0
"""A set with known answers: two invented tools look at one code base; one knows lines and CWE, the other says line 1 and no CWE at all.

Each flaw has a number; `answers` says which flaw each finding is. Files hold one flaw of a family, or two of one family (which nothing
but a person can tell apart without lines), or flaws of several families (which must stay apart).
"""

import json
import random

import msgspec

from clearwell.formats import read
from clearwell.vocabulary.finding import Finding
from clearwell.vocabulary.product import Product

TARGET = Product(purl="pkg:generic/bookshop@4.2")
# family: (CWE, the first tool's rule and words, the second tool's rule and words)
KINDS = {
    "sql": (
        "CWE-89",
        "SQLI-001",
        "Untrusted text reaches a database statement in {what}",
        "sql-injection",
        "{what}: query built from request data",
    ),
    "xss": (
        "CWE-79",
        "XSS-014",
        "Text of a visitor is written into the page by {what}",
        "cross-site-scripting",
        "{what} prints a parameter unescaped",
    ),
    "command": ("CWE-78", "EXEC-003", "A shell command is put together in {what}", "command-injection", "{what} passes input to the shell"),
    "path": ("CWE-22", "PATH-002", "A file name from outside is opened in {what}", "path-traversal", "{what}: dot-dot in a file name"),
    "crypto": ("CWE-327", "CRY-007", "MD5 is used in {what}", "weak-hash-md5", "{what} uses a broken hash"),
    "xxe": ("CWE-611", "XML-009", "External entities are read in {what}", "xxe", "{what}: the XML parser follows entities"),
    "deserialization": (
        "CWE-502",
        "SER-004",
        "An object is made of bytes from outside in {what}",
        "unsafe-deserialization",
        "{what} unpickles",
    ),
}


class Known(msgspec.Struct, frozen=True):
    """The set: two tools' findings, each with its place in `findings`, and which flaw each is. `clear` are flaws that a rule can join."""

    findings: tuple[tuple[str, int, Finding], ...]
    answers: dict[tuple[str, int], int]
    clear: frozenset[int]


def make(seed: int = 11, files: int = 90) -> Known:
    """Make the set; the same seed makes the same one."""
    chance = random.Random(seed)
    first, second, clear, flaw = [], [], set(), 0
    for number in range(files):
        file = f"shop/{chance.choice(['cart', 'login', 'search', 'admin'])}/unit{number}.py"
        kinds = chance.sample(sorted(KINDS), chance.choice([1, 1, 2, 3]))
        for kind in kinds:
            twice = chance.random() < 0.2
            for nth in range(2 if twice else 1):
                what = f"handler {chance.randint(100, 999)}"
                seen = chance.choice(["both"] * 6 + ["first", "second"])
                if seen != "second":
                    first.append(
                        (flaw, _result(KINDS[kind][1], KINDS[kind][2].format(what=what), file, chance.randint(5, 900), KINDS[kind][0]))
                    )
                if seen != "first":
                    second.append(
                        (flaw, _result(KINDS[kind][3], KINDS[kind][4].format(what=f"unit{number}, argument {nth}"), file, 1, None))
                    )
                if seen == "both" and not twice:
                    clear.add(flaw)
                flaw += 1
    findings, answers = [], {}
    for name, results in (("glass", first), ("sieve", second)):
        chance.shuffle(results)
        document = read(_sarif(name, [result for _, result in results]), f"{name}.sarif", TARGET)
        findings += [(name, index, finding) for index, finding in enumerate(document.findings)]
        answers |= {(name, index): number for index, (number, _) in enumerate(results)}
    return Known(tuple(findings), answers, frozenset(clear))


def _result(rule: str, text: str, file: str, line: int, cwe: str | None) -> dict[str, object]:
    place = {"physicalLocation": {"artifactLocation": {"uri": file}, "region": {"startLine": line}}}
    more = {"properties": {"tags": [f"external/cwe/{cwe.lower()}"]}} if cwe else {}
    return {"ruleId": rule, "message": {"text": text}, "locations": [place], **more}


def _sarif(tool: str, results: list[dict[str, object]]) -> bytes:
    run = {"tool": {"driver": {"name": tool}}, "results": results}
    return json.dumps({"version": "2.1.0", "runs": [run]}).encode()


class Scores(msgspec.Struct, frozen=True):
    """Pairs of the two tools' findings: joined rightly and wrongly, of those that are one flaw; and what suggestions add."""

    right: int
    wrong: int
    clear: int
    suggested: int
    left: int

    @property
    def precision(self) -> float:
        """Of the joined pairs, how many are one flaw."""
        return self.right / (self.right + self.wrong) if self.right + self.wrong else 1.0

    @property
    def recall(self) -> float:
        """Of the flaws that a rule can join (one of their family in the file, seen by both), how many it joined."""
        return self.right / self.clear

    @property
    def recall_of_all(self) -> float:
        """Of all flaws that both tools saw, how many were joined; the rest is suggested, or stays apart."""
        return self.right / (self.right + self.left)


def score(known: Known) -> Scores:
    """Cluster the set and compare with the answers."""
    from clearwell.clearinghouse.dedupe.cluster import cluster
    from clearwell.clearinghouse.dedupe.proposing import suggestions

    rows = cluster(known.findings)
    clusters = {(row.file, row.index): row.cluster for row in rows}
    pairs = {frozenset(side.cluster for side in one.between) for one in suggestions(known.findings, rows)}
    by_flaw: dict[int, dict[str, str]] = {}
    for place, flaw in known.answers.items():
        by_flaw.setdefault(flaw, {})[place[0]] = clusters[place]
    both = [sides for sides in by_flaw.values() if len(sides) == 2]
    right = sum(sides["glass"] == sides["sieve"] for sides in both)
    members: dict[str, list[int]] = {}
    for place, flaw in known.answers.items():
        members.setdefault(clusters[place], []).append(flaw)
    wrong = sum(len(set(flaws)) > 1 for flaws in members.values())
    left = [sides for sides in both if sides["glass"] != sides["sieve"]]
    suggested = sum(frozenset(sides.values()) in pairs for sides in left)
    return Scores(right, wrong, len(known.clear), suggested, len(left))


SEEDS = (11, 12, 13)


def published() -> str:
    """The table of docs/reference/cluster.md, as it is measured now."""
    head = (
        "| set | findings | precision of joins | recall of what the rule can join | recall of all that both saw | suggested of the rest |"
    )
    rows = [head, "| --- | --- | --- | --- | --- | --- |"]
    for seed in SEEDS:
        known = make(seed)
        one = score(known)
        suggested = one.suggested / one.left
        rows.append(
            f"| {seed} | {len(known.findings)} | {one.precision:.3f} | {one.recall:.3f} | {one.recall_of_all:.3f} | {suggested:.3f} |"
        )
    return "\n".join(rows) + "\n"
