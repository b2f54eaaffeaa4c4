# SPDX-License-Identifier: Apache-2.0
"""OSS-Fuzz's notation: crash type, address, state and security relevance, as its users read them in reports."""

import re
from collections.abc import Iterable

from clearwell.formats.crash_log.frames import RawFrame
from clearwell.vocabulary.stack import is_runtime, normalize_function

STATE_LINES = 3
LINE_WIDTH = 80
NULL_PAGE = 0x10000
_LARGEST_SIZE = 16
_LONGEST_CYCLE = 10
_ANONYMOUS = re.compile(r"\(anonymous namespace\)::|`anonymous namespace'::|non-virtual thunk to ")
_HEX = re.compile(r"0x[0-9a-fA-F]{4,}U*")
_VARYING = re.compile(r"(?<![:0-9.])(?:[0-9.]{4,}|(?<=[@#])[0-9]+)(?![A-Za-z0-9.])")
_STANDALONE = re.compile(r"\b[0-9]{2,}\b")
_QUOTED_VALUE = re.compile(r"\s*[:=]\s*(?:'[^\n]*'|\"[^\n]*\")$")
ASSERT_ADDRESSES = frozenset({0xBBADBEEF, 0xFBADBEEF, 0x1F75B7DD, 0x977537DD, 0x9F7537DD})
"""Addresses that browsers' assertions write to on purpose, to stop."""
_SKIPPED = re.compile(
    r"_\$LT\$|<(?:std|core|alloc|unknown)\b|closure #|partial apply |reabstraction thunk "
    r"|function signature |operator(?:\(|$)|abort_with_issue$"
    r"|WTF::|[Nn]ew|main|free|malloc|calloc|realloc|delete|operator|abort|alloc::|scanf|__libc_|__GI_|__assert_|g_log|runtime\."
    r"|(?:__)?(?:mem(?:cmp|cpy|move|set)|str(?:cmp|cpy|dup|len|ncpy)|aeabi_)|mozalloc_|generic_cpp_|object_err|print_trailer"
    r"|SignalAction|ExitCallback|fpehandler\(|X11Error|CFCrash|Abort\(|common_exit|_L_unlock_|android\.os\.Parcel\."
    r"|android\.app\.ActivityManagerProxy\.|art::Thread::CreateNativeThread|exit_or_terminate_process|TestOneProtoInput"
)
_KEPT = re.compile(
    r"(?:strn?cat|strlc(?:at|py)|explicit_bzero|_*wcsn?len|_Unwind_RaiseException|__gxx_personality_v0|___interceptor_\w+"
    r"|__msan_mem\w+\.part\.\d+|cfree|_main|CentipedeRunnerMain)$"
)
"""Functions of runtimes that states keep all the same, as the states that OSS-Fuzz published show."""
_SKIPPED_WORDS = (
    "logging::LogMessage", "logging::CheckError", "logging::ErrnoLogMessage", "logging::NotReachedError", "fuzztest::internal::",
    "assert", "logger", "PartitionAlloc", "allocator_shim", "base::allocator", "asan_Heap", "asan_check_access", "DebugBreak",
    "BreakDebugger", "RtlFreeHeap", "RtlInitializeExceptionChain", "RtlReportCriticalFailure", "RtlUserThreadStart", "RtlpHeapHandleError",
    "RtlpLogHeapFailure", "SkDebugf", "StackDumpSignalHandler", "DefaultDcheckHandler", "FuzzedDataProvider", "ForceCrashOnSigAbort",
    "base::debug::CollectStackTrace", "base::debug::StackTrace::StackTrace", "base::android::CheckException", "Inline Function @",
)  # fmt: skip
_SKIPPED_PLACES = (
    "assert", "logger", "libpthread", "ieee754-", "/glibc-", "/libc++", "libc++/", "/bindings/ToV8.h", "/memorycmp.c", "/gcc/",
    "/jemalloc/", "/libc/", "/llvm-build/", "/crosstool/", "/sanitizer_common/", "/tcmalloc/", "/AOSP-toolchain/", "/win_toolchain/",
    "/minkernel/crts/", "/vc/include/", "/vctools/crt/",
)  # fmt: skip
_SKIPPED_MODULE = re.compile(r"(?:^|/)(?:libc(?:\+\+(?:_shared)?)?\.so|libstdc\+\+\.so|libc-[^/]{0,40}\.so|libgcc_s\.so|linux-gate\.so)")
_GO_FILE = re.compile(r"\.go$")

