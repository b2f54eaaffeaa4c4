# SPDX-License-Identifier: Apache-2.0
"""Signatures: what two findings must share to be one bug, exactly (L0) or by a rule per component (L1). ADR 12 has the reasons.

`signatures(finding)` looks at one finding; `run_signatures(findings)` at all of one run (one tool's findings in one document), which
adds what only the run shows: the order of a repeated rule, and that a fingerprint is no identity because the run repeats it.
`document_signatures` takes a document of several tools apart.
"""

import hashlib
import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice
from typing import Literal

import msgspec

from clearwell.clearinghouse.dedupe.spelling import (
    component_of,
    crash_class,
    function_of,
    is_local,
    is_nameless,
    is_whole_file,
    path_of,
    text_of,
    words_of,
)
from clearwell.vocabulary.finding import Crash, Finding, ProofFiles
from clearwell.vocabulary.weakness import family_of

Kind = Literal["proof", "external-id", "report", "fingerprint", "order", "call-sites", "crash-lines", "crash", "location", "file"]

VERSIONS: dict[Kind, int] = {
    "proof": 1,
    "external-id": 2,
    "report": 1,
    "fingerprint": 1,
    "order": 1,
    "call-sites": 1,
    "crash-lines": 1,
    "crash": 1,
    "location": 2,
    "file": 2,
}
"""The version of each rule. It is part of the key: a changed rule makes new keys, and those
of what is stored are made anew on demand (ADR 33)."""

PLACES: frozenset[Kind] = frozenset({"fingerprint", "order", "location", "file"})
"""The rules that go by place: they never join two findings of one run."""

STACKS: frozenset[Kind] = frozenset({"call-sites", "crash-lines", "crash"})
"""The rules that go by a crash's stack."""

NEAR, HASH = 6, 16
"""Bytes of a key that say where it lies, and those behind them that say what; a proof's key is its 32 bytes of SHA-256 alone."""
PROJECT_FRAMES = 3
_MIN_TEXT = 80
_MAX_FINGERPRINTS = 5
_ENTRY_POINTS = {
    "main", "wmain", "WinMain", "wWinMain", "DllMain", "_start", "start", "__libc_start_main", "start_thread",
    "<module>", "LLVMFuzzerTestOneInput", "FuzzerTestOneInput", "fuzzerTestOneInput", "TestOneInput", "FuzzOne", "fuzz_target",
    "rust_fuzzer_test_input",
}  # fmt: skip
_LAST_NAME = re.compile(r".*(?:\.|::)")
_WHERE_IT_STOPPED = re.compile(r"out[- ]of[- ]memory|\boom\b|timeout|hang|slow[- ]unit|rss")
_DIGEST = re.compile(r"(?=[^0-9]*[0-9])(?:[0-9a-fA-F]{12,128}|[0-9a-fA-F-]{36}|[A-Za-z0-9+/_-]{20,256}={0,2})(?:[:_][0-9]{1,6})?")
_STRONG_ID = re.compile(r"(?=[^0-9]*[0-9])(?:[0-9a-fA-F]{16,128}|\{?[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\}?)")
_WHOLE_FILE = re.compile(r"file(?:hash|digest|sha|checksum)|(?:hash|digest|sha|checksum)(?:of)?file", re.IGNORECASE)

_pack = msgspec.msgpack.Encoder().encode


class Signature(msgspec.Struct, frozen=True):
    """One thing that findings of one bug share: equal keys, same signature. Kind, rule version and component are part of the key.

    `key` has 22 bytes: six that say where it lies (`near`), then 16 of a hash; a proof's has 32 (the folder's SHA-256). `at` is the
    asserted version of the component, None when unknown: a rule joins only equal or unknown versions, unless `any_version`. The kinds
    in `PLACES` never join two findings of one run, and "file" only where each run has exactly one. `evidence` is (kind, what is the
    same), for people; it may hold outside text.
    """

    rung: Literal["L0", "L1"]
    kind: Kind
    version: int
    key: bytes
    at: str | None
    any_version: bool
    evidence: tuple[str, str]


