"""τ-bench retail's own files where they are beside this checkout; else those tests are skipped."""

from __future__ import annotations

from pathlib import Path

import pytest

from taubench.records import Base
from taubench.tasks import SPLITS, read_base, read_tasks

FILES = Path(__file__).resolve().parents[2] / "../shared/data/tau_retail"


@pytest.fixture(scope="session")
def files() -> Path:
    if not FILES.is_dir():
        pytest.skip("τ-bench retail's files are not beside this checkout")
    return FILES


@pytest.fixture(scope="session")
def base(files: Path) -> Base:
    return read_base(files)


@pytest.fixture(scope="session")
def tasks(files: Path) -> dict[str, list[dict]]:
    return {split: read_tasks(files, split) for split in SPLITS}
