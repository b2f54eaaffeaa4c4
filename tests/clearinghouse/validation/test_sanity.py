# SPDX-License-Identifier: Apache-2.0
"""Sanity: the six-way false report is told apart; what moved is said to have moved; what cannot be looked up goes on."""

import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from clearwell.clearinghouse.validation.assertion import Kind, Outcome, Sanity
from clearwell.clearinghouse.validation.citing import last_name
from clearwell.clearinghouse.validation.sanity import check_all
from clearwell.proving import source
from clearwell.proving.archives import Registry
from clearwell.proving.bundles import read_bundle
from clearwell.proving.contract import Escaped
from clearwell.proving.environments import tree_hash
from clearwell.proving.sandbox import Sandbox
from clearwell.proving.source import SourceTree, is_bundle, read_tree
from clearwell.proving.unpack import unpack
from clearwell.vocabulary.errors import Invalid, NotFound, Unavailable
from clearwell.vocabulary.finding import Crash, Finding, Location, Quote
from clearwell.vocabulary.product import Product
from proving.lab import Index, sdist, tar

EXISTS, MOVED, FALSE, UNKNOWN = Outcome.EXISTS, Outcome.MOVED, Outcome.DOES_NOT_EXIST, Outcome.COULD_NOT_BE_CHECKED
PUMP = """#include "pump.h"
/* reads the header */
#define PASTE(name) int pump_##name(void)

int read_header(const char *data, int size)
{
    char buffer[16];
    memcpy(buffer, data, size);   /* no check */
    return buffer[0];
}

PASTE(open) { return 0; }
"""
FILES: dict[str, str | bytes] = {
    "PKG-INFO": "Metadata-Version: 2.1\nName: Water.Pump\nVersion: 1.2.0\n\nwords\n",
    "src/pump.c": PUMP,
    "src/pump.h": "int read_header(const char *data, int size);\n",
    "water/valve.py": "import os\n\n\nclass Valve:\n    def close(self, name):\n        # stop it\n        os.system('stop ' + name)\n",
    "web/index.js": "exports.show = function (text) {\n  document.body.innerHTML = text;\n};\n",
    "notes.rb": "def drain_all\nend\n",
}
COPY = "char buffer[16];\nmemcpy(buffer, data, size);"


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as opened:
        yield opened


@pytest.fixture
def tree(tmp_path: Path) -> SourceTree:
    file = tmp_path / "pump.tar.gz"
    file.write_bytes(sdist(FILES, "water_pump-1.2.0"))
    return read_tree(file, file.name)


def finding(*places: Location, quotes: tuple[Quote, ...] = (), version: str = "1.2.0", crash: Crash | None = None) -> Finding:
    product = Product(purl=f"pkg:pypi/water-pump@{version}")
    return Finding(format="x", title="t", product=product, locations=places, quotes=quotes, crash=crash)


def look(tree: SourceTree, sandbox: Sandbox | None, one: Finding) -> Sanity:
    (found,) = check_all([one], Registry(offline=True, environment={}), sandbox, lambda _: tree)
    return found


def outcomes(sanity: Sanity) -> dict[str, str]:
    return {one.kind.value: one.outcome.value for one in sanity.assertions}


HERE = Location("src/pump.c", 8, "read_header")
SIX: dict[str, tuple[Finding, tuple[Outcome | None, ...], bool]] = {
    # which report: (finding, outcomes of version, file, symbol, line, quote, whether it is refused)
    "all right": (finding(HERE, quotes=(Quote(COPY, "src/pump.c", 7),)), (EXISTS, EXISTS, EXISTS, EXISTS, EXISTS), False),
    "wrong version": (finding(HERE, version="9.9.9"), (FALSE, EXISTS, EXISTS, EXISTS, None), False),
    "no such file": (finding(Location("src/parser.c", 8)), (EXISTS, FALSE, None, None, None), True),
    "no such symbol": (finding(Location("src/pump.c", 8, "parse_frame")), (EXISTS, EXISTS, FALSE, EXISTS, None), True),
    "line past the end": (finding(Location("src/pump.c", 900, "read_header")), (EXISTS, EXISTS, EXISTS, FALSE, None), False),
    "quoted code not there": (
        finding(HERE, quotes=(Quote("strcpy(target, source->name);", "src/pump.c", 8),)),
        (EXISTS, EXISTS, EXISTS, EXISTS, FALSE),
        False,
    ),
}


