# SPDX-License-Identifier: Apache-2.0
"""OSS-Fuzz's notation: crash type, address, state and security relevance, as its users read them in reports."""

import re
from collections.abc import Iterable

from clearwell.formats.crash_log.frames import RawFrame
from clearwell.vocabulary.stack import is_entry, is_runtime, normalize_function

STATE_LINES = 3
LINE_WIDTH = 80
NULL_PAGE = 0x10000
_LARGEST_SIZE = 16
_ANONYMOUS = re.compile(r"\(anonymous namespace\)::|`anonymous namespace'::|non-virtual thunk to ")
_LONG_NUMBER = re.compile(r"(?<![0-9])[0-9]{4,}(?![0-9A-Za-z])")
_HEX = re.compile(r"\b0x[0-9a-f]{4,}\b")
_STANDALONE_NUMBER = re.compile(r"\b[0-9]{2,}\b")
_SKIPPED = re.compile(
    r"_\$LT\$|<(?!\w+>$)|closure #|partial apply |reabstraction thunk |function signature |operator(?:\(|$)|abort_with_issue$"
    r"|main\.|WTF::|New$"
)
_SKIPPED_ANYWHERE = re.compile(r"logging::(?:LogMessage|CheckError|ErrnoLogMessage|NotReachedError)|fuzztest::internal::")
_GO_FILE = re.compile(r"\.go$")

NOT_SECURITY = (
    "Abrt", "Ill", "Breakpoint", "Trap", "Fatal-signal", "Floating-point-exception", "Bus", "Stack-overflow", "Stack overflow",
    "Timeout", "Out-of-memory",
    "Null-dereference", "Divide-by-zero", "Integer-overflow", "Unsigned-integer-overflow", "Undefined-shift",
    "Float-cast-overflow", "Assumption-violation",
    "Uncaught exception", "Fatal Exception", "Potential-null-reference", "CHECK failure", "Fatal error", "Unreachable code",
    "V8 correctness failure", "V8 API error",
    "Direct-leak", "Indirect-leak",
    "Missing-library", "Overwrites-const-input", "Unexpected-exit", "Misaligned-address", "Invalid-bool-value",
    "Invalid-enum-value", "Invalid-builtin-use",
    "Invalid-null-argument", "Invalid-null-return", "No-return-value", "Pointer-overflow", "Implicit-conversion", "Alignment-assumption",
    "Index out of range", "Slice bounds out of range", "Integer divide by zero", "Makeslice: len out"
        " of range", "Data race", "Lock-order-inversion",
    "Initialization-order-fiasco", "Odr-violation", "Bad parameters", "Allocation-size-too-big", "Concurrent map access", "Deadlock",
)  # fmt: skip
"""Crash types (by their start) that OSS-Fuzz does not treat as security relevant by themselves."""

_BY_ADDRESS = ("UNKNOWN", "READ", "WRITE")


def access_lines(kind: str, access: str | None, size: int | None) -> str:
    """Write type, access and size: `Heap-buffer-overflow` over `READ 4`; sizes over 16 vary with the input and become `{*}`."""
    if access is None or size is None:
        return kind
    return f"{kind}\n{access} {size if size <= _LARGEST_SIZE else '{*}'}"


def address_text(digits: str) -> str:
    """Write an address: kept as printed when it has its `0x`, else at least twelve digits, or eight for a 32-bit one."""
    if digits.startswith(("0x", "0X")):
        return "0x" + digits[2:].lower()
    digits = digits.lower().replace("`", "")
    return f"0x{int(digits, 16):0{8 if len(digits) <= 8 else 12}x}"


def segv_type(address: str | None, access: str | None, named: str = "UNKNOWN") -> str:
    """Name an invalid access: near address zero it is a null dereference, elsewhere OSS-Fuzz says UNKNOWN."""
    is_null = address is not None and int(address, 16) < NULL_PAGE
    return " ".join(part for part in ("Null-dereference" if is_null else named, access) if part)


