# SPDX-License-Identifier: Apache-2.0
"""Runs inside the box: parses foreign source with tree-sitter and writes where wanted names are defined. Nothing imports it but the box.

Reads /box/in/request.json ([[name, path in the box, language], ...] and the wanted names), writes /box/out/symbols.json.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import tree_sitter_c
import tree_sitter_cpp
import tree_sitter_go
import tree_sitter_java
import tree_sitter_javascript
import tree_sitter_python
import tree_sitter_rust
import tree_sitter_typescript
from tree_sitter import Language, Node, Parser

GRAMMARS = {
    "c": tree_sitter_c.language,
    "cpp": tree_sitter_cpp.language,
    "python": tree_sitter_python.language,
    "javascript": tree_sitter_javascript.language,
    "typescript": tree_sitter_typescript.language_typescript,
    "tsx": tree_sitter_typescript.language_tsx,
    "go": tree_sitter_go.language,
    "rust": tree_sitter_rust.language,
    "java": tree_sitter_java.language,
}
_PYTHON = "function_definition class_definition"
_C = (
    "struct_specifier union_specifier enum_specifier class_specifier preproc_def preproc_function_def enumerator namespace_definition "
    "alias_declaration concept_definition"
)
_SCRIPT = (
    "function_declaration generator_function_declaration class_declaration class method_definition variable_declarator "
    "function_expression abstract_class_declaration interface_declaration type_alias_declaration enum_declaration function_signature "
    "internal_module module method_signature abstract_method_signature public_field_definition property_signature field_definition"
)
_GO = "method_declaration type_spec type_alias const_spec var_spec method_elem"
_RUST = (
    "function_item function_signature_item struct_item enum_item union_item trait_item mod_item macro_definition const_item "
    "static_item type_item enum_variant associated_type"
)
_JAVA = "record_declaration constructor_declaration annotation_type_declaration enum_constant annotation_type_element_declaration"
NAMED = frozenset(" ".join((_PYTHON, _C, _SCRIPT, _GO, _RUST, _JAVA)).split())
"""Nodes whose field `name` (`property` in JavaScript's classes) is what they define."""
BODIES = frozenset({"compound_statement", "statement_block"})
LEAVES = frozenset({"identifier", "field_identifier", "type_identifier", "property_identifier", "private_property_identifier"})
MOST = 20_000


def definitions(language: str, source: bytes, wanted: frozenset[str]) -> list[tuple[str, int, int]]:
    """Return (name, first line, last line) of each definition of a wanted name; lines count from 1."""
    found: dict[tuple[str, int, int], None] = {}
    tree = Parser(Language(GRAMMARS[language]())).parse(source)
    for node, in_body in _nodes(tree.root_node):
        for name in _names(node, language, in_body):
            if name in wanted and len(found) < MOST:
                found[name, node.start_point[0] + 1, node.end_point[0] + 1] = None
    return list(found)


def _nodes(root: Node) -> Iterator[tuple[Node, bool]]:
    """Every node, and whether it stands in a function's body. No recursion: foreign source is as deep as it likes."""
    waiting = [(root, False)]
    while waiting:
        node, in_body = waiting.pop()
        yield node, in_body
        if node.named_child_count:
            inside = in_body or node.type in BODIES or (node.type == "block" and _is_of_function(node))
            waiting.extend((child, inside) for child in reversed(node.named_children))


def _is_of_function(block: Node) -> bool:
    return block.parent is not None and block.parent.type in {
        "function_definition",
        "function_declaration",
        "method_declaration",
        "function_item",
    }


def _names(node: Node, language: str, in_body: bool) -> Iterator[str]:
    kind = node.type
    if kind in NAMED:
        name = node.child_by_field_name("name") or node.child_by_field_name("property")
        if name is not None:
            yield _last(name)
        if kind != "function_definition" or language == "python":
            return
    if language in {"c", "cpp"}:
        if kind == "function_declarator" and not in_body:
            yield _declared(node)
        elif kind in {"declaration", "field_declaration", "type_definition"} and not in_body:
            for declarator in node.children_by_field_name("declarator"):
                yield _declared(declarator)
    elif language == "python":
        if kind == "assignment" and not in_body:
            left = node.child_by_field_name("left")
            if left is not None and left.type in {"identifier", "attribute"}:
                yield _last(left)
        elif kind == "import_from_statement" and not in_body:
            for child in node.children_by_field_name("name"):
                yield _last(child.child_by_field_name("alias") or child)
    elif language in {"javascript", "typescript", "tsx"}:
        yield from _script_names(node)
    elif language == "java" and kind == "field_declaration":
        for declarator in node.children_by_field_name("declarator"):
            yield _last(declarator.child_by_field_name("name") or declarator)


def _script_names(node: Node) -> Iterator[str]:
    if node.type == "assignment_expression":
        left = node.child_by_field_name("left")
        if left is not None and left.type == "member_expression":
            left = left.child_by_field_name("property")
        if left is not None:
            yield _last(left)
    elif node.type == "pair":
        key = node.child_by_field_name("key")
        if key is not None:
            yield _last(key).strip("'\"")
    elif node.type in {"shorthand_property_identifier", "export_specifier"}:
        yield _last(node.child_by_field_name("alias") or node.child_by_field_name("name") or node)


def _declared(node: Node) -> str:
    """The name that a C declarator declares, through pointers, arrays, parentheses and initializers."""
    for _ in range(200):
        inner = node.child_by_field_name("declarator")
        if inner is None:
            inner = next((child for child in node.named_children if child.type.endswith("declarator") or child.type in LEAVES), None)
        if inner is None or node.type in LEAVES:
            break
        node = inner
    return _last(node)


def _last(node: Node) -> str:
    """The last name of a qualified one."""
    text = (node.text or b"")[:1000].decode("utf-8", "replace")
    return text.rpartition("::")[2].rpartition(".")[2].strip("~ \t\n") if node.type != "string" else text


def main() -> None:
    """Answer one request."""
    request = json.loads(Path("/box/in/request.json").read_bytes())
    wanted = frozenset(request["wanted"])
    answer = {}
    for name, place, languages in request["files"]:
        found: dict[tuple[str, int, int], None] = {}
        for language in languages:
            found.update(dict.fromkeys(definitions(language, Path(place).read_bytes(), wanted)))
        if found:
            answer[name] = list(found)[:MOST]
    Path("/box/out/symbols.json").write_text(json.dumps(answer), encoding="utf-8")


if __name__ == "__main__":
    main()
    sys.exit(0)
