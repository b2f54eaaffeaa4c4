# SPDX-License-Identifier: Apache-2.0
"""Every report format brings written samples; each is recognized by its own format alone and read as its golden file says.

A golden is what `clearwell parse --json SAMPLE` prints, run in the sample's folder; one that ends in `.full.golden.jsonl` what `--full`
prints. After a wanted change: read the difference, then write it with `python tests/formats/test_every_format.py`.
"""

from pathlib import Path

import msgspec
import pytest

from clearwell.faces.cli.parse import rows
from clearwell.formats import report_formats
from clearwell.vocabulary.document import ReportFormat

SAMPLES = Path(__file__).parent / "samples"
GOLDEN = ".golden.jsonl"
FULL = ".full.golden.jsonl"


def samples_of(name: str) -> list[Path]:
    return sorted(path for path in (SAMPLES / name).glob("*") if not path.name.endswith(GOLDEN))


def printed(sample: Path, full: bool = False) -> str:
    lines = (msgspec.json.encode({**row, "file": sample.name}).decode() for row in rows(str(sample), None, full=full))
    return "".join(f"{line}\n" for line in lines)


ALL = [pytest.param(report, sample, id=f"{report.name}/{sample.name}") for report in report_formats() for sample in samples_of(report.name)]


@pytest.mark.parametrize("report", report_formats(), ids=lambda report: report.name)
def test_every_report_format_has_a_sample(report: ReportFormat) -> None:
    assert samples_of(report.name), f"write a sample into tests/formats/samples/{report.name}/"


@pytest.mark.parametrize(("report", "sample"), ALL)
def test_a_sample_is_recognized_by_its_own_format_and_by_no_other(report: ReportFormat, sample: Path) -> None:
    data = sample.read_bytes()

    claimed = [other.name for other in report_formats() if other.why_not(data, sample.name) is None]

    assert claimed == [report.name]


@pytest.mark.parametrize(("report", "sample"), ALL)
def test_a_sample_reads_as_its_golden_says(report: ReportFormat, sample: Path) -> None:
    golden = sample.with_name(sample.name + GOLDEN).read_text(encoding="utf-8")

    assert printed(sample) == golden


@pytest.mark.parametrize(("report", "sample"), [param for param in ALL if param.values[1].with_name(param.values[1].name + FULL).exists()])
def test_a_sample_reads_in_full_as_its_golden_says(report: ReportFormat, sample: Path) -> None:
    assert printed(sample, full=True) == sample.with_name(sample.name + FULL).read_text(encoding="utf-8")


def test_format_names_are_told_apart() -> None:
    names = [report.name for report in report_formats()]

    assert len(names) == len(set(names))


if __name__ == "__main__":
    for each in report_formats():
        for path in samples_of(each.name):
            path.with_name(path.name + GOLDEN).write_text(printed(path), encoding="utf-8")
            if path.with_name(path.name + FULL).exists():
                path.with_name(path.name + FULL).write_text(printed(path, full=True), encoding="utf-8")
