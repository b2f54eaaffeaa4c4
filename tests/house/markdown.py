# SPDX-License-Identifier: Apache-2.0
"""Markdown as the house's tests read it: fences, links, headings, and the commands of a console block with what they print."""

import re

import msgspec

RUN = {"parse", "cluster", "match", "prove", "ledger", "settings", "--help", "--version"}
"""The verbs of `clearwell` that a documents' test runs: they need no server, no database and no secret."""
_PLACEHOLDER = re.compile(r"(?<![\w./-])[A-Z][A-Z_]{2,}(?![\w./-])|<\w+>|\.\.\.|…")


class Fence(msgspec.Struct, frozen=True):
    """A fenced block: its language, its text, the line of the page it opens on, and the file that the line before it names, if one."""

    language: str
    text: str
    line: int
    shows: str | None


class Command(msgspec.Struct, frozen=True):
    """A line after `$ `: the command, the exit code it must have, and what the page shows of its output."""

    line: str
    code: int
    output: tuple[str, ...]

    @property
    def is_runnable(self) -> bool:
        """True for an offline verb of `clearwell` without placeholders such as FILE, <id> or an ellipsis."""
        parts = self.line.split()
        return len(parts) > 1 and parts[0] == "clearwell" and parts[1] in RUN and not _PLACEHOLDER.search(self.line)


def fences(text: str) -> tuple[Fence, ...]:
    """The fenced blocks of a page, in order."""
    found, lines, at = [], text.splitlines(), 0
    while at < len(lines):
        opening = re.match(r"^ {0,3}(`{3,}|~{3,})\s*([\w+-]*)", lines[at])
        if opening is None:
            at += 1
            continue
        end = next((n for n in range(at + 1, len(lines)) if lines[n].strip().startswith(opening[1])), len(lines))
        before = next((line.strip() for line in reversed(lines[:at]) if line.strip()), "")
        shows = re.fullmatch(r"(?:.*\s)?`([^`]+)`:", before)
        found.append(Fence(opening[2], "\n".join(lines[at + 1 : end]) + "\n", at + 1, shows[1] if shows else None))
        at = end + 1
    return tuple(found)


def commands(fence: Fence) -> tuple[Command, ...]:
    """The commands of a console block; a trailing `# exit N` says which exit code is expected, 0 where nothing is said."""
    found: list[Command] = []
    for line in fence.text.splitlines():
        if line.startswith("$ "):
            text, _, remark = line[2:].partition(" # exit ")
            found.append(Command(text.strip(), int(remark.split()[0]) if remark else 0, ()))
        elif found:
            last = found[-1]
            found[-1] = Command(last.line, last.code, (*last.output, line))
    return tuple(found)


def differs(shown: tuple[str, ...], printed: str) -> str | None:
    """Compare what a page shows with what was printed; return what is missing. A shown line is a beginning; `...` stands for any lines."""
    lines = iter(printed.splitlines())
    skipping = False
    for expected in (line.rstrip() for line in shown):
        if expected in {"...", "…"}:
            skipping = True
            continue
        for line in lines:
            if line.rstrip().startswith(expected.removesuffix("...")) and (expected or not line.strip()):
                break
            if not skipping:
                return f"shown {expected!r}, printed {line!r}"
        else:
            return f"shown {expected!r}, printed nothing like it"
        skipping = False
    return None


def links(text: str) -> tuple[str, ...]:
    """The targets of all links and pictures outside code."""
    prose = re.sub(r"(?ms)^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", "", text)
    prose = re.sub(r"`[^`\n]*`", "", prose)
    return tuple(re.findall(r"\]\(<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\)", prose) + re.findall(r"(?m)^\[[^\]]+\]:\s*(\S+)", prose))


def anchors(text: str) -> frozenset[str]:
    """The names under which a page's headings can be linked to."""
    prose = re.sub(r"(?ms)^ {0,3}(`{3,}|~{3,}).*?^ {0,3}\1", "", text)
    found: list[str] = []
    for heading in re.findall(r"(?m)^#{1,6}\s+(.+?)\s*#*$", prose):
        slug = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        found.append(slug if slug not in found else f"{slug}-{found.count(slug)}")
    return frozenset(found)
