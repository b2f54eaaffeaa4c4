# SPDX-License-Identifier: Apache-2.0
"""Mangled C++ names (Itanium C++ ABI, section 5.1) down to the qualified name; parameters and types are skipped, not rendered."""

_STANDARD = {
    "St": "std",
    "Sa": "std::allocator",
    "Sb": "std::basic_string",
    "Ss": "std::string",
    "Si": "std::istream",
    "So": "std::ostream",
    "Sd": "std::iostream",
}
_OPERATORS = {
    "nw": "new", "na": "new[]", "dl": "delete", "da": "delete[]", "ps": "+", "ng": "-", "ad": "&", "de": "*", "co": "~", "pl": "+",
    "mi": "-", "ml": "*",
    "dv": "/", "rm": "%", "an": "&", "or": "|", "eo": "^", "aS": "=", "pL": "+=", "mI": "-=", "mL": "*=", "dV": "/=", "rM": "%=",
    "aN": "&=", "oR": "|=",
    "eO": "^=", "ls": "<<", "rs": ">>", "lS": "<<=", "rS": ">>=", "eq": "==", "ne": "!=", "lt": "<", "gt": ">", "le": "<=",
    "ge": ">=", "nt": "!",
    "aa": "&&", "oo": "||", "pp": "++", "mm": "--", "cm": ",", "pm": "->*", "pt": "->", "cl": "()", "ix": "[]",
}  # fmt: skip
_MAX = 4_000
_MAX_DEPTH = 40


class _Malformed(Exception):
    """The name does not follow the grammar that is read here."""


def demangle(name: str) -> str:
    """Return the qualified name without template arguments and parameters; the name as it was when it is not mangled or too strange."""
    start = next((len(prefix) for prefix in ("_Z", "__Z", "___Z") if name.startswith(prefix)), 0)
    if not start or len(name) > _MAX:
        return name
    try:
        parts = _Name(name, start).encoding()
    except (_Malformed, IndexError, RecursionError):
        return name
    return "::".join(parts) or name


