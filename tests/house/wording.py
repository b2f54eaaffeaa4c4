# SPDX-License-Identifier: Apache-2.0
"""The words of never 1 (no gate) and never 2 (no hoard), and where in the repository names and sentences are read."""

import ast
import re
from collections.abc import Iterator

from house import schema
from house.tree import files, named

GATE = {
    "approve", "approves", "approved", "approval", "approvals", "approver", "approving", "unapproved", "preapproved",
    "deny", "denies", "denied", "denial", "license", "licenses", "licensed", "licensing", "licensee", "licence", "licences", "licensure",
    "veto", "vetoed", "vetoes", "gate", "gates", "gated", "gating", "gatekeeper", "clearance", "moratorium", "greenlight", "signoff",
    "permit", "permits", "permitted", "unpermitted", "authorised", "unauthorised",
}  # fmt: skip
"""Words that no name of ours holds, whatever it is about (HOUSE.md: never license, permit, approve, gate, clear)."""
GATE_NEAR_A_MODEL = {
    "hold", "holds", "held", "holding", "block", "blocks", "blocked", "blocking", "halt", "halted", "suspend", "suspended", "stop",
    "stopped", "forbid", "forbidden", "prohibit", "prohibited", "ban", "banned", "refuse", "refused", "reject", "rejected", "authorize",
    "authorized", "authorization", "clear", "cleared", "allow", "allowed", "disallow", "disallowed", "embargo", "embargoed", "quarantine",
    "quarantined", "postpone", "postponed", "delay", "delayed", "must", "may",
}  # fmt: skip
MODEL = {"model", "models", "weights", "engagement", "engagements", "frontier", "launch"}
HOARD = {
    "hoard", "hoards", "hoarded", "stockpile", "stockpiled", "withhold", "withholds", "withheld", "withholding", "suppress", "suppressed",
    "suppression", "indefinite", "indefinitely", "perpetual", "forever", "equities", "nobus", "shelve", "shelved", "mothballed",
}  # fmt: skip
HOARD_PAIRS = {
    ("hold", "back"), ("held", "back"), ("holding", "back"), ("keep", "back"), ("kept", "back"), ("no", "end"), ("without", "end"),
    ("never", "publish"), ("never", "published"), ("never", "ends"), ("never", "expires"), ("do", "not", "publish"), ("keep", "secret"),
    ("unlimited", "embargo"), ("open", "ended"),
}  # fmt: skip
ALLOWED: dict[tuple[str, str], str] = {
    # (file, name): why it is not what the rule is about
}
OUTSIDE_WORDS = ("src/clearwell/formats/",)
"""Rooms whose names are those of outside documents (SARIF's suppressions): never 2 is not read there."""


# -- the rules --------------------------------------------------------------------------------------------------------


