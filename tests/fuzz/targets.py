# SPDX-License-Identifier: Apache-2.0
"""Fuzz targets: one for each report format, one for the choice among them, one for archives. Bytes in, an answer or a refusal out.

`python tests/fuzz/run.py sarif tests/formats/samples/sarif -max_total_time=600` runs one under atheris. Whatever is not our own
refusal is a finding.
"""

import contextlib
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from clearwell.formats import read, report_formats
from clearwell.proving.unpack import members
from clearwell.vocabulary.document import ReportFormat
from clearwell.vocabulary.errors import ClearwellError

Target = Callable[[bytes], None]
KINDS = (".whl", ".tar.gz")
"""Zip, and tar in whatever compression its first bytes tell."""


def read_any(data: bytes) -> None:
    """The whole way: recognize and read."""
    with contextlib.suppress(ClearwellError):
        read(data, "input")


def read_as(report: ReportFormat, data: bytes) -> None:
    """One format's own reader, whether or not it recognizes the bytes."""
    with contextlib.suppress(ClearwellError):
        report.read(data, "input", None)


def unpack_any(data: bytes) -> None:
    """Archives, by their content's own kind."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "archive"
        place.write_bytes(data)
        for kind in KINDS:
            with contextlib.suppress(ClearwellError):
                for _ in members(place, kind):
                    pass


def targets() -> dict[str, Target]:
    """Every target by its name."""
    formats: dict[str, Target] = {report.name: partial(read_as, report) for report in report_formats()}
    return {"any": read_any, "archive": unpack_any, **formats}