@pytest.mark.sandbox
@pytest.mark.parametrize("name", SIX)
def test_the_six_way_false_report_is_told_apart(name: str, tree: SourceTree, sandbox: Sandbox) -> None:
    one, expected, refused = SIX[name]

    sanity = look(tree, sandbox, one)

    found = {assertion.kind: assertion.outcome for assertion in sanity.assertions}
    assert tuple(found.get(kind) for kind in (Kind.VERSION, Kind.FILE, Kind.SYMBOL, Kind.LINE, Kind.QUOTE)) == expected
    assert sanity.is_refused is refused
    assert len({tuple(expected) for _, expected, _ in SIX.values()}) == len(SIX), "no two rows of the table are alike"


@pytest.mark.sandbox
def test_what_moved_says_where(tree: SourceTree, sandbox: Sandbox) -> None:
    sanity = look(
        tree,
        sandbox,
        finding(
            Location("lib/pump.c", 1),
            Location("src/pump.c", 1, "Valve.close"),
            quotes=(Quote("memcpy(buffer, data, size);", "src/pump.c", 500), Quote("os.system('stop ' + name)", "src/pump.c", 1)),
        ),
    )

    moved = [(one.kind.value, one.where) for one in sanity.assertions if one.outcome is MOVED]
    assert moved == [("file", "src/pump.c"), ("symbol", "water/valve.py:5"), ("quote", "src/pump.c:8"), ("quote", "water/valve.py:7")]
    assert not sanity.is_refused and sanity.outcome is MOVED


@pytest.mark.sandbox
def test_a_symbol_is_false_only_where_that_can_be_known(tree: SourceTree, sandbox: Sandbox) -> None:
    def of(function: str, crash: Crash | None = None, file: str | None = None) -> Outcome:
        return next(
            o.outcome for o in look(tree, sandbox, finding(Location(file, None, function), crash=crash)).assertions if o.kind is Kind.SYMBOL
        )

    assert of("pump::read_header(char const*, int)") is EXISTS
    assert of("exports.show") is EXISTS
    assert of("memcpy") is UNKNOWN, "it is called, and defined elsewhere"
    assert of("pump_close") is UNKNOWN, "the source makes names by token pasting"
    assert of("drain_all") is UNKNOWN, "no grammar reads the file"
    assert of("never_heard") is FALSE
    assert of("png_read_row", Crash(type="x")) is UNKNOWN, "a stack names functions of others"


def test_without_a_sandbox_symbols_are_unknown_and_the_rest_is_looked_up(tree: SourceTree) -> None:
    sanity = look(tree, None, finding(Location("src/pump.c", 900, "never_heard")))

    assert outcomes(sanity) == {
        "package": "exists",
        "version": "exists",
        "file": "exists",
        "symbol": "could_not_be_checked",
        "line": "does_not_exist",
    }


@pytest.mark.parametrize(
    "text",
    [
        "memcpy( buffer,data , size );",
        "char buffer[16]; memcpy(buffer, data, size); /* no check at all */",
        "int read_header(const char *data, int size) {\n// ...\nmemcpy(buffer, data, size);",
        "7:     char buffer[16];\n8:     memcpy(buffer, data, size);   /* no check */",
        "memcpy(buffer, [mail address left out]return buffer[0];",
        "\ufeffchar buffer[16];\r\n\tmemcpy(buffer,\u00a0data, size);",
        "```c\nchar buffer[16];\nmemcpy(buffer, data, size);\n```",
        "> char buffer[16];\n> memcpy(buffer, data, size);",
        "@@ -7,2 +7,3 @@\n     char buffer[16];\n-    memcpy(buffer, data, size);\n+    memcpy(buffer, data, sizeof buffer);",
        "-    memcpy(buffer, data, size);   /* no check */",
        "    char buffer[16];\n>>> memcpy(buffer, data, size);",
        "   7 |     char buffer[16];\n=> 8 |     memcpy(buffer, data, size);",
        "8: memcpy(buffer, data, size);",
        "memcpy(buffer, data, size);   <-- overflows",
        "memcpy(buffer, data, size);\n       ^~~~~~",
        "int read_header(const char *data, int size)\n{\n    // ... (more)\n    return buffer[0];",
        "int read_header(const char *data, int size)\n{\n    /* ... existing code ... */\n    return buffer[0];",
        "// src/pump.c:8\nmemcpy(buffer, data, size); // the flaw",
        "// the remark of a finder\n/* reads the header */",
        "#define PASTE(name) int pump_##name(void)\n\nint read_header(const char *data, int size) // here",
        "PASTE(open) { return 0; } /* odd */",
        "&quot;pump.h&quot;\n/* reads the header */",
    ],
)  # fmt: skip
def test_quoted_code_is_found_whatever_its_white_space_comments_and_gaps(text: str, tree: SourceTree) -> None:
    assert outcomes(look(tree, None, finding(quotes=(Quote(text, "src/pump.c"),))))["quote"] == "exists"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("x = 1", UNKNOWN),
        ("```c\n}\n```\n   ^~~~~~ here", UNKNOWN),
        ("memcpy(buffer, data, SIZE);", FALSE),
        ("gets(line);\nputs(line);", FALSE),
        ("> gets(line);\n> puts(line);", FALSE),
        ("-    memcpy(buffer, data, SIZE);\n+    memcpy(buffer, data, size);", FALSE),
        ("char buffer[16];\ngets(buffer);\nmemcpy(buffer, data, size);", FALSE),
    ],
)
def test_other_code_is_not_found_and_too_little_shows_nothing(text: str, outcome: Outcome, tree: SourceTree) -> None:
    assert outcomes(look(tree, None, finding(quotes=(Quote(text, "src/pump.c"),))))["quote"] == outcome.value


