# SPDX-License-Identifier: Apache-2.0
"""CSV (RFC 4180) and its kin with other delimiters: a finding a row, its columns by their usual names or by a stated mapping."""

import csv
import io
import re
from collections.abc import Iterator, Mapping

from clearwell.vocabulary.document import Document, Reading, ReportFormat
from clearwell.vocabulary.errors import Invalid
from clearwell.vocabulary.finding import Finding, Location, Origin, line_of
from clearwell.vocabulary.product import Product, parse_target
from clearwell.vocabulary.records import require_utf8
from clearwell.vocabulary.stated import (
    MAX_TEXT,
    first_known,
    listed,
    number_of,
    product_named,
    product_of_purl,
    purl_of,
    relative_name,
    severity_of,
    stated_weaknesses,
    title_from,
    weaknesses_of,
)

MAX_ROWS = 50_000
MAX_COLUMNS = 500
MAX_HEADER = 16_384
"""Bytes of the longest header line that is looked at, delimiter and all."""
_DELIMITERS = (",", ";", "\t", "|")
_MAPPING = re.compile(r"#[ \t]*columns[ \t]*:[ \t]*(.{1,4000})", re.IGNORECASE)
_LINE = re.compile(r"[^0-9]*([0-9]{1,9})")
_PROJECT = re.compile(r"^(?![A-Za-z]:[\\/]|file:)[\w.-]{1,100}(?::[\w.-]{1,100})?:(?=[\w.-]{1,200}[/.][\w.-])(?![0-9])")
"""A project's key before a file's name; neither a drive nor a scheme."""
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}:[^\s,;|]{2,2000}")

SYNONYMS: dict[str, tuple[str, ...]] = {
    # our field -> names of columns, in lower case without anything but letters and digits; the first that is there is taken
    "title": (
        "title",
        "summary",
        "finding",
        "issue",
        "vulnerability",
        "vulnerabilityname",
        "issuetitle",
        "testname",
        "headline",
        "name",
        "issuename",
        "findingname",
        "alert",
        "rulename",
    ),
    "message": (
        "message",
        "description",
        "details",
        "detail",
        "issuetext",
        "warning",
        "text",
        "body",
        "comment",
        "evidence",
        "msg",
        "issuedetail",
        "issuedetails",
    ),
    "file": ("file", "filename", "filepath", "path", "sourcefile", "location", "source"),
    "line": ("line", "linenumber", "lineno", "startline", "linestart", "beginline", "row"),
    "function": ("function", "functionname", "symbol", "method", "procedure"),
    "weakness": ("cwe", "cweid", "cwes", "cweids", "issuecwe", "weakness", "weaknesses"),
    "severity": ("severity", "issueseverity", "level", "risk", "risklevel", "criticality", "priority", "riskfactor"),
    "score": (
        "score",
        "cvssscore",
        "basescore",
        "cvssbasescore",
        "cvss3score",
        "cvssv3score",
        *(f"cvssv{n}basescore" for n in ("4", "40", "31", "30", "3", "2", "20")),
    ),
    "cvss": ("cvss", "cvssvector", "vector", "cvssv3", "cvss3", "cvss31", "cvssv31", "cvss4", "cvssv4", "vectorstring"),
    "purl": ("purl", "packageurl", "target"),
    "package": ("package", "packagename", "pkgname", "pkg", "component", "componentname", "library", "dependency", "product", "software"),
    "version": ("version", "packageversion", "installedversion", "versioninstalled", "componentversion", "productversion"),
    "ecosystem": ("ecosystem", "packagetype", "packagemanager", "type"),
    "vendor": ("vendor", "manufacturer", "supplier"),
    "repository": ("repository", "repo", "repositoryurl"),
    "commit": ("commit", "commitid", "revision", "sha"),
    "rule": ("rule", "ruleid", "testid", "checkid", "check", "pluginid", "signature"),
    "id": ("id", "findingid", "issueid", "uuid", "externalid", "vulnerabilityid", "cve", "cveid", "key"),
    "alias": ("alias", "aliases", "ghsa", "ghsaid", "cve", "cveid", "cves", "cveids", "vulnerabilityids"),
    "tool": ("tool", "toolname", "scanner"),
    "tool_version": ("toolversion", "scannerversion"),
    "model": ("model", "aimodel"),
    "reviewer": ("reviewer", "humanreviewer"),
    "references": ("references", "reference", "url", "urls", "link", "links", "helpuri", "moreinfo"),
    "fingerprint": ("fingerprint", "hash", "dedupkey"),
}
_SPEAKING = {"title", "message", "rule", "id", "weakness"}
_ECOSYSTEMS = {"pip": "pypi", "python": "pypi", "go": "golang", "rust": "cargo", "crates.io": "cargo", "rubygems": "gem", "ruby": "gem"}
_TYPE = re.compile(r"[a-z][a-z0-9.+-]{1,30}")


