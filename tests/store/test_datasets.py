import io
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.spec import kind_of, members
from engine.tables.features import Column, ColumnSummary
from engine.tables.samples import Sample
from store import datasets, jobs
from store.database import Database
from store.errors import Conflict, ContentMissing, NotFound
from store.files import Files
from store.kinds import read
from store.profile import profile
from store.states import ACTIVE, DONE, STATES
from store.tables import Blob, Dataset
from tests.conftest import INLINE_BYTES
from tests.store.staging import REQUEST, count, make_job, put, put_in, together

TABLE = pl.DataFrame(
    {
        "n": [1.5, None, -2.0],
        "i": [3, 1, None],
        "b": [True, None, False],
        "c": ["y", "x", "y"],
        "g": ["é", None, "a"],
        "e": pl.Series([None, None, None], dtype=pl.String),
    }
)


def create(
    database: Database, files: Files, content: bytes | Path = b"the file", table: pl.DataFrame = TABLE, owner: str = "ana"
) -> Dataset:
    with database.transaction() as session:
        dataset = datasets.create(session, files, owner, "a name", {"kind": "upload"}, content, table)
        session.refresh(dataset)
        return dataset


def load(database: Database, files: Files, dataset: Dataset) -> pl.DataFrame:
    with database.reading() as session:
        return datasets.load(session, files, dataset)


def delete(database: Database, files: Files, dataset_id: str) -> None:
    with database.transaction() as session:
        datasets.delete(session, files, datasets.get(session, dataset_id, None))


def test_a_dataset_is_the_file_its_table_and_its_profile(database: Database, files: Files) -> None:
    dataset = create(database, files)
    with database.reading() as session:
        found = datasets.get(session, dataset.id, "ana")
        assert files.get(session, found.digest) == b"the file"
    assert (found.name, found.owner, found.source, found.size, found.rows) == ("a name", "ana", {"kind": "upload"}, 8, 3)
    assert found.columns == profile(TABLE)
    assert [warning["code"] for warning in found.warnings].count("MISSING_VALUES") == 5
    assert load(database, files, dataset).equals(TABLE)


def test_others_see_nothing(database: Database, files: Files) -> None:
    dataset = create(database, files)
    with database.reading() as session:
        for wanted, owner in [(dataset.id, "rui"), ("ds_none", "ana"), ("ds_none", None)]:
            with pytest.raises(NotFound, match=wanted):
                datasets.get(session, wanted, owner)
        assert datasets.get(session, dataset.id, None).id == dataset.id


@pytest.mark.parametrize("rows", [1, 40, 20_000])
def test_a_table_loads_from_wherever_it_lies(database: Database, files: Files, tmp_path: Path, rows: int) -> None:
    """In the database, in a file that is mapped into memory, or kept from the last time."""
    table = pl.DataFrame({"x": np.arange(rows) / 7, "w": [f"w{place % 3}" for place in range(rows)]})
    upload = tmp_path / "upload"
    upload.write_bytes(b"x" * rows)
    dataset = create(database, files, upload, table)
    assert load(database, files, dataset).equals(table)
    assert load(database, files, dataset).equals(table)
    with database.reading() as session:
        is_file = isinstance(files.locate(session, dataset.table_digest), Path)
    assert is_file == (rows > 1)


def test_small_tables_are_kept_within_a_bound(database: Database, tmp_path: Path) -> None:
    small, large = Files(tmp_path / "small", 10**6), Files(tmp_path / "large", 0)
    dataset = create(database, small)
    assert load(database, small, dataset) is load(database, small, dataset)
    kept = datasets._TABLES
    assert 0 < TABLE.estimated_size() <= kept.currsize <= kept.maxsize == datasets.CACHED_BYTES
    names = [column["name"] for column in dataset.columns]
    once, again = (datasets.columns(load(database, small, dataset), dataset, names) for _ in range(2))
    assert all(once[name] is again[name] and not once[name].values.flags.writeable for name in names)
    dataset.columns = [{**column, "kind": "text"} for column in dataset.columns]
    assert {column.kind for column in datasets.columns(TABLE, dataset, names).values()} == {"text"}
    mapped = create(database, large, table=TABLE.reverse())
    assert load(database, large, mapped) is not load(database, large, mapped)


def test_what_is_kept_of_a_mapped_table_does_not_change_with_its_file(database: Database, tmp_path: Path) -> None:
    large = Files(tmp_path / "large", 0)
    dataset = create(database, large, table=TABLE.head(2))
    names = [column["name"] for column in dataset.columns]
    kept = {
        name: column.values.copy() for name, column in datasets.columns(load(database, large, dataset), dataset, names).items()
    }
    path = large.path(dataset.table_digest)
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
    with database.transaction() as session:
        large.put(session, _arrow(TABLE.head(2)))
    again = datasets.columns(load(database, large, dataset), dataset, names)
    for name in names:
        np.testing.assert_array_equal(again[name].values, kept[name])


