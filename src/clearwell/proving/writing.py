# SPDX-License-Identifier: Apache-2.0
"""Writing a proof folder: proof.toml from what was read, with keys of format 1 alone, and the other files as they are."""

import json
from pathlib import Path
from typing import Any

import msgspec

from clearwell.proving.folder import Input, Proof, from_files
from clearwell.vocabulary.errors import Conflict

_INLINE_MAX = 4096
_LICENSE = "# SPDX-License-Identifier: Apache-2.0\n"


def write_proof(proof: Proof, into: Path) -> None:
    """Write the proof as a new folder; an input that is long goes into a file of its own. Raises Conflict when the folder exists."""
    if into.exists():
        raise Conflict(f"{str(into)!r} exists already; name a folder that does not")
    files = dict(proof.folder.files)
    recipe = proof.file.input
    content = recipe.text.encode() if recipe.text is not None else bytes.fromhex(recipe.hex) if recipe.hex is not None else b""
    if len(content) > _INLINE_MAX:
        files["input.min"] = content
        recipe = Input(file="input.min")
    file = msgspec.structs.replace(proof.file, input=recipe)
    opening = _LICENSE if files["proof.toml"].startswith(_LICENSE.encode()) else ""
    files["proof.toml"] = (opening + toml(_given(file))).encode()
    from_files(files).write(into)


def toml(document: dict[str, Any]) -> str:
    """Write a document whose top level has values, tables and lists of tables; deeper ones are written in line."""
    values = {key: value for key, value in document.items() if not _is_table(value) or key == "input"}
    text = "".join(f"{key} = {_value(value)}\n" for key, value in values.items())
    for key, value in document.items():
        if key in values:
            continue
        for table in value if isinstance(value, list) else [value]:
            mark = f"[[{key}]]" if isinstance(value, list) else f"[{key}]"
            text += f"\n{mark}\n" + "".join(f"{name} = {_value(one)}\n" for name, one in table.items())
    return text


def _is_table(value: Any) -> bool:
    return isinstance(value, dict) or (isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value))


def _given(struct: msgspec.Struct) -> dict[str, Any]:
    """The keys of a struct that differ from their defaults, under the names of the format."""
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(struct):
        value = getattr(struct, field.name)
        if field.default is not msgspec.NODEFAULT and value == field.default:
            continue
        if isinstance(value, msgspec.Struct):
            found[field.encode_name] = _given(value)
        elif isinstance(value, tuple) and value and all(isinstance(one, msgspec.Struct) for one in value):
            found[field.encode_name] = [_given(one) for one in value]
        elif value is not None:
            found[field.encode_name] = msgspec.to_builtins(value)
    return found


def _value(value: Any) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(one) for one in value)}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(one)}" for key, one in value.items()) + " }"
    return repr(value)