def why_not(data: bytes, name: str) -> str | None:
    """Say why these bytes are no table of findings, or None when their header names what stands in its columns."""
    text = data[: 2 * MAX_HEADER].decode(errors="replace")
    stated, lines = _stated_mapping(text)
    header, _, rest = lines.partition("\n")
    if not rest.strip():
        return "no header with rows below it"
    if len(header) > MAX_HEADER:
        return "no header: the first line is too long"
    if header.lstrip()[:1] in ("{", "[", "<", "#", "-", "="):
        return "no header with column names"
    try:
        columns = _columns(_split(header.rstrip("\r"), _delimiter(header)), stated)
    except Invalid as reason:
        return str(reason) if not stated else None
    if stated or (len(columns) >= 2 and _SPEAKING & columns.keys()):
        return None
    return "the first line is no header whose columns are known"


def read(data: bytes, name: str, target: Product | None) -> Document:
    """Read a table by its header; raise Invalid when it has no header that is understood."""
    return read_columns(data, name, target, {})


def read_columns(data: bytes, name: str, target: Product | None, mapping: Mapping[str, str]) -> Document:
    """Read a table whose columns `mapping` names (field -> column), besides those that have a usual name."""
    reading = Reading("csv")
    data = require_utf8(data, reading)
    stated, head = _stated_mapping(data[: 2 * MAX_HEADER].decode(errors="replace"))
    skipped = 1 if stated else 0
    lines = io.TextIOWrapper(io.BytesIO(data), encoding="utf-8", errors="replace", newline="")
    if stated:
        lines.readline()
    rows = csv.reader(lines, delimiter=_delimiter(head.partition("\n")[0]), strict=False)
    try:
        names = next(rows)
    except (csv.Error, StopIteration):
        raise Invalid("this table has no header that can be read") from None
    columns = _columns(names, {**stated, **mapping})
    if "line" in columns and "file" not in columns and "version" not in columns and "package" in columns:
        columns["file"] = columns.pop("package")  # beside a line, a component is a file (SonarQube's `project:src/Bin.java`)
    if not _SPEAKING & columns.keys():
        raise Invalid(f"no column of this table is a title, message, rule, id or weakness; map one, as in title=NAME ({_shown(names)})")
    for line, row in _rows(rows, reading, skipped):
        try:
            finding = _finding(reading, {field: row[at].strip() for field, at in columns.items() if at < len(row)}, target)
        except Invalid as reason:
            reading.broken(f"line {line}", reason)
        else:
            reading.add(finding)
    return reading.document()