def signatures(finding: Finding, unknown: str | None = None) -> tuple[Signature, ...]:
    """Return every signature that the finding has by itself.

    `unknown` names the scope in which findings without a component may join: an organization's id. Findings of unknown
    components of two scopes, or of two tools, share no key but that of an identical proof; without a scope they have no other.
    A component whose name means something in one organization alone (`is_local`) is known there, and unknown beside another's.
    """
    component, at = component_of(finding.product)
    tool = tool_of(finding)
    found: list[Signature] = []
    if finding.proof is not None and finding.proof.files:
        found.append(_proof(finding.proof))
    if unknown is None and (component is None or is_local(component)):
        return tuple(found)
    scope = scope_of(finding, unknown)
    if finding.external_id:
        _external_id(finding, scope, at, unknown, found)
    if finding.crash is not None:
        _crash(finding, finding.crash, scope, at, component is None, found)
    else:
        _report(finding, scope, at, found)
        _function(finding, scope, at, found)
    if finding.fingerprints:
        _fingerprints(finding, scope, at, tool, found)
    return tuple(found)


def document_signatures(findings: Sequence[Finding], unknown: str | None = None) -> list[tuple[Signature, ...]]:
    """Return the signatures of each finding of one document, in order: each tool's findings in it are a run of their own.

    Two tools that name one place agree; one tool that names it twice means two flaws.
    """
    runs: dict[str, list[int]] = {}
    for number, finding in enumerate(findings):
        runs.setdefault(tool_of(finding), []).append(number)
    if len(runs) == 1:
        return run_signatures(findings, unknown)
    rows: list[tuple[Signature, ...]] = [()] * len(findings)
    for numbers in runs.values():
        for number, row in zip(numbers, run_signatures([findings[number] for number in numbers], unknown), strict=True):
            rows[number] = row
    return rows


def run_signatures(findings: Sequence[Finding], unknown: str | None = None) -> list[tuple[Signature, ...]]:
    """Return the signatures of each finding of one run, in order: those of `signatures`, and those that need the whole run.

    A fingerprint or a place that two different findings of the run bear is dropped: it is neither's. A rule that stands `n` times in
    one file is numbered in the order of lines, and joins across runs of the tool that found it `n` times there too; so are equal
    reports under different ids. A weakness family that stands once in a file gets a "file" signature, for tools that name no function.
    """
    rows = [list(signatures(finding, unknown)) for finding in findings]
    _number_equal_reports(findings, rows)
    _drop_repeated(findings, rows)
    for scope, members in _scopes(findings, unknown).items():
        _number_repeated_rules(scope, members, rows)
        _file(scope, members, rows)
    return [tuple(row) for row in rows]


def unknown_signature(finding: Finding) -> str | None:
    """Say why a crash has no signature of its stack, None when it has one or is no crash."""
    if finding.crash is None:
        return None
    found: list[Signature] = []
    component, at = component_of(finding.product)
    return _stack(finding.crash, component or "?", at, component is None, found)


def content_digest(finding: Finding) -> bytes:
    """Return 16 bytes over everything that the finding says, for ids that do not depend on files and order of arrival."""
    proof = _folder_digest(finding.proof) if finding.proof is not None else b""
    return hashlib.blake2b(_pack(msgspec.structs.replace(finding, proof=None)) + proof, digest_size=16).digest()


def near(scope: str, file: str | None = None) -> bytes:
    """Six bytes that keys begin with, so that those of one component, and there of one file, lie side by side in the index (ADR 30).

    They say nothing that the hash behind them does not: equal hashes have equal ones. Only nearness hangs on them: a checksum will do.
    """
    there = zlib.crc32(file.encode(errors="replace")) & 0xFFFF if file else 0
    return (_near_component(scope) << 16 | there).to_bytes(6)


@lru_cache(maxsize=1_024)
def _near_component(scope: str) -> int:
    component, _, _ = scope.partition("\0")
    return zlib.crc32(component.encode(errors="replace"))


def hash_of(key: bytes) -> bytes:
    """What a key says, without where it lies."""
    return key[NEAR:]


def _signature(
    rung: Literal["L0", "L1"], kind: Kind, near: bytes, parts: object, at: str | None, shown: str, any_version: bool = False
) -> Signature:
    version = VERSIONS[kind]
    key = near + hashlib.blake2b(_pack((kind, version, parts)), digest_size=HASH).digest()
    return Signature(rung, kind, version, key, at, any_version, (kind, shown))


# L0: the same thing sent again ------------------------------------------------------------------------------------


def _proof(proof: ProofFiles) -> Signature:
    digest = _folder_digest(proof)
    return Signature("L0", "proof", VERSIONS["proof"], digest, None, True, ("proof", f"sha256:{digest.hex()}"))


