# SPDX-License-Identifier: Apache-2.0
"""Quoted code in running text: fenced blocks (CommonMark 4.5) that say which file they are from. Others assert nothing of a source."""

import re

from clearwell.vocabulary.finding import Quote

MOST = 20
"""Quotes that are taken from one text."""

_FENCE = re.compile(r" {0,3}(`{3,16}|~{3,16})([^\n`]{0,300})")
_PLACE = re.compile(
    r"(?:^|[\s\"'`(=*])(?P<file>[\w@+.~-]{1,100}(?:/[\w@+.~-]{1,100}){0,20}\.[A-Za-z]\w{0,9})"
    r"(?:(?::|#L|, line |:L)(?P<line>\d{1,7}))?"
)
_NO_SOURCE = frozenset({"console", "shell", "sh", "bash", "output", "text", "txt", "diff", "patch", "log"})
_LONGEST = 20_000


def fenced_quotes(text: str) -> tuple[Quote, ...]:
    """Return the blocks whose info string, or the line just above, names a file (```` ```c src/a.c:12 ````)."""
    if "```" not in text and "~~~" not in text:
        return ()
    found: list[Quote] = []
    fence, body, place, above = "", [""], None, ""
    for line in text.split("\n"):
        match = _FENCE.match(line[:400])
        if fence:
            if match is not None and match[1].startswith(fence) and not match[2].strip():
                if place is not None and any(map(str.strip, body)) and len(found) < MOST:
                    found.append(Quote("\n".join(body)[:_LONGEST], place[0], place[1]))
                fence = ""
            else:
                body.append(line)
        elif match is not None:
            fence, body, place = match[1], [], _place(match[2], above)
        elif line.strip():
            above = line
    return tuple(found)


def _place(info: str, above: str) -> tuple[str, int | None] | None:
    language = info.split(maxsplit=1)[0].lower() if info.strip() else ""
    if language in _NO_SOURCE:
        return None
    match = _PLACE.search(info) or (_PLACE.search(above[-300:]) if above.rstrip().endswith((":", "`", "*", ")")) else None)
    return (match["file"], int(match["line"]) if match["line"] else None) if match is not None else None
