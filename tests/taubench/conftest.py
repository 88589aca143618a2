"""τ-bench retail's own files where they are beside this checkout (else those tests are skipped), and a small shop."""

from __future__ import annotations

from pathlib import Path

import pytest

from taubench.files import SPLITS
from taubench.records import Base
from taubench.tasks import read_base, read_tasks
from tests.taubench.small_shop import imported_shop

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


@pytest.fixture
def real(files: Path, tmp_path: Path) -> Path:
    """A data folder that holds τ-bench's own."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "tau-retail").symlink_to(files)
    return tmp_path / "real"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data folder that holds the small shop."""
    return imported_shop(tmp_path / "data")
