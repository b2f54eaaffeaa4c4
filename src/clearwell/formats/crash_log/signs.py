# SPDX-License-Identifier: Apache-2.0
"""The lines by which a log says that something crashed, as tables: one line of a log that fits names the crash."""

import re

import msgspec

FAULT, STATEMENT, END = 3, 2, 1
"""Ranks. A memory fault outranks a failed statement (assertion, panic, exception), which outranks how the process then ended:
abort, trap and the fuzzer's own notice are how assertions end."""


class Sign(msgspec.Struct, frozen=True):
    """`key` stands in the line if `pattern` can match. `type` is OSS-Fuzz's crash type. Named groups `address`, `access`, `size`,
    `message` and `source` are used where present. The pattern is matched where the key stands, or from the line's start
    if it describes the `whole` line: never at every place, so that a hostile line costs no more than its length."""

    key: str
    pattern: re.Pattern[str]
    type: str
    rank: int = FAULT
    sanitizer: str | None = None
    whole: bool = False


def _sign(key: str, pattern: str, kind: str, rank: int = FAULT, sanitizer: str | None = None, *, whole: bool = False) -> Sign:
    return Sign(key, re.compile(pattern), kind, rank, sanitizer, whole)


_CHROME = r"\s*\[(?:[^\]\s]{1,100}:)?(?:FATAL|ERROR|DFATAL):(?P<source>[^\]():]{1,300})(?:\(\d+\)|:\d+)\]"
_GLOG = r"F\d{4,8} [\d:.]+ +\d+ (?P<source2>[^\]:\s]{1,300}):\d+\]"
_JAZZER = r"== Java (?:Exception|Assertion Error): "
_UBSAN_MESSAGES: tuple[tuple[str, str], ...] = (
    # after "runtime error: " -> crash type (clang's and gcc's words)
    (r"division (?:of .{1,80} )?by zero", "Divide-by-zero"),
    (r"(?:negation|division) of .{1,80} cannot be represented", "Integer-overflow"),
    (r"signed integer overflow", "Integer-overflow"),
    (r"unsigned integer overflow", "Unsigned-integer-overflow"),
    (r"(?:left |right )?shift (?:exponent|of)", "Undefined-shift"),
    (r"(?:load of|store to|upcast of|downcast of|dynamic operation on|cast) [^\n]{0,80}?null pointer", "Null-dereference"),
    (r"(?:reference binding to|member access within|member call on|constructor call on) null pointer", "Potential-null-reference"),
    (r"(?:null pointer|null pointer returned|null pointer passed).{0,20}(?:returned|return)", "Invalid-null-return"),
    (r"null pointer passed as argument", "Invalid-null-argument"),
    (r"index .{1,80} out of bounds", "Index-out-of-bounds"),
    (r"[^\n]{0,120}insufficient space for an object", "Object-size"),
    (r"[^\n]{0,120}misaligned address", "Misaligned-address"),
    (r"[^\n]{0,120}not a valid value for type '?\"?(?:bool|BOOL|_Bool)", "Invalid-bool-value"),
    (r"[^\n]{0,120}not a valid value for type", "Invalid-enum-value"),
    (r"[^\n]{0,120}outside the range of representable values", "Float-cast-overflow"),
    (r"control flow integrity check for type '(?P<message>.{1,500})' failed", "Bad-cast"),
    (r"[^\n]{0,120}does not point to an object of type '(?P<message>.{1,500}?)'", "Bad-cast"),
    (r"call to function .{1,500} through pointer to incorrect function type", "Incorrect-function-pointer-type"),
    (r"variable length array bound", "Non-positive-vla-bound-value"),
    (
        r"(?:pointer index expression|addition of unsigned offset|subtraction of unsigned offset|applying (?:non-)?zero offset)",
        "Pointer-overflow",
    ),
    (r"execution reached an unreachable program point|execution reached a __builtin_unreachable", "Unreachable code"),
    (r"execution reached the end of a value-returning function", "No-return-value"),
    (r"passing zero to (?:ctz|clz|__builtin)", "Invalid-builtin-use"),
    (r"implicit conversion from", "Implicit-conversion"),
    (r"assumption of .{1,80} alignment", "Alignment-assumption"),
    (r"assumption is violated", "Assumption-violation"),
)