NOT_SECURITY = (
    "Kernel failure\nWarning", "Kernel failure\nLockup", "Kernel failure\nRcu-stall", "Kernel failure\nHung-task",
    "Kernel failure\nLock-order", "Kernel failure\nSleep-in-atomic",
    "Abrt", "Ill", "Sigtrap", "Thread leak", "Breakpoint", "Trap", "Fatal-signal", "Floating-point-exception", "Bus", "Stack-overflow",
    "Stack overflow",
    "Timeout", "Out-of-memory",
    "Null-dereference", "Divide-by-zero", "Integer-overflow", "Unsigned-integer-overflow", "Undefined-shift",
    "Float-cast-overflow", "Assumption-violation",
    "Uncaught exception", "Fatal Exception", "Potential-null-reference", "CHECK failure", "Fatal error", "Unreachable code",
    "V8 correctness failure", "V8 API error", "Security CHECK failure", "Sanitizer CHECK failure", "ASSERT_NOT_REACHED", "RUNTIME_ASSERT",
    "Direct-leak", "Indirect-leak",
    "Missing-library", "Overwrites-const-input", "Unexpected-exit", "Misaligned-address", "Invalid-bool-value",
    "Invalid-enum-value", "Invalid-builtin-use",
    "Invalid-null-argument", "Invalid-null-return", "No-return-value", "Pointer-overflow", "Implicit-conversion", "Alignment-assumption",
    "Index out of range", "Slice bounds out of range", "Integer divide by zero", "Makeslice: len out"
        " of range", "Data race", "Lock-order-inversion",
    "Initialization-order-fiasco", "Odr-violation", "Bad parameters", "Allocation-size-too-big", "Concurrent map access", "Deadlock",
)  # fmt: skip
"""Crash types (by their start) that OSS-Fuzz does not treat as security relevant by themselves."""

_BY_ADDRESS = ("UNKNOWN", "READ", "WRITE", "EXECUTE")


def access_lines(kind: str, access: str | None, size: int | None) -> str:
    """Write type, access and size: `Heap-buffer-overflow` over `READ 4`; sizes over 16 vary with the input and become `{*}`."""
    if access is None or size is None:
        return kind
    return f"{kind}\n{access} {size if size <= _LARGEST_SIZE else '{*}'}"


def address_text(digits: str) -> str:
    """Write an address: kept as printed when it has its `0x`, else at least twelve digits, or eight for a 32-bit one."""
    if digits.startswith(("0x", "0X")):
        digits = digits[2:].lower()
        return "0x" + (digits[4:] if len(digits) == 16 and digits.startswith("0000") else digits)
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
        place = frame.path or frame.module
        is_named = place is not None and (frame.path is not None or ".so" in place or ".dylib" in place or place == "[heap]")
        return place[:LINE_WIDTH] if place is not None and is_named else None
    name = _ANONYMOUS.sub("", name)
    if frame.file is not None and _GO_FILE.search(frame.file) is not None:
        name = name.rpartition("/")[2]
    else:
        name = name.split("(", 1)[0] or name
    return steady(name).strip()[:LINE_WIDTH] or None


