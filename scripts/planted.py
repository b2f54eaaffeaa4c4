# SPDX-License-Identifier: Apache-2.0
"""Pack examples/planted/library as the archive that the planted proofs run against: the same bytes every time."""

import io
import sys
import tarfile
from pathlib import Path

PLANTED = Path(__file__).resolve().parent.parent / "examples" / "planted"
ARCHIVE = PLANTED / "harnesses" / "pail" / "pail-1.0.tar"


def pack(library: Path) -> bytes:
    """Return a tar of every file of the library beneath one folder, as a release has it."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted(p for p in library.rglob("*") if p.is_file()):
            content = path.read_bytes()
            entry = tarfile.TarInfo(f"pail-1.0/{path.relative_to(library).as_posix()}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


if __name__ == "__main__":
    ARCHIVE.write_bytes(pack(PLANTED / "library"))
    sys.stdout.write(f"{ARCHIVE}\n")