def test_a_stack_s_files_of_others_refuse_nothing(tree: SourceTree) -> None:
    sanity = look(tree, None, finding(Location("png.c", 3), Location("zlib/inflate.c", 4), crash=Crash(type="Heap-buffer-overflow")))

    assert not sanity.is_refused and sanity.outcome is UNKNOWN


def test_another_package_s_source_is_not_taken_for_this_one(tree: SourceTree) -> None:
    other = msgspec.structs.replace(finding(HERE), product=Product(purl="pkg:pypi/fire-pump@1.2.0"))

    assert outcomes(look(tree, None, other))["package"] == "does_not_exist"


@pytest.fixture
def index() -> Iterator[Index]:
    opened = Index()
    yield opened
    opened.close()


@pytest.fixture
def registry(tmp_path: Path, index: Index) -> Iterator[Registry]:
    index.files["water_pump-1.2.0.tar.gz"] = sdist(FILES, "water_pump-1.2.0")
    index.files["water-pump-1.2.0.tar.gz"] = index.files["water_pump-1.2.0.tar.gz"]
    index.files["spray-2.0.0.tgz"] = tar({"package/index.js": "exports.on = 1\n"})
    opened = Registry(tmp_path / "cache", environment=index.environment)
    yield opened
    opened.close()


def test_a_package_and_a_version_that_the_index_lacks_are_refused(registry: Registry) -> None:
    def check(purl: str, *places: Location) -> Sanity:
        (found,) = check_all([Finding(format="x", title="t", product=Product(purl=purl), locations=places)], registry, None)
        return found

    good = check("pkg:pypi/water-pump@1.2.0", Location("src/pump.c", 8))
    assert outcomes(good) == {"package": "exists", "version": "exists", "file": "exists", "line": "exists"}
    assert check("pkg:pypi/water-pump@7").is_refused
    assert "lists 1 versions" in check("pkg:pypi/water-pump@7").refusal
    assert check("pkg:npm/nothing@1.0.0").is_refused
    assert outcomes(check("pkg:npm/spray@2.0.0", Location("index.js", 1)))["file"] == "exists"
    assert not check("pkg:pypi/water-pump", Location("none.c")).is_refused


@pytest.mark.parametrize(
    ("purl", "version"),
    [
        ("pkg:npm/spray@v2.0.0", "exists"),
        ("pkg:npm/spray@=2.0.0+build.1", "exists"),
        ("pkg:pypi/water-pump@v1.2", "exists"),
        ("pkg:npm/spray@^2.0.0", "could_not_be_checked"),
        ("pkg:npm/spray@latest", "could_not_be_checked"),
        ("pkg:npm/spray@2.x", "could_not_be_checked"),
        ("pkg:pypi/water-pump@<1.3", "could_not_be_checked"),
        ("pkg:pypi/water-pump@1.*", "could_not_be_checked"),
        ("pkg:pypi/water-pump@main", "could_not_be_checked"),
        ("pkg:pypi/water-pump@1.2.0%2Bdebian1", "could_not_be_checked"),
        ("pkg:npm/spray@2.0.1", "does_not_exist"),
        ("pkg:pypi/water-pump@1.2.0.post1", "does_not_exist"),
        ("pkg:pypi/water-pump@1!1.2.0", "does_not_exist"),
    ],
)
def test_only_an_exact_version_can_be_missing(registry: Registry, purl: str, version: str) -> None:
    """A range, a tag or a branch is no version that an index could lack: who writes one may well tell the truth."""
    (found,) = check_all([Finding(format="x", title="t", product=Product(purl=purl))], registry, None)

    assert outcomes(found)["version"] == version


