# SPDX-License-Identifier: Apache-2.0
"""Which two findings share a signature, and which look alike and do not."""

import msgspec
import pytest

from clearwell.clearinghouse.dedupe.signature import Signature, content_digest, run_signatures, signatures, unknown_signature
from clearwell.vocabulary.finding import Finding, ProofFiles
from clearwell.vocabulary.product import Product, parse_purl

from .conftest import at, crash, report


def shared(one: Finding, other: Finding) -> set[str]:
    keys = {signature.key for signature in signatures(one, "lab")}
    return {signature.kind for signature in signatures(other, "lab") if signature.key in keys}


def kinds(row: tuple[Signature, ...]) -> list[str]:
    return [signature.kind for signature in row]


def test_the_same_proof_is_the_same_whatever_is_said_about_it() -> None:
    proof = ProofFiles({"proof.toml": b"format = 1", "input": b"\x00"})
    again = ProofFiles({"input": b"\x00", "proof.toml": b"format = 1"})

    assert "proof" in shared(report(proof=proof), report("other.c", 7, cwe="CWE-79", title="x", proof=again))
    assert "proof" not in shared(report(proof=proof), report(proof=ProofFiles({"proof.toml": b"format = 1", "input": b"\x01"})))


def test_the_same_report_is_recognized_through_white_space_and_addresses() -> None:
    one = report(message="reads at 0x602000000010 in\n  parse")
    two = report(message="Reads at 0x7fff00001111 in parse")

    assert "report" in shared(one, two)


@pytest.mark.parametrize(
    "other",
    [
        report(line=11),
        report(message="another length"),
        report(product=parse_purl("pkg:pypi/libfoo@1.1")),
        report(product=parse_purl("pkg:pypi/libbar@1.0")),
    ],
)
def test_a_report_that_differs_is_another(other: Finding) -> None:
    assert "report" not in shared(report(), other)


def test_addresses_tell_reports_apart_that_name_no_line_and_no_function() -> None:
    # Two keys in one image, found by one tool: the address is all that tells them apart.
    said = "a private key lies in the image of the device, where everybody who downloads it finds it: at {} of 0x400000 bytes"
    for place in (None, "image.bin"):
        one, other = (report(place, None, message=said.format(at)) for at in ("0x1f000", "0x2f000"))

        assert shared(one, other) == set()
        assert "report" in shared(one, report(place, None, message=said.format("0x1F000").replace(" ", "  ")))
    here = report("image.bin", None, "load", message=said.format("0x1f000"))
    assert "report" in shared(here, report("image.bin", None, "load", message=said.format("0x2f000")))


@pytest.mark.parametrize("name", ["<module>", "<main>", "{main}", "<top (required)>", "<global>", ":program", "<script>", "(top level)"])
def test_the_whole_file_is_no_function_of_it(name: str) -> None:
    assert "location" not in kinds(signatures(report("app.py", 3, name)))
    assert "location" in kinds(signatures(report("app.py", 3, "main")))


@pytest.mark.parametrize(
    "name",
    [
        "<lambda>", "{closure}", "{{closure}}", "lambda", "anonymous function", "<anonymous function>", "{anonymous}", "<listcomp>",
        "{lambda()#1}", "$_0", "operator()", "arrow function", "<fn>", "{closure#2}",
    ],
)  # fmt: skip
def test_two_functions_without_a_name_in_one_file_are_two(name: str) -> None:
    assert "location" not in kinds(signatures(report("app.py", 3, name)))


@pytest.mark.parametrize("name", ["Foo::operator()", "foo::{{closure}}", "lambda_handler", "anonymize", "block_read", "closure_of", "fn_1"])
def test_what_has_a_name_keeps_it(name: str) -> None:
    assert "location" in kinds(signatures(report("app.py", 3, name)))


def test_a_report_of_few_words_and_no_place_is_no_identity() -> None:
    assert kinds(signatures(report(None, title="bug", message="crash", cwe=None))) == []


def test_a_random_id_is_an_identity_and_a_short_one_only_with_its_place() -> None:
    guid = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"

    assert "external-id" in shared(report(external_id=guid), report("moved.c", 99, title="other words", external_id=guid.upper()))
    assert "external-id" in shared(report(external_id="F-1"), report(line=77, title="other words", external_id="F-1"))
    assert "external-id" not in shared(report(external_id="F-1"), report("other.c", external_id="F-1"))
    assert "external-id" not in shared(report(external_id=guid), report(tool="tool-b", external_id=guid))


def test_an_id_is_its_senders_own_and_anothers_only_at_the_same_place() -> None:
    guid = "6f9619ff-8b86-4d11-b42d-00c04fc964ff"

    def meet(one: Finding, other: Finding) -> bool:
        kept, sent = (
            {s.key for s in signatures(found, unknown=organization) if s.kind == "external-id"}
            for found, organization in ((one, "org_1"), (other, "org_2"))
        )
        return bool(kept & sent)

    assert meet(report(function="parse", external_id=guid), report(line=77, function="parse", title="other words", external_id=guid))
    assert not meet(report(function="parse", external_id=guid), report("other.c", function="parse", external_id=guid))
    assert not meet(report(function="parse", external_id=guid), report(function="write", external_id=guid))
    assert not meet(report(function="parse", external_id=guid), report(function="parse", external_id=guid, cwe="CWE-89"))
    assert not meet(report(function="parse", external_id="F-1"), report(function="parse", title="other words", external_id="F-1"))
    assert "external-id" not in shared(report(function="parse", external_id="F-1"), report(function="write", external_id="F-1"))


