# SPDX-License-Identifier: Apache-2.0
"""The shared data folder, for tests that compare our tables with public ones; they are skipped, saying so, where it is absent."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

FOLDER = Path(os.environ.get("CLEARWELL_SHARED", Path(__file__).parents[4] / "shared")) / "data"


@pytest.fixture
def shared() -> Callable[[str], Any]:
    """Return a reader of one JSON file of the shared data folder."""

    def read(name: str) -> Any:
        if not (FOLDER / name).is_file():
            pytest.skip(f"no shared data: set CLEARWELL_SHARED to the folder that holds data/{name}")
        return json.loads((FOLDER / name).read_text(encoding="utf-8"))

    return read
