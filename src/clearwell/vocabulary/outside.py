# SPDX-License-Identifier: Apache-2.0
"""Outside text: words that came from a report, a file name or a log, and one encoder per channel.

No policy, merge or verdict reads prose; what people see of it passes through here, so that invisible, bidirectional and
control characters are shown rather than obeyed (Trojan Source, CVE-2021-42574; terminal escapes; spreadsheet formulas).
"""

import html
import unicodedata

_KEPT = {"\n", "\t"}
_SHOWN_CATEGORIES = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
_EXTRA = {"\u115f", "\u1160", "\u3164", "\uffa0", "\u2800", "\u034f"}


def visible(text: str) -> str:
    """Return `text` with each invisible, bidirectional, control or unassigned character shown as `<U+XXXX>`."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_visible_character(c) for c in text)


def _visible_character(character: str) -> str:
    if character in _KEPT:
        return character
    if character in _EXTRA or unicodedata.category(character) in _SHOWN_CATEGORIES:
        return f"<U+{ord(character):04X}>"
    return character


def for_html(text: str) -> str:
    """Encode for HTML text and quoted attributes."""
    return html.escape(visible(text), quote=True)


def for_terminal(text: str, limit: int = 200) -> str:
    """Encode for one line of a terminal: no escapes, no line breaks, at most `limit` characters."""
    line = visible(text.replace("\n", " ").replace("\t", " "))
    return line if len(line) <= limit else line[: limit - 1] + "…"


def for_csv(text: str) -> str:
    """Encode for a CSV cell: a leading =, +, -, @ would be run as a formula by spreadsheets (OWASP, CSV injection)."""
    shown = visible(text)
    return "'" + shown if shown[:1] in {"=", "+", "-", "@", "\t"} else shown


def for_header(text: str, limit: int = 200) -> str:
    """Encode for a mail header: one line, no control characters, at most `limit` characters."""
    return visible(text.replace("\r", " ").replace("\n", " ").replace("\t", " "))[:limit]