def _rows(rows: Iterator[list[str]], reading: Reading, skipped: int) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line on which it ends; one that cannot be read is named."""
    count = 0
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as reason:
            reading.broken(f"line {rows.line_num + skipped}", f"this row cannot be read: {reason}")  # type: ignore[attr-defined]
            continue
        if not any(cell.strip() for cell in row):
            continue
        count += 1
        if count > MAX_ROWS:
            reading.broken("", f"only the first {MAX_ROWS:,} rows are read: split the table")
            return
        yield rows.line_num + skipped, row  # type: ignore[attr-defined]


def _stated_mapping(text: str) -> tuple[dict[str, str], str]:
    """A first line `# columns: title=Issue; file=Path` is the mapping; the table begins below it."""
    first, _, rest = text.partition("\n")
    match = _MAPPING.fullmatch(first[:4_100].strip())
    if match is None:
        return {}, text
    pairs = (pair.partition("=") for pair in match.group(1).split(";"))
    return {field.strip(): column.strip() for field, equals, column in pairs if equals}, rest


def _delimiter(header: str) -> str:
    """The delimiter whose columns have the most known names; of equals the one that stands there most often."""
    known = {name for names in SYNONYMS.values() for name in names}
    line = header[:MAX_HEADER]
    return max(_DELIMITERS, key=lambda sign: (sum(_plain(cell) in known for cell in line.split(sign)), line.count(sign)))


def _split(header: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader([header], delimiter=delimiter), [])
    except csv.Error as reason:
        raise Invalid(f"the first line is no header: {reason}") from None


def _columns(names: list[str], mapping: Mapping[str, str]) -> dict[str, int]:
    """Return field -> number of its column. Raises Invalid for a mapping that names what is not there."""
    if len(names) > MAX_COLUMNS:
        raise Invalid(f"this table has {len(names):,} columns; at most {MAX_COLUMNS} are read")
    found: dict[str, int] = {}
    exact = {name.strip(): at for at, name in reversed(list(enumerate(names)))}
    plain = {_plain(name): at for at, name in reversed(list(enumerate(names)))}
    for field, column in mapping.items():
        if field not in SYNONYMS:
            raise Invalid(f"{field[:40]!r} is no field; there are {', '.join(SYNONYMS)}")
        at = exact.get(column, plain.get(_plain(column)))
        if at is None:
            raise Invalid(f"there is no column {column[:60]!r}; there are {_shown(names)}")
        found[field] = at
    for field, synonyms in SYNONYMS.items():
        free = (plain[name] for name in synonyms if name in plain and plain[name] not in found.values())
        at = next(free, None)
        if field not in found and at is not None:
            found[field] = at
    return found


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name[:200].lower())


def _shown(names: list[str]) -> str:
    return ", ".join(name.strip()[:60] for name in names[:40])


def _finding(reading: Reading, row: Mapping[str, str], target: Product | None) -> Finding:
    """Make a row's finding; raise Invalid where its row says nothing, or a package URL or score that is none."""
    said = {field: text for field, text in row.items() if text}
    if not _SPEAKING & said.keys():
        raise Invalid("a row needs a title, message, rule, id or weakness")
    vector, score = said.get("cvss"), number_of(said.get("score"))
    if vector is not None and score is None and number_of(vector) is not None:
        vector, score = None, number_of(vector)
    if score is not None and not 0 <= score <= 10:
        raise Invalid(f"{said.get('score', said.get('cvss', ''))[:40]!r} is no score between 0 and 10")
    stated = stated_weaknesses(re.split(r"[,;|!/\s]+(?=\S)", said.get("weakness", "")), "column weakness") or stated_weaknesses(
        [said.get("weakness")], "column weakness"
    )
    message = said.get("message", "")
    return Finding(
        format="csv",
        title=title_from(said.get("title"), message, said.get("rule"), said.get("id"), said.get("weakness")),
        message=message[:MAX_TEXT],
        product=_product(said) or target,
        weaknesses=weaknesses_of(reading, stated, ("rule", said.get("rule", "")), ("title", said.get("title", "")), ("message", message)),
        locations=_locations(said),
        severity=severity_of([vector], score, said.get("severity")),
        origin=Origin(*(said.get(field, "")[:200] or None for field in ("tool", "tool_version", "model", "reviewer"))),
        external_id=said.get("id", "")[:200] or None,
        rule=said.get("rule", "")[:200] or None,
        fingerprints=(("fingerprint", said["fingerprint"][:500]),) if "fingerprint" in said else (),
        aliases=listed(re.split(r"[,;|\s]+", said.get("alias", "")), 200),
        references=listed(match.group() for match in _ADDRESS.finditer(said.get("references", "")[:MAX_TEXT])),
    )


def _product(said: Mapping[str, str]) -> Product | None:
    version = said.get("version")
    if "purl" in said and said["purl"].startswith("pkg:"):
        stated = product_of_purl(said["purl"])
        if stated is None or stated.purl is None:
            raise Invalid(f"{said['purl'][:100]!r} is not a package URL")
        return product_of_purl(f"{stated.purl}@{version}") or stated if version and stated.version is None else stated
    if "purl" in said or {"repository", "commit"} <= said.keys():
        address = said.get("purl") or f"{said['repository']}@{said['commit'].lower()}"
        return parse_target(address)
    kind = said.get("ecosystem", "").lower()
    kind = _ECOSYSTEMS.get(kind, kind)
    package = said.get("package")
    if package is not None and package.startswith("pkg:"):
        return product_of_purl(package)
    typed = purl_of(kind, package, version) if _TYPE.fullmatch(kind) else None
    return first_known(typed, product_named(said.get("vendor"), f"{package} {version}" if package and version else package))


def _locations(said: Mapping[str, str]) -> tuple[Location, ...]:
    """A place; `src/a.c:12` in the file's column holds its line."""
    file, line = relative_name(_PROJECT.sub("", said.get("file", ""))), _LINE.match(said.get("line", ""))
    number = line_of(line.group(1)) if line is not None else None
    if file is not None and number is None and (match := re.fullmatch(r"(.{1,900}?):([0-9]{1,9})(?::[0-9]{1,9})?", file)) is not None:
        file, number = match.group(1), line_of(match.group(2))
    function = said.get("function", "")[:1_000] or None
    return (Location(file, number or None, function),) if file or function else ()


REPORT = ReportFormat(
    name="csv", title="CSV, a finding a row", why_not=why_not, read=read, read_columns=read_columns, fields=tuple(SYNONYMS)
)