def words(name: str) -> tuple[str, ...]:
    """`release_holdModel-2` -> release, hold, model, 2."""
    return tuple(part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", name))


def gates(name: str, where: str = "") -> bool:
    """True for a name that would block, approve, license or hold the release of a model. `where` is its table, type or file."""
    own = set(words(name))
    about = own | set(words(where))
    return bool(own & GATE) or bool(own & GATE_NEAR_A_MODEL and about & MODEL)


def hoards(name: str) -> bool:
    """True for a name of a state or an act that keeps a flaw back."""
    own = words(name)
    return bool(set(own) & HOARD) or any(own[at : at + len(pair)] == pair for pair in HOARD_PAIRS for at in range(len(own)))


_NEGATED = re.compile(r"(?i)\b(?:no|not|never|none|nothing|nobody|without|cannot|can't|neither|nor|instead of|rather than)\b|n't\b")
_GATING = re.compile(
    r"(?i)\b(?:approv(?:e[sd]?|al|ing)|den(?:y|ies|ied|ial)|licen[sc](?:e[sd]?|ing)|veto(?:e[sd])?|gat(?:e[sd]?|ing)|permits?|permitted|"
    r"authoriz(?:e[sd]?|ation|ing)|hold(?:s|ing)?|held|block(?:s|ed|ing)?|forbid(?:s|den)?|prohibit(?:s|ed)?|suspend(?:s|ed)?|halt(?:s|ed)?|"
    r"ban(?:s|ned)?|delay(?:s|ed)?)\b"
)
_RELEASE = re.compile(r"(?i)\b(?:releas(?:e[sd]?|ing)|launch(?:e[sd]|ing)?|deploy(?:s|ed|ing|ment)?|early access)\b")
_A_MODEL = re.compile(r"(?i)\bmodels?\b")
_GATED_MODEL = re.compile(
    r"(?i)\b(?:approv(?:e[sd]?|ing)|approval of|den(?:y|ies|ied)|licens(?:e[sd]?|ing)|veto(?:e[sd])?|block(?:s|ed|ing)?)\s+"
    r"(?:(?:an?|the|this|that|each|every|any|its|their|covered|frontier|new|AI)\s+){0,3}models?\b"
    r"|\bmodels?\s+(?:\w+\s+){0,3}(?:approved|denied|licensed|vetoed|blocked|banned)\b"
)
_HOARDING = re.compile(
    r"(?i)\b(?:hoard\w*|stockpil\w*|withh[oe]ld\w*|suppress\w*|(?:hold|held|keep|kept)s?(?:ing)?\s+(?:\w+\s+){0,3}back|indefinite\w*)\b"
)
_FLAW = re.compile(r"(?i)\b(?:flaws?|findings?|reports?|cases?|vulnerabilit(?:y|ies)|advisor(?:y|ies)|proofs?|embargo(?:es|ed)?|bugs?)\b")


def gating_sentences(text: str) -> list[str]:
    """Sentences that say that a model's release is approved, denied, licensed, held or blocked; saying that it never is, is allowed."""
    found = []
    for sentence in sentences(text):
        said = _GATED_MODEL.search(sentence) or (_GATING.search(sentence) and _RELEASE.search(sentence) and _A_MODEL.search(sentence))
        if said and not _NEGATED.search(sentence):
            found.append(sentence)
    return found


def hoarding_sentences(text: str) -> list[str]:
    """Sentences that say that a flaw is kept back or an embargo has no end, unless they deny it."""
    return [s for s in sentences(text) if _HOARDING.search(s) and _FLAW.search(s) and not _NEGATED.search(s)]


def sentences(text: str) -> list[str]:
    """Prose cut at full stops, blank lines, list items and table cells; code blocks, tags and template expressions left out."""
    plain = re.sub(r"(?s)```.*?```|\{#.*?#\}|\{%.*?%\}|<script.*?</script>|<style.*?</style>", "\n\n", text)
    plain = re.sub(r"<[^>]{0,400}>", " ", plain)
    parts = re.split(r"(?<=[.!?])\s+|\n\s*\n|\n\s*(?:[-*|#]|\d+\.)\s*|\s\|\s", plain)
    return [" ".join(part.split()) for part in parts if part.strip()]


def end_date_problems(tables: dict[str, schema.Table]) -> list[str]:
    """Every table of findings or cases, and whatever bears an embargo, has an end date that cannot be missing."""
    found = []
    for table in tables.values():
        bound = table.name.split("_")[-1] in {"finding", "findings", "case", "cases"} or any(
            "embargo" in column for column in table.columns
        )
        if not bound:
            continue
        definition = table.columns.get("ends_at", "")
        if not definition.startswith(("TIMESTAMPTZ", "TIMESTAMP WITH TIME ZONE", "DATE")) or "NOT NULL" not in definition:
            found.append(f"{table.name}: ends_at must be a time that is NOT NULL (it has {definition or 'no such column'!r})")
        elif "DEFAULT" in definition or "GENERATED" in definition:
            found.append(f"{table.name}: ends_at counts from first receipt; it has no default")
    return found


def endless_problems(name: str, text: str) -> list[str]:
    """No time at infinity, nothing that takes an end date away."""
    pattern = re.compile(
        r"(?i)'-?infinity'|\bdatetime\.max\b|\bdate\.max\b|SET\s+ends_at\s*=\s*NULL|ends_at\s+DROP\s+NOT\s+NULL|drop\s+column\s+ends_at"
    )
    return [f"{name}: {found[0]}" for found in pattern.finditer(text)]


# -- what they are read over ------------------------------------------------------------------------------------------


def python_names(text: str) -> Iterator[tuple[str, str]]:
    """(name, the type it stands in) for every type, field, function, state, route and command of a module."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            yield node.name, ""
            for part in node.body:
                if isinstance(part, ast.AnnAssign) and isinstance(part.target, ast.Name):
                    yield part.target.id, node.name
                elif isinstance(part, ast.Assign):
                    yield from ((target.id, node.name) for target in part.targets if isinstance(target, ast.Name))
                    if isinstance(part.value, ast.Constant) and isinstance(part.value.value, str):
                        yield part.value.value, node.name
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, ""
            for decorator in node.decorator_list:
                yield from ((value, "") for value in _strings(decorator) if len(value) < 120)
        elif isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in {"Literal", "frozenset"}:
            yield from ((value, "") for value in _strings(node.slice))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"/[a-z][\w/{}:.-]*", node.value):
            yield node.value, ""
        elif isinstance(node, ast.Dict):
            yield from (
                (key.value, "")
                for key in node.keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str) and key.value.isidentifier()
            )


def _strings(node: ast.AST) -> Iterator[str]:
    return (part.value for part in ast.walk(node) if isinstance(part, ast.Constant) and isinstance(part.value, str))


def template_names(text: str) -> Iterator[tuple[str, str]]:
    """Routes, form fields and the values of choices on a page."""
    for value in re.findall(r"""\b(?:href|action|hx-\w+|name|value|id|class)\s*=\s*["']([^"'{}]{1,120})["']""", text):
        yield value, ""


def cedar_names(text: str) -> Iterator[tuple[str, str]]:
    """Acts, kinds and attributes; `permit` and `forbid` are Cedar's own keywords."""
    plain = re.sub(r"//[^\n]*", " ", text)
    for value in re.findall(r'"([^"\n]{1,80})"', plain):
        if re.fullmatch(r"[\w:]+", value):
            yield value, ""
    for value in re.findall(r"\b[A-Za-z_]\w+\b", re.sub(r'"[^"\n]*"', " ", plain)):
        if value not in {"permit", "forbid"}:
            yield value, ""


def sql_names(text: str) -> Iterator[tuple[str, str]]:
    """Tables with their columns, and every other name or literal of a migration."""
    for table in schema.read([text]).values():
        yield table.name, ""
        yield from ((column, table.name) for column in table.columns)
    yield from ((word, "") for word in schema.words_of(text))


READERS = {".py": python_names, ".html": template_names, ".cedar": cedar_names, ".cedarschema": cedar_names, ".sql": sql_names}


def all_names() -> Iterator[tuple[str, str, str]]:
    """(file, name, where) of everything under src."""
    for path in files(*READERS, under="src"):
        file = named(path)
        context = "frontier" if "/frontier/" in file else ""
        for name, where in READERS[path.suffix](path.read_text(encoding="utf-8")):
            if (file, name) not in ALLOWED:
                yield file, name, where or context


def all_prose() -> Iterator[tuple[str, str]]:
    """(file, text) of the documents, the pages and the strings of the command line."""
    for path in (*files(".md"), *files(".html", under="src")):
        yield named(path), path.read_text(encoding="utf-8")
    for path in files(".py", under="src/clearwell/faces"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
                yield named(path), node.value