def _folder_digest(proof: ProofFiles) -> bytes:
    """Hash a proof folder: each file's name and bytes, in the order of names."""
    listing = [(name, hashlib.sha256(data).digest()) for name, data in sorted(proof.files.items())]
    return hashlib.sha256(_pack(listing)).digest()


def _external_id(finding: Finding, scope: str, at: str | None, sender: str | None, found: list[Signature]) -> None:
    """A long random id is an identity among one sender's reports; another's must also name the same place and weakness.

    Everybody may write anybody's id into a report, and who runs the same tool knows it beforehand. A short one (F-1) is one only
    of one sender and for one place: what another run counts as its first is another flaw.
    """
    identity, tool, place = (finding.external_id or "").strip(), tool_of(finding), finding.location
    is_strong = is_strong_id(identity)
    file = path_of(place.file) if place is not None and place.file else None
    families = sorted({weakness.family for weakness in finding.weaknesses})
    own = () if sender is None else (sender,)
    if is_strong:
        identity = identity.lower()
        found.append(
            _signature("L0", "external-id", near(scope), (scope, tool, identity, *own), None, f"{tool}: {identity}", any_version=True)
        )
    if not identity or not file or not families or (is_strong and sender is None):
        return
    there = (scope, tool, identity, file, function_of(place.function) if place is not None else None, families)
    shown = f"{tool}: {identity} in {file}"
    if is_strong:
        found.append(_signature("L0", "external-id", near(scope), there, None, shown, any_version=True))
    else:
        found.append(_signature("L0", "external-id", near(scope, file), (*there, *own), at, shown))


def _report(finding: Finding, scope: str, at: str | None, found: list[Signature]) -> None:
    """The same words at the same places. Addresses and times in them count, unless a line or a function says where the flaw is."""
    places = [(path_of(place.file) if place.file else None, place.line, place.function) for place in finding.locations]
    even = text_of if any(line is not None or function for _, line, function in places) else words_of
    title, message = even(finding.title), even(finding.message)
    if not any(place[0] for place in places) and len(title) + len(message) < _MIN_TEXT:
        return
    parts = (scope, at, title, message, places, finding.rule)
    found.append(
        _signature("L0", "report", near(scope, places[0][0] if places else None), parts, None, "the same report", any_version=True)
    )


# L1: the same place or stack, by a rule ----------------------------------------------------------------------------


def _crash(finding: Finding, crash: Crash, scope: str, at: str | None, is_unknown: bool, found: list[Signature]) -> None:
    reason = _stack(crash, scope, at, is_unknown, found)
    if reason is None:
        frames = [(frame.function, frame.file, frame.line, frame.module) for frame in crash.frames]
        parts = (scope, at, text_of(finding.title), crash.type, crash.access, crash.size, crash.state, frames)
        found.append(_signature("L0", "report", near(scope), parts, None, "the same report", any_version=True))
        if not is_unknown:
            _function(finding, scope, at, found)


def _stack(crash: Crash, scope: str, at: str | None, is_unknown: bool, found: list[Signature]) -> str | None:
    """Add the signatures of a crash's stack; return why there is none.

    Functions alone ("crash") join only within one named version: the same three functions crash again for another reason a year later.
    Where a version is unknown, equal lines must show that the source is the same.
    """
    if not crash.type or not (kind := crash_class(crash.type, crash.access)):
        return "the kind of crash is unknown"
    if _WHERE_IT_STOPPED.search(kind) is not None:
        return f"{kind} names the place where a limit was hit, not the flaw"
    if len(crash.call_sites) >= (2 if is_unknown else 1):
        sites = crash.call_sites[:PROJECT_FRAMES]
        found.append(_signature("L1", "call-sites", near(scope), (scope, kind, sites), at, f"{kind} at {' < '.join(sites)}"))
    if crash.state is not None and crash.state.strip() in ("", "NULL"):
        return "the stack names no project frame"
    top = crash.frames[:PROJECT_FRAMES]
    names = [function_of(frame.function) for frame in top]
    if None in names or not names:
        return "a frame of the stack has no name"
    state = [function_of(line) or line for line in (crash.state or "").strip().split("\n")]
    if len(names) < PROJECT_FRAMES and state != names and not is_entry_point(names[-1]):
        return f"the stack names only {len(names)} project frames, and neither its state nor an entry point says that it ends there"
    if all(is_entry_point(name) for name in names):
        return "the stack names only the program's entry point"
    places = [(path_of(frame.file) if frame.file else None, frame.line) for frame in top]
    told = f"{kind} in {' < '.join(str(name) for name in names)}"
    parts = (scope, kind, names, [] if state in ([""], names) else state)
    if at is not None:
        found.append(_signature("L1", "crash", near(scope), parts, at, told))
    if all(file is not None and line is not None for file, line in places):
        lines = ", ".join(f"{file}:{line}" for file, line in places)
        found.append(_signature("L1", "crash-lines", near(scope), (*parts, places), at, f"{told} at {lines}"))
    elif at is None:
        return "the version is unknown, and so is the line of a frame"
    return None


