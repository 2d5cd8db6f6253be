"""The case of the project, and small cases made for one test."""

from pathlib import Path

import pandas as pd
import pytest
import yaml
from hypothesis import settings

from uncounted.evidence import schemas
from uncounted.evidence.clean import clean_case

PROJECT = Path(__file__).parents[2]

TABLE = "table.csv"

# The same examples each time, and no complaint about a machine that is busy.
settings.register_profile("project", deadline=None, derandomize=True, database=None)
settings.load_profile("project")


class SmallCase:
    """A case of one table, which a test writes as somebody might paste it."""

    def __init__(self, folder: Path):
        self.data = folder / "data"
        self.out = folder / "evidence"
        self.data.mkdir()
        self.config = {
            "war": {"from": "2022-02-24"},
            "refused_rows_allowed": 0,
            "headers": {},
            "kinds_of_service": {"rifle": "professional", "tank": "professional", "mob": "mobilised"},
            "sources": {},
        }

    def add(self, name: str, reads: str, content: str | bytes, table: str = TABLE, **entry) -> None:
        """Add a source with the content of its table."""
        content = content if isinstance(content, bytes) else content.encode()
        (self.data / table).write_bytes(content)
        self.config["sources"][name] = {"table": table, "reads": reads, **entry}

    def clean(self) -> None:
        """Clean the case."""
        clean_case(self.config, self.data, self.out)

    def evidence(self, name: str, schema: str | None = None) -> pd.DataFrame:
        """A table of the evidence."""
        return schemas.read(schema or name, self.out / f"{name}.parquet")

    def findings(self, name: str) -> pd.DataFrame:
        """`refused`, `questions` or `reconciliation`, every cell as text."""
        return pd.read_csv(self.out / f"{name}.csv", dtype=str, keep_default_na=False)


@pytest.fixture
def small_case(tmp_path) -> SmallCase:
    """A case without sources yet."""
    return SmallCase(tmp_path)


@pytest.fixture
def totals(small_case):
    """Clean a table of totals, pasted as text or bytes; only the first four columns need be given."""

    def clean_totals(content: str | bytes, **config) -> SmallCase:
        small_case.add("named_totals", "named_totals", content, used_until="2024-04-19")
        small_case.config |= config
        small_case.clean()
        return small_case

    return clean_totals


@pytest.fixture
def weeks(small_case):
    """Clean a table of deaths by week, published on 17 November 2023."""

    def clean_weeks(content: str | bytes, **config) -> SmallCase:
        small_case.add("named_by_week", "named_by_week", content, published="2023-11-17", used_until="2024-04-19")
        small_case.config |= config
        small_case.clean()
        return small_case

    return clean_weeks


@pytest.fixture(scope="session")
def russia() -> dict:
    """The config of the Russian case."""
    return yaml.safe_load((PROJECT / "config/cases/russia.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def cleaned(russia, tmp_path_factory) -> Path:
    """The evidence of the Russian case."""
    out = tmp_path_factory.mktemp("evidence")
    clean_case(russia, PROJECT / "data/russia", out)
    return out