def test_a_stack_is_its_class_and_its_top_three_functions() -> None:
    one = crash("read_table", "read_document", "main")

    assert "crash" in shared(one, crash("read_table(int)", "read_document", "main", "start", kind="Heap-buffer-overflow READ 1"))
    assert "crash" not in shared(one, crash("read_table", "read_document", "run"))
    assert "crash" not in shared(one, crash("read_table", "read_document", "main", kind="Heap-use-after-free\nREAD 4"))
    assert "crash" not in shared(one, crash("read_table", "read_document", "main", product=parse_purl("pkg:pypi/libbar@1.0")))


def test_another_state_is_another_crash_even_in_the_same_frames() -> None:
    frames = ("check", "read_document", "main")

    assert "crash" not in shared(
        crash(*frames, kind="CHECK failure", state="size > 0\nread_document\nmain\n"),
        crash(*frames, kind="CHECK failure", state="size < 9\nread_document\nmain\n"),
    )


@pytest.mark.parametrize(
    "finding",
    [
        crash("read_table", None, "main"),
        crash("read_table", "<unknown module>", "main"),
        crash("read_table", "read_document"),
        crash("main"),
        crash(),
        crash("a_function", "b_function", "main", state="NULL"),
        crash("a_function", "b_function", "main", kind="Out-of-memory (malloc)"),
        crash("a_function", "b_function", "main", kind="Timeout"),
    ],
)
def test_an_unknown_stack_says_so_and_has_no_signature(finding: Finding) -> None:
    assert kinds(signatures(finding)) == []
    assert unknown_signature(finding) is not None


def test_a_short_stack_that_ends_at_the_entry_point_is_whole() -> None:
    assert "crash" in shared(crash("create_query", "main"), crash("create_query", "main"))


def test_a_short_stack_that_the_state_confirms_is_whole() -> None:
    assert "crash" in shared(crash("create_query", state="create_query\n"), crash("create_query", state="create_query\n"))
    assert kinds(signatures(crash("create_query", state="create_query\nsend\nrun\n"))) == []
    assert kinds(signatures(crash("Target.fuzzerTestOneInput", state="Target.fuzzerTestOneInput\n"))) == []


def test_call_sites_recognize_a_stack_whose_inlined_frames_were_lost() -> None:
    sites = ("tool+0x87a1", "tool+0xc1b8")

    assert shared(crash("a", "b", "c", call_sites=sites), crash("b", "c", "main", call_sites=sites)) == {"call-sites"}
    assert shared(crash("a", "b", "c", call_sites=sites), crash("b", "c", "main", call_sites=("tool+0x87a2", "tool+0xc1b8"))) == set()


def test_findings_of_unknown_components_join_only_within_one_scope_and_tool() -> None:
    one = report(product=None)

    assert signatures(one) == ()
    assert {s.key for s in signatures(one, "lab a")}.isdisjoint(s.key for s in signatures(one, "lab b"))
    assert "report" in shared(one, one)
    assert shared(one, report(product=None, tool="tool-b")) == set()


@pytest.mark.parametrize(
    "product",
    [
        *(
            Product(repository=name, commit="1234567")
            for name in ("src", "/src", "localhost/app", "10.0.0.7/app", "git.corp/app", "C:/w/app")
        ),
        Product(repository="github.com"),
        Product(repository="https://"),
        Product(model="router"),
        Product(vendor=" ", model="router"),
        Product(vendor="acme"),
    ],
)
def test_a_name_that_means_something_in_one_organization_alone_joins_nothing_across_two(product: Product) -> None:
    for one in (report(function="parse", product=product), crash("read", "load", "main", product=product)):
        assert signatures(one) == ()
        assert {s.key for s in signatures(one, "lab a")}.isdisjoint(s.key for s in signatures(one, "lab b"))
        assert shared(one, one) - {"proof"}
        elsewhere = msgspec.structs.replace(one, product=Product(repository="github.com/acme/app", commit="1234567"))
        assert shared(one, elsewhere) == set()
    other = report(function="parse", product=Product(repository="another/disk", commit="1234567"))
    assert shared(report(function="parse", product=product), other) == set()


@pytest.mark.parametrize(
    "product", [Product(repository="git.kernel.org/pub/linux", commit="1234567"), Product(vendor="acme", model="router")]
)
def test_a_public_name_joins_across_organizations(product: Product) -> None:
    one = report(function="parse", product=product)

    assert {s.key for s in signatures(one, "lab a")} == {s.key for s in signatures(one, "lab b")} != set()