def is_entry_point(name: str | None) -> bool:
    """True for a function that every program or fuzz target has: it says nothing of the flaw."""
    return name is not None and _LAST_NAME.sub("", name) in _ENTRY_POINTS


def _function(finding: Finding, scope: str, at: str | None, found: list[Signature]) -> None:
    place = finding.location
    function = function_of(place.function) if place is not None else None
    if place is None or not place.file or function is None or is_whole_file(function) or is_nameless(function):
        return
    file, family = path_of(place.file), family_of(finding.weaknesses)
    if family is not None:
        found.append(
            _signature("L1", "location", near(scope, file), (scope, file, function, family), at, f"{family} in {function} of {file}")
        )


def _fingerprints(finding: Finding, scope: str, at: str | None, tool: str, found: list[Signature]) -> None:
    place = finding.location
    file = path_of(place.file) if place is not None and place.file else None
    for name, value in _digests(finding):
        parts = (scope, tool, finding.rule, file, name, value)
        found.append(_signature("L1", "fingerprint", near(scope, file), parts, at, f"{tool} {name}: one of hash {_shown(value)}"))


def marks_of(finding: Finding) -> tuple[str, ...]:
    """The tool's own marks of a finding, each with the tool and its name, the value hashed (a tool may put a secret there)."""
    tool = tool_of(finding)
    return tuple(f"{tool} {name}: {_shown(value)}" for name, value in _digests(finding))


def _digests(finding: Finding) -> list[tuple[str, str]]:
    """The first few of a finding's fingerprints that are identities: digests, and not of the whole file."""
    told = (one for one in finding.fingerprints if _WHOLE_FILE.search(one[0]) is None and _DIGEST.fullmatch(one[1]) is not None)
    return list(islice(told, _MAX_FINGERPRINTS))


def _shown(value: str) -> str:
    return hashlib.blake2b(value.encode(errors="replace"), digest_size=6).hexdigest()


def _number_equal_reports(findings: Sequence[Finding], rows: list[list[Signature]]) -> None:
    """Set apart what a run says several times in the same words.

    Results that differ only in the tool's id or fingerprints are two: the first, the second. And when only their lines tell results
    apart, a line alone identifies none (shifted by three, it may be its neighbor's): all their lines together do.
    """
    groups: dict[object, list[tuple[int, int]]] = {}
    for number, (finding, row) in enumerate(zip(findings, rows, strict=True)):
        for i, signature in enumerate(row):
            if signature.kind == "report":
                files = tuple(place.file for place in finding.locations)
                words = (finding.title, finding.message, finding.rule, finding.product, files, finding.crash is None)
                groups.setdefault(words, []).append((number, i))
    for group in groups.values():
        if len(group) > 1:
            _tell_apart(group, findings, rows)


def _tell_apart(group: Sequence[tuple[int, int]], findings: Sequence[Finding], rows: list[list[Signature]]) -> None:
    identities: dict[bytes, dict[object, int]] = {}
    for number, i in group:
        alike = identities.setdefault(rows[number][i].key, {})
        alike.setdefault((findings[number].external_id, findings[number].fingerprints), len(alike) + 1)
    together = sorted((hash_of(key), len(alike)) for key, alike in identities.items())
    if together == [(together[0][0], 1)]:
        return
    for number, i in group:
        key = rows[number][i].key
        position = identities[key][findings[number].external_id, findings[number].fingerprints]
        shown = "the same report" if len(identities[key]) == 1 else f"the same report, {position} of {len(identities[key])} alike"
        rows[number][i] = _signature("L0", "report", key[:NEAR], (hash_of(key), position, together), None, shown, any_version=True)