def is_skipped(frame: RawFrame) -> bool:
    """True for frames that never enter a state: runtime, allocator, sanitizer, harness, inlined without a number, doubtful."""
    if frame.is_inline or frame.is_unsure:
        return True
    if frame.function is not None:
        name = _ANONYMOUS.sub("", frame.function)
        if _SKIPPED.match(name) is not None or any(word in name for word in _SKIPPED_WORDS):
            return True
        if frame.file is not None and any(place in frame.file for place in _SKIPPED_PLACES):
            return True
    if frame.path is not None and (_SKIPPED_MODULE.search(frame.path) or any(place in frame.path for place in _SKIPPED_PLACES)):
        return True
    if frame.module is not None and _SKIPPED_MODULE.search(frame.module) is not None:
        return True
    if frame.function is not None and _KEPT.match(frame.function) is not None:
        return False
    plain = normalize_function(frame.function) if frame.function is not None else None
    return is_runtime(plain, frame.file, frame.module)


def fill_state(lines: list[str], stacks: Iterable[list[RawFrame]], limit: int = STATE_LINES) -> None:
    """Add frames to a state until it has `limit` lines: the next stack continues one that has too few. The fuzz target is its file."""
    for frames in stacks:
        for frame in frames:
            if len(lines) >= limit:
                return  # before the next stack is even read
            if frame.function is not None and frame.file is not None and frame.function.startswith("LLVMFuzzerTestOneInput"):
                lines.append(frame.file.rpartition("/")[2][:LINE_WIDTH])
            elif not is_skipped(frame) and (text := state_function(frame)) is not None:
                lines.append(text)


def cycle(frames: list[RawFrame]) -> list[str]:
    """Return the first three lines of the recursion that used up a stack: at most ten frames that stand there three times in a
    row. Where in the recursion the limit hits is chance. Empty when no such cycle is printed."""
    names = [text for frame in frames if not is_skipped(frame) and (text := state_function(frame)) is not None]
    for start in range(len(names)):
        for length in range(1, _LONGEST_CYCLE + 1):
            end = start + 3 * length
            if (
                end < len(names)
                and names[start : start + length] == names[start + length : start + 2 * length] == names[end - length : end]
            ):
                return names[start : start + min(length, STATE_LINES)]
    return []


def check_message(text: str) -> str:
    """Cut a failed check to its condition: without the values compared, explanation or final full stop."""
    failed = text.find("failed: ")
    if failed >= 0 and " vs. " in text[failed:]:
        text = text[: failed + len("failed")]
    compared = text.find(" vs. ")
    if compared >= 0:
        text = text[: _opening(text, compared)]
    text = text.split(";", 1)[0]
    return (_QUOTED_VALUE.sub("", text) if text[-1:] in ("'", '"') else text).strip(" .'\"[]")


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
    name = (source or "").strip(" .'\"[]").split(":", 1)[-1 if (source or "").startswith("[") else 0].split("(", 1)[0]
    name = name.replace("\\", "/").rpartition("/")[2]
    message = message.replace("JNI DETECTED ERROR IN APPLICATION:", "JNI:")
    return steady(f"{message} in {name}" if name else message)[:LINE_WIDTH]


def steadier(message: str) -> str:
    """Replace all numbers of two digits or more that stand alone: V8's messages count tokens and nodes."""
    return _STANDALONE.sub("NUMBER", steady(message))


def steady(message: str) -> str:
    """Replace addresses and long numbers, which vary from run to run."""
    return _VARYING.sub("NUMBER", _HEX.sub("ADDRESS", message) if "0x" in message else message)


def is_security(kind: str, address: str | None, was_raised: bool) -> bool:
    """Say whether OSS-Fuzz treats the crash as security relevant. `was_raised`: the first frame is raise or abort, so that no
    memory was touched at the address."""
    if kind.startswith(NOT_SECURITY):
        return False
    if kind.startswith(_BY_ADDRESS):
        at = NULL_PAGE if address is None else int(address, 16)
        return not was_raised and at >= NULL_PAGE and at not in ASSERT_ADDRESSES
    return True
