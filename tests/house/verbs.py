# SPDX-License-Identifier: Apache-2.0
"""The verbs of the flow, as their source tells: which functions are verbs, whether each asks the policy, and before what."""

import ast

import msgspec

from house.tree import ROOT

FLOW = ROOT / "src" / "clearwell" / "clearinghouse" / "flow"
CHANGING = (
    "insert",
    "save",
    "move_",
    "mark_",
    "finish_",
    "detach",
    "revoke",
    "set_",
    "count_",
    "replace_",
    "update_",
    "decide_",
    "write",
    "hold",
    "share",
    "destroy",
    "propose",
    "confirm",
    "defer",
    "post",
    "add_",
    "issue_",
    "execute",
)
"""How the names of calls begin that change something."""


class Verb(msgspec.Struct, frozen=True):
    """A public function of the flow that takes the house: where it asks the policy and where it first changes something (lines)."""

    module: str
    name: str
    calls: tuple[tuple[str, int], ...]
    has_transaction: bool

    @property
    def asks_at(self) -> int | None:
        """The line of its own first question to the policy."""
        return next((line for name, line in self.calls if name in {"policy.require", "policy.allows"}), None)

    @property
    def changes_at(self) -> int | None:
        """The line of its own first change."""
        return next((line for name, line in self.calls if name.rpartition(".")[2].startswith(CHANGING) and "proof_files" not in name), None)


def verbs() -> tuple[Verb, ...]:
    """Every function of the flow, public or not, whose first parameter is the house."""
    found = []
    for path in sorted(FLOW.glob("*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef) and node.args.args and node.args.args[0].arg == "house":
                found.append(Verb(path.stem, node.name, _calls(node), _opens(node)))
    return tuple(found)


def _calls(node: ast.FunctionDef) -> tuple[tuple[str, int], ...]:
    calls = [(call.lineno, call.col_offset, _name(call.func)) for call in ast.walk(node) if isinstance(call, ast.Call)]
    return tuple((name, line) for line, _, name in sorted(calls) if name)


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        inner = _name(node.value)
        return f"{inner.rpartition('.')[2]}.{node.attr}" if inner else node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _opens(node: ast.FunctionDef) -> bool:
    return any(name == "house.transaction" for name, _ in _calls(node))