UBSAN: tuple[tuple[re.Pattern[str], str], ...] = tuple((re.compile(pattern), kind) for pattern, kind in _UBSAN_MESSAGES)
"""UndefinedBehaviorSanitizer's words after `runtime error: ` -> crash type; the first that fits."""

_GO: tuple[tuple[str, str], ...] = (
    (r"index out of range", "Index out of range"),
    (r"slice bounds out of range", "Slice bounds out of range"),
    (r"invalid memory address or nil pointer dereference", "Invalid memory address"),
    (r"integer divide by zero", "Integer divide by zero"),
    (r"makeslice: (?:len|cap) out of range", "Makeslice: len out of range"),
)

_SCUDO: tuple[tuple[str, str], ...] = (
    # Scudo's words (its report.cpp) -> crash type
    (r"(?:corrupted|race on) chunk header", "Heap-corruption"),
    (r"invalid chunk state when", "Heap-double-free"),
    (r"misaligned pointer when", "Invalid-free"),
    (r"allocation type mismatch when", "Alloc-dealloc-mismatch"),
    (r"invalid sized delete when", "New-delete-type-mismatch"),
    (
        r"(?:out of memory|internal map failure|maximum allocation size|requested allocation size|calloc overflow|RSS limit)",
        "Out-of-memory",
    ),
)

