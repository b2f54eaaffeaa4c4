# SPDX-License-Identifier: Apache-2.0
"""Downloads the address on stdin into /box/root/downloads and prints where it landed."""

import sys
from pathlib import Path

from setuptools.package_index import PackageIndex

downloads = Path("/box/root/downloads")
downloads.mkdir(exist_ok=True)
print(PackageIndex()._download_url(sys.stdin.read().strip(), str(downloads)))