def state_function(frame: RawFrame) -> str | None:
    """Write a frame as a state's line: no parameters or anonymous namespaces, template arguments kept, at most 80 characters."""
    name = frame.function
    if name is None:
        return frame.module[:LINE_WIDTH] if frame.module and (".so" in frame.module or ".dylib" in frame.module) else None
    name = _ANONYMOUS.sub("", name)
    if frame.file is not None and _GO_FILE.search(frame.file) is not None:
        name = name.rpartition("/")[2]
    else:
        name = name.split("(", 1)[0] or name
    if "0x" in name:
        name = _HEX.sub("ADDRESS", name)
    return _LONG_NUMBER.sub("NUMBER", name).strip()[:LINE_WIDTH] or None


def is_skipped(frame: RawFrame) -> bool:
    """True for frames that never enter a state: runtime, allocator, sanitizer, harness, inlined without a number, doubtful."""
    if frame.is_inline or frame.is_unsure:
        return True
    if frame.function is not None:
        name = _ANONYMOUS.sub("", frame.function)
        if _SKIPPED.match(name) is not None or _SKIPPED_ANYWHERE.search(name.split("(", 1)[0]) is not None:
            return True
    plain = normalize_function(frame.function) if frame.function is not None else None
    return is_runtime(plain, frame.file, frame.module)


def fill_state(lines: list[str], stacks: Iterable[list[RawFrame]], limit: int = STATE_LINES) -> None:
    """Add frames to a state until it has `limit` lines. A stack that was cut off before its entry is continued by the next one."""
    for frames in stacks:
        for frame in frames:
            if len(lines) >= limit:
                return  # before the next stack is even read
            if frame.function is not None and is_entry(frame.function) and frame.file is not None:
                if frame.function.startswith("LLVMFuzzerTestOneInput"):
                    lines.append(frame.file.rpartition("/")[2][:LINE_WIDTH])
                return
            if is_skipped(frame):
                continue
            text = state_function(frame)
            if text is not None:
                lines.append(text)


def from_recursion(frames: list[RawFrame]) -> list[RawFrame]:
    """For a used-up stack drop the innermost frames outside the recursion: where the limit hits is chance."""
    names = [frame.function for frame in frames]
    counts: dict[str | None, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    for at, frame in enumerate(frames):
        if frame.function is not None and counts[frame.function] > 1 and not is_skipped(frame):
            return frames[at:]
    return frames


def check_message(text: str) -> str:
    """Cut a failed check to its condition: without the values compared, explanation or final full stop."""
    compared = text.find(" vs. ")
    if compared >= 0:
        text = text[: _opening(text, compared)]
    return text.split(";", 1)[0].strip().removesuffix(".")


def _opening(text: str, end: int) -> int:
    """Return where the parenthesis that encloses `end` opens; `end` when none does."""
    depth = 0
    for at in range(end - 1, -1, -1):
        if text[at] == ")":
            depth += 1
        elif text[at] == "(":
            if depth == 0:
                return at
            depth -= 1
    if text[end + 1 : end + 4] == "vs." and text[:end].endswith("("):
        return end - 1
    return end


def with_source(message: str, source: str | None) -> str:
    """Add the file to a message, as states show failed checks: `len > 0 in zygote_linux.cc`, at most 80 characters."""
    name = (source or "").replace("\\", "/").rpartition("/")[2]
    return (f"{message} in {name}" if name else message)[:LINE_WIDTH]


def steady(message: str) -> str:
    """Replace numbers that vary from run to run."""
    return _STANDALONE_NUMBER.sub("NUMBER", _HEX.sub("ADDRESS", message))


def is_security(kind: str, address: str | None, was_raised: bool) -> bool:
    """Say whether OSS-Fuzz treats the crash as security relevant. `was_raised`: the first frame is raise or abort, so that no
    memory was touched at the address."""
    if kind.startswith("Kernel failure"):
        return True
    if kind.startswith(NOT_SECURITY):
        return False
    if kind.startswith(_BY_ADDRESS):
        return not was_raised and (address is None or int(address, 16) >= NULL_PAGE)
    return True