class _Name:
    """A mangled name being read from left to right."""

    def __init__(self, text: str, at: int) -> None:
        self._text, self._at, self._depth = text, at, 0
        self._seen: list[list[str]] = []

    def encoding(self) -> list[str]:
        if self._text.startswith("T", self._at):  # virtual tables, thunks: the name beneath
            self._at += 1
            kind = self._take()
            if kind in "hv":
                while self._take() != "_":
                    pass
                if kind == "v":
                    while self._take() != "_":
                        pass
            return self.encoding()
        if self._text.startswith("GV", self._at):
            self._at += 2
        return self._name()

    def _take(self) -> str:
        character = self._text[self._at]
        self._at += 1
        return character

    def _peek(self, width: int = 1) -> str:
        return self._text[self._at : self._at + width]

    def _name(self) -> list[str]:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Malformed
        try:
            if self._peek() == "N":
                return self._nested()
            if self._peek() == "Z":
                self._at += 1
                outer = self.encoding()
                while self._peek() not in ("E", ""):
                    self._skip_type()
                self._at += 1
                if self._peek() == "s":
                    return outer
                return outer + self._name()
            if self._peek(2) == "St" and self._text[self._at + 2 : self._at + 3] not in ("", "I"):
                self._at += 2
                parts = ["std", *self._unqualified([])]
            elif self._peek() == "S":
                parts = self._substitution()
            else:
                parts = self._unqualified([])
            if self._peek() == "I":
                self._seen.append(parts)
                self._skip_arguments()
            return parts
        finally:
            self._depth -= 1

    def _nested(self) -> list[str]:
        self._at += 1
        while self._peek() and self._peek() in "rVKRO":
            self._at += 1
        parts: list[str] = []
        while self._peek() != "E":
            if self._peek() == "":
                raise _Malformed
            if self._peek() == "S" and self._peek(2) != "St":
                parts = self._substitution()
                continue
            if self._peek(2) == "St":
                self._at += 2
                parts = ["std"]
                continue
            if self._peek() == "I":
                self._skip_arguments()
            elif self._peek() == "T":
                self._skip_parameter()
                parts = ["T"]
            elif self._peek() == "M":
                self._at += 1
                continue
            else:
                parts = parts + self._unqualified(parts)
            self._seen.append(parts)
        self._at += 1
        return parts

    def _unqualified(self, scope: list[str]) -> list[str]:
        while self._peek() == "L":
            self._at += 1
        character = self._peek()
        if character.isdigit():
            return [self._source_name()]
        if character == "C":
            self._at += 2
            return [scope[-1] if scope else ""]
        if character == "D" and self._peek(2)[1:] in "0123456789":
            self._at += 2
            return ["~" + (scope[-1] if scope else "")]
        if self._peek(2) == "Ul":
            self._at += 2
            while self._peek() not in ("E", ""):
                self._skip_type()
            self._at += 1
            while self._take() != "_":
                pass
            return ["lambda"]
        if self._peek(2) == "Ut":
            self._at += 2
            while self._take() != "_":
                pass
            return ["unnamed"]
        if self._peek(2) == "cv":
            self._at += 2
            self._skip_type()
            return ["operator"]
        if self._peek(2) in _OPERATORS:
            operator = _OPERATORS[self._peek(2)]
            self._at += 2
            return [f"operator {operator}" if operator[0].isalpha() else f"operator{operator}"]
        raise _Malformed

    def _source_name(self) -> str:
        end = self._at
        while self._text[end].isdigit():
            end += 1
        length = int(self._text[self._at : end][:6])
        name = self._text[end : end + length]
        if len(name) != length or not length:
            raise _Malformed
        self._at = end + length
        if self._peek() == "B":  # ABI tag
            self._at += 1
            self._source_name()
        return "(anonymous namespace)" if name.startswith("_GLOBAL__N") else name

    def _substitution(self) -> list[str]:
        if self._peek(2) in _STANDARD:
            parts = _STANDARD[self._peek(2)].split("::")
            self._at += 2
            return parts
        self._at += 1
        digits = ""
        while self._peek() != "_":
            digits += self._take()
        self._at += 1
        index = int(digits, 36) + 1 if digits else 0
        return self._seen[index] if index < len(self._seen) else ["?"]

    def _skip_parameter(self) -> None:
        while self._take() != "_":
            pass

    def _skip_arguments(self) -> None:
        self._at += 1
        while self._peek() != "E":
            if self._peek() == "":
                raise _Malformed
            if self._peek() == "L":
                self._skip_literal()
            elif self._peek() == "J":
                self._skip_arguments()
            elif self._peek() == "X":
                raise _Malformed
            else:
                self._skip_type()
        self._at += 1

    def _skip_literal(self) -> None:
        self._at += 1
        if self._peek(2) == "_Z":
            self._at += 2
            self.encoding()
            while self._peek() not in ("E", ""):
                self._skip_type()
            self._at += 1
            return
        self._skip_type()
        while self._take() != "E":
            pass

    def _skip_type(self) -> None:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise _Malformed
        try:
            self._skip_type_within()
        finally:
            self._depth -= 1

    def _skip_type_within(self) -> None:
        character = self._peek()
        if character == "":
            raise _Malformed
        if character in "PROKVGC":
            self._at += 1
            self._skip_type()
            self._seen.append(["?"])
        elif character in "vwbcahstijlmxynofdegz":
            self._at += 1
        elif character == "F":
            self._at += 1
            while self._peek() not in ("E", ""):
                self._skip_type()
            self._at += 1
            self._seen.append(["?"])
        elif character == "A":
            while self._take() != "_":
                pass
            self._skip_type()
            self._seen.append(["?"])
        elif character == "M":
            self._at += 1
            self._skip_type()
            self._skip_type()
            self._seen.append(["?"])
        elif character == "T":
            self._skip_parameter()
            self._seen.append(["?"])
            if self._peek() == "I":
                self._skip_arguments()
                self._seen.append(["?"])
        elif character == "D":
            self._at += 2
            if self._text[self._at - 1] == "p":
                self._skip_type()
                self._seen.append(["?"])
            elif self._text[self._at - 1] in "tT":
                raise _Malformed
        elif character == "S" and self._peek(2) != "St":
            self._substitution()
            if self._peek() == "I":
                self._skip_arguments()
                self._seen.append(["?"])
        elif character == "N":
            self._name()
        else:
            parts = self._name()
            self._seen.append(parts)