def test_the_tree_that_was_looked_at_is_known_as_builds_know_it(registry: Registry, tmp_path: Path) -> None:
    archive = registry.fetch("pkg:pypi/water-pump@1.2.0", "sdist")
    unpack(archive.path, archive.filename, tmp_path / "tree", strip=True)

    (sanity,) = check_all([finding(HERE)], registry, None)

    assert sanity.source_sha256 == archive.sha256
    assert sanity.tree_sha256 == tree_hash(tmp_path / "tree")


@pytest.mark.sandbox
def test_with_a_sandbox_an_archive_is_unpacked_in_the_box_alone_and_known_by_the_same_hash(
    registry: Registry, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (outside,) = check_all([finding(HERE)], registry, None)
    monkeypatch.setattr(source, "read_tree", lambda *_, **__: pytest.fail("an archive was read outside the box"))

    (inside,) = check_all([finding(HERE)], registry, sandbox)

    assert inside.tree_sha256 == outside.tree_sha256
    assert outcomes(inside)["file"] == outcomes(outside)["file"] == "exists"
    # and what unpacking refuses is refused in the box
    link = tarfile.TarInfo("x-1/evil")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
    bad = tmp_path / "bad.tar.gz"
    bad.write_bytes(tar({"x-1/a.c": "a"}, (link,)))
    with pytest.raises(Invalid, match="link"):
        source.read_inside(sandbox, bad, bad.name)


def _git(folder: Path, *words: str) -> str:
    who = ("-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "init.defaultBranch=main")
    return subprocess.run(["git", *who, *words], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def bundle(tmp_path: Path) -> tuple[Path, str]:
    if not Path("/usr/bin/git").exists():
        pytest.skip("git is not installed")
    work = tmp_path / "work"
    (work / "src").mkdir(parents=True)
    (work / "src/pump.c").write_text(PUMP)
    _git(work, "init", "-q")
    _git(work, "add", ".")
    _git(work, "commit", "-qm", "first")
    first = _git(work, "rev-parse", "HEAD")
    (work / "src/pump.c").unlink()
    (work / "src/new.c").write_text(PUMP)
    _git(work, "add", "-A")
    _git(work, "commit", "-qm", "second")
    _git(work, "bundle", "create", "-q", "../pump.bundle", "--all")
    return tmp_path / "pump.bundle", first


@pytest.mark.sandbox
def test_a_git_bundle_is_looked_into_at_the_commit_that_is_cited(bundle: tuple[Path, str], sandbox: Sandbox) -> None:
    file, first = bundle
    assert is_bundle(file)

    def check(commit: str) -> Sanity:
        product = Product(repository="forge.example/water/pump", commit=commit)
        one = Finding(format="x", title="t", product=product, locations=(HERE,))
        (found,) = check_all([one], Registry(offline=True, environment={}), sandbox, lambda c: read_bundle(sandbox, file, file.name, c))
        return found

    assert outcomes(check(first[:12])) == {"commit": "exists", "file": "exists", "symbol": "exists", "line": "exists"}
    gone = check("0" * 40)
    assert outcomes(gone) == {"commit": "does_not_exist"} and gone.is_refused
    assert "src/new.c" in read_bundle(sandbox, file, file.name, None).files


@pytest.mark.sandbox
def test_a_broken_bundle_could_not_be_checked(tmp_path: Path, bundle: tuple[Path, str], sandbox: Sandbox) -> None:
    broken = tmp_path / "broken.bundle"
    broken.write_bytes(bundle[0].read_bytes()[:-40])

    with pytest.raises((Unavailable, NotFound)):
        read_bundle(sandbox, broken, broken.name, None)


def test_numbers_that_are_code_are_no_line_numbers(tree: SourceTree) -> None:
    table = msgspec.structs.replace(tree, files={"web/words.js": b"var words = {\n  2: 'two words',\n  3: 'three words',\n};\n"})

    sanity = look(table, None, finding(quotes=(Quote("2: 'two words',\n  3: 'three words',", "web/words.js", 2),)))

    assert outcomes(sanity)["quote"] == "exists"


@pytest.mark.sandbox
def test_what_a_package_was_built_from_could_not_be_checked(tree: SourceTree, sandbox: Sandbox) -> None:
    built = look(tree, sandbox, finding(Location("src/parser.ts", 3, "parseFrame")))
    made = look(tree, sandbox, finding(Location("water/valve.py", 3, "Valve$close")))

    assert {one.outcome for one in built.assertions if one.kind in {Kind.FILE, Kind.SYMBOL}} == {UNKNOWN} and not built.is_refused
    assert {one.outcome for one in made.assertions if one.kind is Kind.SYMBOL} == {UNKNOWN}


@pytest.mark.sandbox
def test_what_typescript_declares_is_a_definition(tree: SourceTree, sandbox: Sandbox) -> None:
    words = b"export declare namespace pumpUtil {\n  type Valve = string;\n}\n"
    declared = msgspec.structs.replace(tree, files={"web/util.d.ts": words})

    sanity = look(declared, sandbox, finding(Location("web/util.d.ts", 1, "pumpUtil")))

    assert outcomes(sanity)["symbol"] == "exists"


NAMES = [
    ("yaml.FullLoader.find", "find"),
    ("ns::Cls<int>::walk(int) const", "walk"),
    ("int *do_it", "do_it"),
    ("operator()", None),
    ("<lambda>", None),
    (None, None),
]


@pytest.mark.parametrize(("function", "name"), NAMES)
def test_the_last_name_of_a_function(function: str | None, name: str | None) -> None:
    assert last_name(function) == name


@pytest.mark.registry
@pytest.mark.sandbox
def test_a_real_package_is_looked_into(sandbox: Sandbox) -> None:
    """The six ways on minimist 1.2.5, as its index serves it."""
    registry = Registry()
    try:
        registry.versions("pkg:npm/minimist")
    except Unavailable as reason:
        pytest.skip(f"registry: {reason}")

    def check(place: Location, version: str = "1.2.5", *quotes: Quote) -> Sanity:
        product = Product(purl=f"pkg:npm/minimist@{version}")
        (found,) = check_all([Finding(format="x", title="t", product=product, locations=(place,), quotes=quotes)], registry, sandbox)
        return found

    right = check(Location("index.js", 69, "setKey"), "1.2.5", Quote("function setKey (obj, keys, value) {", "index.js", 69))
    assert set(outcomes(right).values()) == {"exists"}
    assert check(Location("index.js", 69, "setKey"), "1.2.99").is_refused
    assert check(Location("lib/frames.js", 3)).is_refused
    assert check(Location("index.js", 69, "mergeDeep")).is_refused
    late = check(Location("index.js", 9_000, "setKey"))
    assert outcomes(late)["line"] == "does_not_exist" and not late.is_refused
    quoted = check(Location("index.js", 69, "setKey"), "1.2.5", Quote("eval(keys.join('.'))", "index.js", 69))
    assert outcomes(quoted)["quote"] == "does_not_exist" and quoted.outcome is FALSE and not quoted.is_refused
    registry.close()


def test_a_name_that_the_hub_itself_shortened_is_never_said_to_be_false(tree: SourceTree) -> None:
    places = (Location("mail/[mail address left out]/x.c", 3),)
    finding = Finding(format="x", title="t", product=Product(purl="pkg:pypi/water-pump@1.2.0"), locations=places)

    (check,) = check_all([finding], Registry(offline=True, environment={}), None, lambda _: tree)

    assert not check.is_refused and {one.outcome for one in check.assertions if one.kind is Kind.FILE} == {UNKNOWN}


def test_an_escape_while_source_is_parsed_is_never_swallowed(tree: SourceTree) -> None:
    class Leaking:
        def run(self, spec: object) -> object:
            raise Escaped("the run is void: its canary was heard outside")

    one = Finding(
        format="x", title="t", product=Product(purl="pkg:pypi/water-pump@1.2.0"), locations=(Location("src/pump.c", 5, "read_header"),)
    )

    with pytest.raises(Escaped):
        check_all([one], Registry(offline=True, environment={}), Leaking(), lambda _: tree)  # type: ignore[arg-type]
