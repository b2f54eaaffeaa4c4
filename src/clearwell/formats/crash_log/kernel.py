# SPDX-License-Identifier: Apache-2.0
"""ARM's fault status words, as an oops prints them: what the access was and why it failed."""

_ARM32 = {
    0x1: "Alignment Fault", 0x4: "Instruction Cache Maintenance Fault", 0x3: "Access Flag Fault, Section", 0x6: "Access Flag Fault, Page",
    0x5: "Translation Fault, Section", 0x7: "Translation Fault, Page", 0x9: "Domain Fault, Section", 0xB: "Domain Fault, Page",
    0xD: "Permission Fault, Section", 0xF: "Permission Fault, Page", 0x8: "Precise External Abort", 0x16: "Imprecise External Abort",
}  # fmt: skip
"""Short-descriptor fault status (ARM ARM, DDI 0406, table B3-23) -> words."""
_ARM64 = {
    0b0001: "Translation Fault, Level",
    0b0010: "Access Flag Fault, Level",
    0b0011: "Permission Fault, Level",
    0b0000: "Address Size Fault, Level",
}
"""Data fault status, bits 5:2 (ARM ARM, DDI 0487, ESR_ELx.ISS) -> words; bits 1:0 are the level."""


def fault_text(code: str) -> str:
    """Return `READ Translation Fault, Section (5)` for an oops's hexadecimal code, 32-bit FSR or 64-bit ESR."""
    value = int(code, 16)
    if len(code) >= 7:
        status = value & 0x3F
        access = "WRITE" if value & 0x40 else "READ"
        words = _ARM64.get(status >> 2)
        named = f"{words} {status & 3}" if words is not None else "Fault"
        return f"{access} {named} ({status})"
    status = (value & 0xF) | ((value >> 6) & 0x10)
    access = "WRITE" if value & 0x800 else "READ"
    return f"{access} {_ARM32.get(status, 'Fault')} ({status})"
