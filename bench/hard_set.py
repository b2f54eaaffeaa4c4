# SPDX-License-Identifier: Apache-2.0
"""The hard set: reports that equal-state dedupe had already split. L2's ranking beside four baselines, on both halves of the projects.

The weights of L2 were fitted on the projects of the first half (by a hash of the repository's name) and rounded; the second is the test.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

from hub import Figure
from sections import SHARED

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

Pair = tuple[int, int]
Score = Callable[[int, int], float]
FILE = SHARED / "duplicates" / "osv_ossfuzz_dev.jsonl"


def measure_hard_set(folder: Path) -> list[Figure]:
    """Recall at 1, 5 and 20, pairwise recall at the precision of the best baseline, and that nothing joins by itself."""
    from clearinghouse.dedupe.two_tools import make, score
    from clearwell.clearinghouse.dedupe.cluster import cluster
    from clearwell.clearinghouse.dedupe.similarity import Rarity, compare, score_of
    from clearwell.clearinghouse.dedupe.sketch import sketch

    if not FILE.exists():
        print("     hard set: skipped, there is no shared data (CLEARWELL_SHARED)")
        return []
    records = [json.loads(line) for line in FILE.read_text().splitlines()]
    findings = [_finding(record) for record in records]
    sketches = [sketch(finding) for finding in findings]
    rare = Rarity(sketches)
    ways: dict[str, Score] = {
        "L2": lambda i, j: score_of(compare(sketches[i], sketches[j], rare)),
        "equal state": lambda i, j: float(records[i]["crash_state"] == records[j]["crash_state"]),
        "ClusterFuzz-style similarity": lambda i, j: _clusterfuzz(records[i]["crash_state"], records[j]["crash_state"]),
        "any shared frame": lambda i, j: float(bool(set(records[i]["crash_state"]) & set(records[j]["crash_state"]))),
        "same introduced commit": lambda i, j: float(bool(set(records[i]["introduced"]) & set(records[j]["introduced"]))),
    }
    figures = []
    for half in (0, 1):
        chosen = [n for n, record in enumerate(records) if _half(record) == half]
        name = "projects that weights were fitted on" if half == 0 else "projects that no weight has seen"
        figures += _half_figures(name, records, chosen, ways)
    rows = cluster([(record["id"], 0, finding) for record, finding in zip(records, findings, strict=True)])
    joined = len(rows) - len({row.cluster for row in rows})
    figures.append(Figure("hard set: reports that L0 or L1 joined by themselves", joined, "of 1,614", 0))
    known = score(make())
    figures += [
        Figure("two invented tools: precision of joins by file and inferred family", known.precision, "of 1"),
        Figure("two invented tools: recall of what a rule can join", known.recall, "of 1"),
        Figure("two invented tools: suggested, of what stays apart", known.suggested / max(1, known.left), "of 1"),
    ]
    return figures


def _half_figures(name: str, records: list[dict[str, Any]], chosen: list[int], ways: dict[str, Score]) -> list[Figure]:
    members: dict[str, list[int]] = {}
    for number in chosen:
        members.setdefault(str(records[number]["repo"] or records[number]["project"]), []).append(number)
    pairs = [pair for numbers in members.values() for pair in combinations(numbers, 2)]
    labels = [record["bug_label"] for record in records]
    scores = {way: {pair: score(*pair) for pair in pairs} for way, score in ways.items()}
    figures = []
    for way, scored in scores.items():
        at = _recall(scored, labels)
        figures.append(Figure(f"hard set, {name}: recall at 5 by {way}", at[5], "of 1", peer=f"at 1 {at[1]:.3f}; at 20 {at[20]:.3f}"))
    positives = sum(labels[i] == labels[j] for i, j in pairs)
    best, precision, recall = "", 0.0, 0.0
    for way, scored in scores.items():
        if way in ("L2", "ClusterFuzz-style similarity"):
            continue
        said = [pair for pair, value in scored.items() if value]
        right = sum(labels[i] == labels[j] for i, j in said)
        if said and right / positives > recall:
            best, precision, recall = way, right / len(said), right / positives
    ours = _recall_at(scores["L2"], labels, precision, positives)
    said = f"{best}: {recall:.3f} at that precision"
    figures.append(
        Figure(f"hard set, {name}: pairwise recall of L2 at precision {precision:.3f}", ours, "of 1", recall, at_most=False, peer=said)
    )
    return figures


def _recall(scored: dict[Pair, float], labels: Sequence[object]) -> dict[int, float]:
    """Of the reports that have another of the same bug: how many have one among their best 1, 5, 20 (ties broken by a hash)."""
    others: dict[int, list[tuple[float, bytes, int]]] = {}
    for (i, j), value in scored.items():
        for one, other in ((i, j), (j, i)):
            tie = hashlib.blake2b(f"{one} {other}".encode(), digest_size=8).digest()
            others.setdefault(one, []).append((-value, tie, other))
    asked = [one for one, ranked in others.items() if any(labels[one] == labels[other] for _, _, other in ranked)]
    found = {1: 0, 5: 0, 20: 0}
    for one in asked:
        ranked = sorted(others[one])
        for most in found:
            found[most] += any(labels[one] == labels[other] for _, _, other in ranked[:most])
    return {most: count / len(asked) for most, count in found.items()}


def _recall_at(scored: dict[Pair, float], labels: Sequence[object], precision: float, positives: int) -> float:
    """The highest recall at which at least this share of the pairs said to be one are one."""
    right, best = 0, 0.0
    for said, ((i, j), _) in enumerate(sorted(scored.items(), key=lambda item: -item[1]), 1):
        right += labels[i] == labels[j]
        if right / said >= precision:
            best = max(best, right / positives)
    return best


def _clusterfuzz(one: list[str], other: list[str]) -> float:
    """How ClusterFuzz compares two states: frames alike by their longest common subsequence, two of three alike are one."""
    from rapidfuzz.distance import LCSseq

    alike = [LCSseq.normalized_similarity(a, b) for a, b in zip(one, other, strict=False)]
    return sum(alike) / max(1, len(alike))


def _half(record: dict[str, Any]) -> int:
    return hashlib.sha256(str(record["repo"] or record["project"]).encode()).digest()[0] % 2


def _finding(record: dict[str, Any]) -> Any:
    """A record as the OSV format reads it."""
    from clearwell.vocabulary.finding import Crash, Finding, Frame
    from clearwell.vocabulary.product import Product

    kind, state = str(record["crash_type"]), [str(line) for line in record["crash_state"]]
    crash = Crash(type=kind, state="".join(f"{line}\n" for line in state), frames=tuple(Frame(line) for line in state))
    product = Product(repository=str(record["repo"] or record["project"]))
    return Finding(format="osv", title=str(record["id"]), product=product, crash=crash, introduced=tuple(record["introduced"]))