def _arrow(table: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_ipc(buffer)
    return buffer.getvalue()


def test_columns_are_numbers_or_codes_into_sorted_categories(database: Database, files: Files) -> None:
    dataset = create(database, files)
    found = datasets.columns(load(database, files, dataset), dataset, ["c", "g", "n", "i", "b", "e"])
    assert list(found) == ["c", "g", "n", "i", "b", "e"]
    assert_column(found["c"], "categorical", [1, 0, 1], ("x", "y"))
    assert_column(found["g"], "categorical", [1, -1, 0], ("a", "é"))
    assert_column(found["n"], "numeric", [1.5, np.nan, -2])
    assert_column(found["i"], "integer", [3, 1, np.nan])
    assert_column(found["b"], "boolean", [1, np.nan, 0])
    assert_column(found["e"], "numeric", [np.nan] * 3)


def assert_column(column: Column, kind: str, values: list[Any], categories: tuple[str, ...] = ()) -> None:
    assert (column.kind, column.categories) == (kind, categories)
    assert categories == () or column.values.dtype == np.int32
    assert column.values.flags.c_contiguous
    np.testing.assert_array_equal(column.values, values)
    np.testing.assert_array_equal(column.missing, [value == -1 or value != value for value in values])


@given(st.lists(st.none() | st.text(max_size=3), min_size=1, max_size=30))
def test_codes_stand_for_their_words(words: list[str | None]) -> None:
    column = read(pl.Series("w", words, dtype=pl.String), "categorical")
    assert list(column.categories) == sorted({word for word in words if word is not None})
    assert [None if code < 0 else column.categories[code] for code in column.values] == words


def test_thousands_of_categories_have_codes(database: Database, files: Files) -> None:
    words = [f"w{place:05}" for place in range(70_000)]
    column = read(pl.Series("w", [*reversed(words), None]), "text")
    assert column.categories == tuple(words)
    np.testing.assert_array_equal(column.values, [*range(69_999, -1, -1), -1])


def test_summaries_are_what_the_checks_read(database: Database, files: Files) -> None:
    found = datasets.summaries(create(database, files))
    assert found == {
        "n": ColumnSummary("n", "numeric", 1, 2, 1, -2.0, 1.5),
        "i": ColumnSummary("i", "integer", 1, 2, 2, 1, 3),
        "b": ColumnSummary("b", "boolean", 1, 2, 1),
        "c": ColumnSummary("c", "categorical", 0, 2, None),
        "g": ColumnSummary("g", "categorical", 1, 2, 1),
        "e": ColumnSummary("e", "numeric", 3, 0, 0),
    }


@pytest.mark.parametrize("state", STATES)
def test_while_a_job_reads_it_a_dataset_stays(database: Database, files: Files, state: str) -> None:
    dataset = create(database, files)
    job = make_job(database)
    put(database, job, dataset_id=dataset.id)
    put_in(database, job, state)
    if state in DONE:
        delete(database, files, dataset.id)
        assert count(database, Dataset) == 0
    else:
        with pytest.raises(Conflict, match=job.id):
            delete(database, files, dataset.id)
        assert load(database, files, dataset).equals(TABLE)


def test_active_states_are_all_but_the_last() -> None:
    assert set(ACTIVE) == set(STATES) - set(DONE)


@pytest.mark.parametrize("content", [b"small", b"large" * INLINE_BYTES])
def test_deleted_its_content_goes_unless_another_has_it(database: Database, files: Files, content: bytes) -> None:
    first, second = create(database, files, content), create(database, files, content, owner="rui")
    assert count(database, Blob) == 2
    delete(database, files, first.id)
    assert load(database, files, second).equals(TABLE)
    with database.reading() as session:
        assert files.get(session, second.digest) == content
    delete(database, files, second.id)
    assert count(database, Blob) == 0
    with pytest.raises(ContentMissing), database.reading() as session:
        files.locate(session, second.table_digest)
    with pytest.raises(NotFound), database.reading() as session:
        datasets.get(session, first.id, None)


def test_a_dataset_that_a_job_is_made_for_cannot_go_meanwhile(database: Database, files: Files) -> None:
    """A route locks the dataset, then makes the job; a delete that comes between waits, and then finds the job."""
    dataset = create(database, files)

    def race(place: int) -> str:
        if place:
            delete(database, files, dataset.id)
            return "deleted"
        with database.transaction() as session:
            found = datasets.get(session, dataset.id, "ana", lock=True)
            jobs.create(session, "ana", {**REQUEST, "dataset_id": found.id})
        return "made"

    outcomes = sorted(str(type(found).__name__) if isinstance(found, Exception) else found for found in together(2, race))
    assert outcomes in (["Conflict", "made"], ["NotFound", "deleted"])


@pytest.mark.parametrize("cls", list(members(Sample)), ids=kind_of)
def test_every_sample_is_a_dataset(sqlite_database: Database, files: Files, cls: Any) -> None:
    columns = cls().columns()
    table = datasets.sample_table(cls())
    assert table.columns == list(columns)
    dataset = create(sqlite_database, files, b"", table)
    assert dataset.rows == len(next(iter(columns.values())))
    assert all(column["missing"] == 0 and column["kind"] != "text" for column in dataset.columns)
    found = datasets.columns(load(sqlite_database, files, dataset), dataset, table.columns)
    for name, column in found.items():
        cells = [column.categories[code] for code in column.values] if column.categories else column.values
        np.testing.assert_array_equal(cells, columns[name])


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.text(max_size=4), min_size=1, max_size=3, unique=True),
    st.lists(st.none() | st.floats(), min_size=1, max_size=5),
)
def test_any_table_is_stored_as_it_is(
    sqlite_database: Database, files: Files, names: list[str], cells: list[float | None]
) -> None:
    table = pl.DataFrame({name: pl.Series(cells, dtype=pl.Float64) for name in names})
    assert load(sqlite_database, files, create(sqlite_database, files, table=table)).equals(table)