def without(finding: Finding, field: str) -> Finding:
    """The same crash, whose frames lack a field."""
    assert finding.crash is not None
    frames = tuple(msgspec.structs.replace(frame, **{field: None}) for frame in finding.crash.frames)
    return msgspec.structs.replace(finding, crash=msgspec.structs.replace(finding.crash, frames=frames))


def test_a_crash_of_an_unknown_component_needs_the_files_and_lines_of_its_frames() -> None:
    one = crash("read", "load", "main", product=None)

    assert "crash-lines" in shared(one, one)
    assert shared(one, crash("read", "load", "run", product=None)) == set()
    for field in ("file", "line"):
        assert kinds(signatures(without(one, field), "lab")) == []
        assert unknown_signature(without(one, field)) is not None


def test_functions_alone_join_within_one_named_version_only() -> None:
    one, bare = crash("read", "load", "main"), without(crash("read", "load", "main"), "line")

    assert "crash" in shared(one, bare)
    assert {s.at for s in signatures(at(bare, "1.1")) if s.kind == "crash"} == {"1.1"}
    assert kinds(signatures(at(bare, None))) == []
    assert "crash-lines" in shared(one, at(one, None))


def test_a_place_is_file_function_and_family_whatever_the_line_and_the_words() -> None:
    one = report("src/parse.c", 10, "parse")

    assert shared(one, report("./src/parse.c", 90, "parse(char *)", cwe="CWE-122", tool="tool-b", title="x")) == {"location"}
    assert shared(one, report("src/parse.c", 10, "parse", cwe="CWE-79", title="x")) == set()
    assert shared(one, report("src/other.c", 10, "parse", title="x")) == set()
    assert shared(one, report("src/parse.c", 10, "render", title="x")) == set()


def test_the_asserted_version_stands_beside_the_key() -> None:
    rows = [signatures(at(report(function="parse"), version)) for version in ("1.0", "1.1", None)]
    places = [next(s for s in row if s.kind == "location") for row in rows]

    assert len({s.key for s in places}) == 1
    assert [s.at for s in places] == ["1", "1.1", None]


@pytest.mark.parametrize("value", ["requires login", "0", "", "abcdef", "unknown-unknown-unknown"])
def test_a_fingerprint_that_is_no_digest_is_no_identity(value: str) -> None:
    assert "fingerprint" not in kinds(signatures(report(fingerprints=(("id/v1", value),))))


def test_a_fingerprint_of_the_whole_file_is_no_identity() -> None:
    assert "fingerprint" not in kinds(signatures(report(fingerprints=(("scanFileHash", "f196e70ba8d8dace"),))))


def test_a_fingerprint_that_a_run_repeats_is_dropped_from_it() -> None:
    print_ = (("lineHash", "9cbc869fbfffeb60:1"),)

    rows = run_signatures([report(line=10, fingerprints=print_), report(line=20, fingerprints=print_)])
    alone = run_signatures([report(line=10, fingerprints=print_)])

    assert all("fingerprint" not in kinds(row) for row in rows)
    assert "fingerprint" in kinds(alone[0])


def test_a_repeated_rule_is_numbered_by_line() -> None:
    rows = run_signatures([report(line=90, rule="R"), report(line=10, rule="R"), report(line=50, rule="S")])
    shifted = run_signatures([report(line=13, rule="R"), report(line=53, rule="S"), report(line=93, rule="R")])

    def order(row: tuple[Signature, ...]) -> bytes:
        return next(s.key for s in row if s.kind == "order")

    assert [order(row) for row in rows] == [order(shifted[2]), order(shifted[0]), order(shifted[1])]


def test_a_rule_found_more_often_matches_none_of_the_fewer() -> None:
    two = run_signatures([report(line=10, rule="R"), report(line=20, rule="R")])
    three = run_signatures([report(line=10, rule="R"), report(line=15, rule="R"), report(line=20, rule="R")])
    keys = {s.key for row in two for s in row}

    assert not keys & {s.key for row in three for s in row}


def test_a_neighbor_at_the_shifted_line_is_not_the_same_report() -> None:
    run = run_signatures([report(line=26), report(line=29)])
    shifted = run_signatures([report(line=29), report(line=32)])

    assert not {s.key for row in run for s in row if s.rung == "L0"} & {s.key for row in shifted for s in row}


def test_results_that_differ_only_in_the_tools_id_are_two() -> None:
    row_a, row_b = run_signatures([report(external_id="a-1"), report(external_id="a-2")])

    assert not {s.key for s in row_a} & {s.key for s in row_b}


def test_a_family_is_signed_for_its_file_only_where_it_stands_once() -> None:
    once = run_signatures([report(line=10), report(line=20, cwe="CWE-79")])
    twice = run_signatures([report(line=10), report(line=20)])

    assert all("file" in kinds(row) for row in once)
    assert not any("file" in kinds(row) for row in twice)


def test_a_digest_is_of_everything_said() -> None:
    assert content_digest(report()) == content_digest(report())
    assert content_digest(report()) != content_digest(report(line=11))
    assert content_digest(report(proof=ProofFiles({"a": b""}))) != content_digest(report(proof=ProofFiles({"a": b"1"})))