def _drop_repeated(findings: Sequence[Finding], rows: list[list[Signature]]) -> None:
    """Drop what the run uses for two findings: a fingerprint that is none (semgrep's "requires login"), a place that is neither's.

    A place at two versions is two places: a flaw, and the one that its fix left. What brings a proof is told apart by its run.
    """
    bearers: dict[tuple[bytes, str | None], set[bytes]] = {}
    for number, row in enumerate(rows):
        said = _stack_key(row) or _report_key(row) or str(number).encode()
        for signature in row:
            if signature.kind == "fingerprint" or (signature.kind == "location" and findings[number].proof is None):
                bearers.setdefault((signature.key, signature.at), set()).add(said)
    repeated = {bearer for bearer, said in bearers.items() if len(said) > 1}
    if repeated:
        for row in rows:
            row[:] = [signature for signature in row if (signature.key, signature.at) not in repeated]


_Member = tuple[int, Finding]


def _scopes(findings: Sequence[Finding], unknown: str | None) -> dict[tuple[str, str | None, str], list[_Member]]:
    """Sort findings that name a file by (scope, version, tool). Crashes are placed by their stacks alone."""
    scopes: dict[tuple[str, str | None, str], list[_Member]] = {}
    for number, finding in enumerate(findings):
        component, at = component_of(finding.product)
        if (
            finding.crash is None
            and finding.location is not None
            and finding.location.file
            and (unknown is not None or (component is not None and not is_local(component)))
        ):
            scopes.setdefault((scope_of(finding, unknown), at, tool_of(finding)), []).append((number, finding))
    return scopes


def scope_of(finding: Finding, unknown: str | None) -> str:
    """Within what a finding may share a signature: its component; or, in the scope `unknown`, its local component or its tool."""
    component = component_of(finding.product)[0]
    if component is None:
        return f"?{unknown}\x00{tool_of(finding)}"
    return f"?{unknown}\x00\x00{component}" if is_local(component) else component


def tool_of(finding: Finding) -> str:
    """The tool that a finding is from; the format, where the report names none."""
    return finding.origin.tool or finding.format


def is_strong_id(identity: str | None) -> bool:
    """True for an id so long and random that nobody else has the same."""
    return _STRONG_ID.fullmatch((identity or "").strip()) is not None


def _report_key(row: Sequence[Signature]) -> bytes | None:
    return next((signature.key for signature in row if signature.kind == "report"), None)


def _stack_key(row: Sequence[Signature]) -> bytes | None:
    return next((signature.key for signature in row if signature.kind in STACKS), None)


def _number_repeated_rules(scope: tuple[str, str | None, str], members: Sequence[_Member], rows: list[list[Signature]]) -> None:
    """Number each rule of the tool in each file by line. Identical reports share a number."""
    component, at, tool = scope
    places: dict[tuple[str, str], list[tuple[int, int]]] = {}
    for number, finding in members:
        if finding.rule and finding.location is not None:
            places.setdefault((finding.rule, path_of(finding.location.file or "")), []).append((finding.location.line or 0, number))
    for (rule, file), bearers in places.items():
        order: dict[object, int] = {}
        for _, number in sorted(bearers):
            order.setdefault(_report_key(rows[number]) or number, len(order) + 1)
        for _, number in bearers:
            position = order[_report_key(rows[number]) or number]
            shown = f"{tool} {rule}: {position} of {len(order)} in {file}"
            rows[number].append(
                _signature("L1", "order", near(component, file), (component, tool, rule, file, position, len(order)), at, shown)
            )


def _file(scope: tuple[str, str | None, str], members: Sequence[_Member], rows: list[list[Signature]]) -> None:
    """Sign the weakness family that the tool names once in a file: it counts for every finding that names it, as its first or not."""
    component, at, _ = scope
    places: dict[tuple[str, str], set[object]] = {}
    for number, finding in members:
        for named in {weakness.family for weakness in finding.weaknesses}:
            places.setdefault((_file_of(finding), named), set()).add(_report_key(rows[number]) or number)
    for number, finding in members:
        file, family = _file_of(finding), family_of(finding.weaknesses)
        if family is not None and len(places[file, family]) == 1:
            shown = f"{family} in {file}, where each tool has exactly one such finding"
            rows[number].append(_signature("L1", "file", near(component, file), (component, file, family), at, shown))


def _file_of(finding: Finding) -> str:
    return path_of((finding.location.file if finding.location else None) or "")