SIGNS: tuple[Sign, ...] = (
    # Faults with a form of their own
    _sign("Direct leak of ", r"Direct leak of \d+ byte", "Direct-leak", FAULT, "LeakSanitizer"),
    _sign("Indirect leak of ", r"Indirect leak of \d+ byte", "Indirect-leak", FAULT, "LeakSanitizer"),
    _sign("CFI: Most likely", r"CFI: Most likely a control flow integrity violation", "Bad-cast", FAULT, "ControlFlowIntegrity"),
    _sign("===BUG DETECTED", r"===BUG DETECTED: Arbitrary domain name resolution", "Arbitrary DNS resolution", FAULT, "SystemSan"),
    _sign("===BUG DETECTED", r"===BUG DETECTED: Arbitrary file open", "Arbitrary file open", FAULT, "SystemSan"),
    _sign("===BUG DETECTED", r"===BUG DETECTED: Shell injection", "Command injection", FAULT, "SystemSan"),
    _sign("===BUG DETECTED", r"===BUG DETECTED: Shell corruption", "Shell corruption", FAULT, "SystemSan"),
    _sign("===BUG DETECTED", r"===BUG DETECTED: PySecSan:", "PySecSan", FAULT, "PySecSan"),
    _sign("CANNOT LINK", r'CANNOT LINK EXECUTABLE[^\n]{0,400}? library "(?P<message>[^"]{1,200})" not found', "Missing-library", STATEMENT),
    _sign("*** stack smashing", r"\*\*\* stack smashing detected \*\*\*", "Stack-buffer-overflow", STATEMENT, "glibc"),
    _sign("free(): double free", r"free\(\): double free detected", "Heap-double-free", STATEMENT, "glibc"),
    _sign("double free or corr", r"double free or corruption", "Heap-double-free", STATEMENT, "glibc"),
    _sign("free(): invalid", r"free\(\): invalid (?:pointer|size)", "Invalid-free", STATEMENT, "glibc"),
    _sign("*** buffer overflow", r"\*\*\* buffer overflow detected \*\*\*", "Buffer-overflow", STATEMENT, "glibc"),
    # Allocators that check themselves
    _sign("corrupted size vs", r"corrupted size vs\. prev_size", "Heap-corruption", STATEMENT, "glibc"),
    _sign("corrupted top size", r"corrupted top size", "Heap-corruption", STATEMENT, "glibc"),
    _sign("corrupted double-li", r"corrupted double-linked list", "Heap-corruption", STATEMENT, "glibc"),
    _sign("corrupted unsorted", r"corrupted unsorted chunks", "Heap-corruption", STATEMENT, "glibc"),
    _sign("munmap_chunk(): ", r"munmap_chunk\(\): invalid pointer", "Invalid-free", STATEMENT, "glibc"),
    _sign("realloc(): invalid", r"realloc\(\): invalid (?:pointer|old size|next size)", "Invalid-free", STATEMENT, "glibc"),
    _sign("malloc(): ", r"malloc\(\): (?:memory corruption|invalid|mismatching|unaligned|smallbin|largebin|unsorted)", "Heap-corruption",
          STATEMENT, "glibc"),
    *(_sign("Scudo ERROR: ", rf"Scudo ERROR: {words}[^\n]{{0,120}}?(?:address (?P<address>0x[0-9a-f]{{1,16}})|$)", kind, STATEMENT, "Scudo")
      for words, kind in _SCUDO),
    _sign("Sanitizer CHECK", r'Sanitizer CHECK failed: [^\n]{1,500}?unable to mmap', "Out-of-memory", FAULT),
    _sign("Sanitizer: CHECK", r'Sanitizer: CHECK failed: [^\n]{1,500}?unable to mmap', "Out-of-memory", FAULT),
    _sign("Sanitizer CHECK", r"Sanitizer CHECK failed: \S{1,300}\s+(?P<message>[^\n]{1,400})", "Sanitizer CHECK failure", FAULT),
    _sign("Sanitizer: CHECK", r"Sanitizer: CHECK failed: \S{1,300}\s+(?P<message>[^\n]{1,400})", "Sanitizer CHECK failure", FAULT),
    _sign("Trusted App crash", r"Trusted App crash stacktrace", "Trusted app crash", FAULT, "Trusty"),
    _sign("error while loading", r"error while loading shared libraries: (?P<message>[^:\n]{1,200}): cannot open shared object",
          "Missing-library", STATEMENT),
    _sign("cannot locate symbol", r"cannot locate symbol [`'\"](?P<message>[^`'\"\n]{1,200})[`'\"]", "Missing-library", STATEMENT),
    _sign(": library ", r": library [`'\"](?P<message>[^`'\"\n]{1,200})[`'\"] not found", "Missing-library", STATEMENT),
    _sign("GPU process exited", r"GPU process exited unexpectedly", "GPU failure", STATEMENT, "Chromium"),
    _sign("(com.google.security.wycheproof.", r".{0,300}?\) (?P<message>[^\n]{0,200}\(com\.google\.security\.wycheproof\.\w{0,100}\))",
          "Wycheproof error", STATEMENT, "Wycheproof", whole=True),
    _sign("SHOULD NEVER BE REACHED", r"\s*SHOULD NEVER BE REACHED\s*$", "ASSERT_NOT_REACHED", STATEMENT, whole=True),
    # libFuzzer and other engines
    _sign("ERROR: libFuzzer: ", r"ERROR: libFuzzer: (?:load )?timeout", "Timeout", STATEMENT, "libFuzzer"),
    _sign("ERROR: libFuzzer: ", r"ERROR: libFuzzer: out-of-memory", "Out-of-memory", STATEMENT, "libFuzzer"),
    _sign("ERROR: libFuzzer: ", r"ERROR: libFuzzer: fuzz target overwrites its"
        r" const input", "Overwrites-const-input", STATEMENT, "libFuzzer"),
    _sign("ERROR: libFuzzer: ", r"ERROR: libFuzzer: fuzz target exited", "Unexpected-exit", END, "libFuzzer"),
    _sign("ERROR: libFuzzer: ", r"ERROR: libFuzzer: deadly signal", "Fatal-signal", END, "libFuzzer"),
    _sign("== Per-", r"== Per-(?:input|batch) timeout exceeded", "Timeout", STATEMENT, "Centipede"),
    _sign("== RSS limit", r"== RSS limit exceeded", "Out-of-memory", STATEMENT, "Centipede"),
    _sign("== Stack limit", r"== Stack limit exceeded", "Stack-overflow", STATEMENT, "Centipede"),
    # Memory limits
    _sign("Sanitizer: allocator", r"Sanitizer: allocator is out of memory", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: out-of-memory", r"Sanitizer: out-of-memory:", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: requested alloc", r"Sanitizer: requested allocation size", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: hard rss", r"Sanitizer: hard rss limit exhausted", "Out-of-memory", STATEMENT),
    _sign("memory allocation of ", r"memory allocation of \d+ bytes failed", "Out-of-memory", STATEMENT, "Rust"),
    _sign("Allocation failed - ", r"(?P<message>Allocation failed - [^\n]{0,40}heap out of memory)", "Out-of-memory", STATEMENT, "V8"),
    _sign("OOM in", r"OOM in ", "Out-of-memory", STATEMENT, "V8"),
    _sign("Fatal process o", r"Fatal process out of memory", "Out-of-memory", STATEMENT, "V8"),
    _sign("Fatal process O", r"Fatal process OOM", "Out-of-memory", STATEMENT, "V8"),
    _sign("Fatal JavaScript", r"Fatal JavaScript (?:out of memory|invalid size error)", "Out-of-memory", STATEMENT, "V8"),
    _sign("Out of memory. ", r"Out of memory\. (?:Dying\.|size=)", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: calloc", r"Sanitizer: calloc(?:-overflow| parameters overflow)", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: allocation-size", r"Sanitizer: allocation-size-too-big", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: out of memory", r"Sanitizer: out of memory", "Out-of-memory", STATEMENT),
    _sign("Sanitizer: rss-limit", r"Sanitizer: rss-limit-exceeded", "Out-of-memory", STATEMENT),
    _sign("rss limit exhausted", r"rss limit exhausted", "Out-of-memory", STATEMENT),
    _sign("Sanitizer failed to alloc", r"Sanitizer failed to allocate", "Out-of-memory", STATEMENT),
    # V8
    _sign("CSA_", r"(?P<message>CSA_(?:DCHECK|CHECK|ASSERT) failed: [^\n\[]{1,400}?)(?: \["
        r"(?P<source>[^\]]{1,200}?):\d+\][^\n]*)?$", "ASSERT", STATEMENT, "V8"),
    _sign("] V8 error: ", r"\] V8 error: (?P<message>[^\n]{1,400}?)\.?$", "V8 API error", STATEMENT, "V8"),
    # Chromium's and Google's checks
    _sign("NOTREACHED", rf"{_CHROME} NOTREACHED(?:\(\))?(?: hit)?\.? ?(?P<message>[^\n]{{0,400}})", "CHECK failure", STATEMENT, whole=True),
    _sign(
        "Security CHECK failed: ", rf"{_CHROME} Security CHECK failed: "
            rf"(?P<message>[^\n]{{1,400}})", "Security CHECK failure", STATEMENT, whole=True
    ),
    _sign(
        "Security DCHECK failed: ", rf"{_CHROME} Security DCHECK failed: "
            rf"(?P<message>[^\n]{{1,400}})", "Security DCHECK failure", STATEMENT, whole=True
    ),
    _sign("Check failed: ", rf"(?:{_CHROME}|{_GLOG})\s+Check failed: (?P<message>[^\n]{{1,1000}})", "CHECK failure", STATEMENT, whole=True),
    _sign("DCHECK failed: ", rf"(?:{_CHROME}|{_GLOG})\s+DCHECK failed: "
        rf"(?P<message>[^\n]{{1,1000}})", "CHECK failure", STATEMENT, whole=True),
    _sign("Abort message: ", rf"Abort message: '?{_CHROME} (?:Check failed: )?"
        rf"(?P<message>[^\n]{{1,1000}}?)'?$", "CHECK failure", STATEMENT),
    _sign("Abort message: ", r"Abort message: '?(?P<source>[^\s']{1,300}[\])]) (?P<message>[^\n]{1,1000}?)'?$", "CHECK failure", STATEMENT),
    _sign("Abort message: ", r"Abort message: '?(?P<message>[^\n]{1,1000}?)'?$", "CHECK failure", STATEMENT),
    # Assertions
    _sign("assertion failed at ", rf"{_GLOG}[^\n]{{0,200}}?assertion failed at \S{{1,300}} in [^\n:]{{0,200}}(?:::[^\n:]{{0,99}}){{0,9}}: "
        r"(?P<message>[^\n]{1,400})", "ASSERT", STATEMENT, whole=True),
    _sign("SSERTION FAILURE: ", r"SSERTION FAILURE: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT),
    _sign("ASSERT FAILURE: ", r"ASSERT FAILURE: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT),
    _sign('assertion "', r'assertion "(?P<message>[^\n]{1,400}?)" failed', "ASSERT", STATEMENT, "libc"),
    _sign(": Assertion ", r": Assertion [`'\"](?P<message>[^\n]{1,600}?)['\"] failed", "ASSERT", STATEMENT),
    _sign(": assertion failed (", r": assertion failed (?P<message>\([^\n]{1,400}?\))(?:: \(|$)", "ASSERT", STATEMENT, "GLib"),
    _sign(": code should not be reached", r": code should not be reached", "ASSERT_NOT_REACHED", STATEMENT, "GLib"),
    _sign('ASSERT: "', r'ASSERT: "(?P<message>[^\n]{1,400}?)" in file ', "ASSERT", STATEMENT, "Qt"),
    _sign("ASSERT failure in ", r'ASSERT failure in [^\n"]{1,300}: "(?P<message>[^\n]{1,400}?)", file ', "ASSERT", STATEMENT, "Qt"),
    _sign("Assertion failure: ", r"Assertion failure: (?P<message>[^\n]{1,400}?), at \S{1,300}:\d", "ASSERT", STATEMENT, "Mozilla"),
    _sign("Hit MOZ_CRASH(", r"Hit MOZ_CRASH\((?P<message>[^\n]{0,400}?)\) at \S{1,300}:\d", "ASSERT_NOT_REACHED", STATEMENT, "Mozilla"),
    _sign(": assertion failed: ", r": assertion failed: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT, "GLib"),
    _sign("Assertion failed: ", r"Assertion failed: \(?(?P<message>[^\n]{1,400}?)\)?, (?:function|file) \S+, "
        r"(?:file|line)", "ASSERT", STATEMENT),
    _sign("Assertion failed: ", r"Assertion failed: (?P<message>[^\n]{1,400}?) \([^()\n:]{1,300}: [^()\n:]{1,200}: \d{1,7}\)$",
          "ASSERT", STATEMENT, "libc"),
    _sign(": Assertion failed: ", r"\S{1,400}:\d{1,7}: Assertion failed: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT, whole=True),
    _sign("Assertion failed: ", r"Assertion failed: (?P<message>file [^\n]{1,400}, line \d+)", "ASSERT", STATEMENT, "Swift"),
    _sign(":assertion ", r":assertion [^\n]{1,200}? failed: (?P<message>[^\n]{1,200}?)(?:(?:Address|Memory|Thread"
        r"|UndefinedBehavior)Sanitizer|$)", "ASSERT", STATEMENT, "libc++"),
    _sign(": assertion ", r": assertion (?!')[^\n]{1,200}? failed: (?P<message>[^\n]{1,200}?)(?:(?:Address|Memory|Thread"
        r"|UndefinedBehavior)Sanitizer|$)", "ASSERT", STATEMENT, "libc++"),
    _sign(": assertion '", r": assertion '(?P<message>[^\n]{1,400}?)' failed", "ASSERT", STATEMENT, "GLib check"),
    _sign("assert failure: ", r"assert failure: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT),
    _sign("ASSERTION FAILED: ", r"ASSERTION FAILED: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT),
    _sign("ASSERT FAILED: ", r"ASSERT FAILED: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT),
    # Rust
    _sign("panicked at '", r"panicked at '(?P<message>[^'\n]{1,2000})", "ASSERT", STATEMENT, "Rust"),
    _sign("overflowed its stack", r"overflowed its stack", "Stack-overflow", STATEMENT, "Rust"),
    # Go
    *(_sign("runtime error: ", rf"runtime error: {words}", kind, STATEMENT, "Go") for words, kind in _GO),
    _sign("fatal error: stack", r"fatal error: stack overflow", "Stack overflow", STATEMENT, "Go"),
    _sign("fatal error: ", r"fatal error: (?P<message>[^\n]{1,400})", "Fatal error", STATEMENT, "Go", whole=True),
    _sign("panic: ", r"panic: (?P<message>[^\n]{1,400})", "ASSERT", STATEMENT, "Go", whole=True),
    # Java, Python, JavaScript
    _sign("== Java ", rf"{_JAZZER}[^\n]{{0,200}}?FuzzerSecurityIssue", "Security exception", STATEMENT, "Jazzer"),
    _sign("== Java ", rf"{_JAZZER}java\.lang\.OutOfMemoryError", "Out-of-memory", STATEMENT, "Jazzer"),
    _sign("== Java ", rf"{_JAZZER}java\.lang\.StackOverflowError", "Stack-overflow", STATEMENT, "Jazzer"),
    _sign("== Java ", _JAZZER, "Uncaught exception", STATEMENT, "Jazzer"),
    _sign("FATAL EXCEPTION", r"FATAL EXCEPTION", "Fatal Exception", STATEMENT, "Android"),
    _sign("Exception in thread", r'Exception in thread "[^"]{0,200}" java\.lang\.OutOfMemoryError', "Out-of-memory", STATEMENT, "Java",
          whole=True),
    _sign("Exception in thread", r'Exception in thread "[^"]{0,200}" java\.lang\.StackOverflowError', "Stack-overflow", STATEMENT, "Java",
          whole=True),
    _sign("Exception in thread", r'Exception in thread "[^"]{0,200}" ', "Uncaught exception", STATEMENT, "Java", whole=True),
    _sign("=== Uncaught Python", r"=== Uncaught Python exception: ===", "Uncaught exception", STATEMENT, "Python"),
    _sign("Fatal Python error: ", r"Fatal Python error: (?P<message>[^\n]{1,400})", "Fatal error", STATEMENT, "Python", whole=True),
    _sign("Traceback (most", r"Traceback \(most recent call last\):", "Uncaught exception", STATEMENT, "Python"),
    _sign("Fortran runtime", r"Fortran runtime error: (?:Index|Substring) [^\n]{1,200}bound", "Index-out-of-bounds", STATEMENT, "Fortran"),
    _sign("Fortran runtime", r"Fortran runtime error: (?P<message>[^\n]{1,400})", "Fatal error", STATEMENT, "Fortran"),
    _sign("== Uncaught Exception", r"== Uncaught Exception: (?:Jazzer\.js: )?", "Uncaught exception", STATEMENT, "Jazzer.js"),
    _sign("Uncaught ", r"Uncaught (?:[\w$.]{0,80}(?:Error|Exception)):? ", "Uncaught exception", STATEMENT, "JavaScript", whole=True),
)  # fmt: skip
"""Signs tried on each line that holds their key, in this order."""
