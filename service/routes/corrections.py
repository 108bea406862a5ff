"""How a dataset was read, corrected, and looked at before it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from engine.tables.features import pointer
from service.dependencies import Reader, StoreOf, Writer
from service.language import spoken
from service.remedies import advised
from service.resources import dataset_resource
from service.responses import problems
from service.routing import Route, works_on
from service.rows import numbers_a_row, rows_page
from service.schemas.datasets import ColumnResource, DatasetCorrection, DatasetPreview, DatasetResource, ReadingCorrection
from service.uploads import folder_of
from service.work import refuse_too_much
from store import datasets
from store.corrections import Corrected, Wanted, correct, prepare
from store.errors import StoreError

router = APIRouter(prefix="/v1", tags=["datasets"], route_class=Route)
CORRECTION: dict[str, Any] = {
    "kinds": {"summary": "A code that is no quantity", "value": {"columns": [{"name": "zip", "kind": "categorical"}]}},
    "read": {"summary": "Read the file anew", "value": {"read": {"decimal": ",", "missing": "-,-999"}}},
    "name": {"summary": "Another name", "value": {"name": "flowers"}},
}
PREVIEW: dict[str, Any] = {name: CORRECTION[name] for name in ("read", "kinds")}


@router.patch("/datasets/{dataset_id}", responses=problems(404, 409, 413))
@works_on("files")
def correct_dataset(
    store: StoreOf,
    caller: Writer,
    dataset_id: str,
    correction: Annotated[DatasetCorrection, Body(openapi_examples=CORRECTION)],
) -> DatasetResource:
    """Correct the kinds of columns, how the file is read, or the dataset's name. A column that is corrected to words takes
    the file's own text; with `read`, which has the names of the upload's form fields and changes those given there, all of
    the file is read anew. Statistics and warnings are made anew; a kind that a cell does not fit is refused with its row.
    Refused, too, while a job reads the dataset; jobs and models that are done keep what they were trained with and on.
    """
    wanted, found = correction.wanted(), None
    with folder_of(store) as folder, _within_read(correction.read):
        with store.database.reading() as session:
            before = datasets.get(session, dataset_id, caller.sees)
            if wanted != Wanted([]):
                make = prepare(session, store.settings, store.files, before, wanted, Path(folder))
        if wanted != Wanted([]):
            found = make()  # all of it before the database's one writer is held up
        with store.database.transaction() as session:
            dataset = datasets.get(session, dataset_id, caller.sees)
            if found is not None:
                correct(session, store.files, dataset, before, found)
            if correction.name is not None:
                dataset.name = correction.name
            session.flush()
            return dataset_resource(dataset)


@router.post("/datasets/{dataset_id}/preview", responses=problems(404, 413))
@works_on("files")
def preview_correction(
    store: StoreOf,
    caller: Reader,
    dataset_id: str,
    correction: Annotated[ReadingCorrection, Body(openapi_examples=PREVIEW)],
    limit: Annotated[int, Query(ge=1, le=1000, description="rows to show")] = 20,
) -> DatasetPreview:
    """A preview of a correction, with the dataset's first rows: all of the file is read so, and nothing is stored. An
    empty body shows the dataset as it is.
    """
    wanted = correction.wanted()
    with folder_of(store) as folder, _within_read(correction.read):
        with store.database.reading() as session:
            dataset = datasets.get(session, dataset_id, caller.sees)
            table = datasets.load(session, store.files, dataset) if correction.read is None else None
            make = None
            if wanted != Wanted([]):
                make = prepare(session, store.settings, store.files, dataset, wanted, Path(folder))
        found = dataset if make is None else make()
        content = found.table if isinstance(found, Corrected) else None
        if content is not None:
            table = datasets.opened(content.path)
        assert table is not None
        first = table.head(limit)
        cells = {"numbers": first.height * numbers_a_row(first)}
        refuse_too_much(store.settings.max_work, "/query/limit", "ask for fewer rows", cells)
        return DatasetPreview(
            source=found.source,
            rows=found.rows,
            column_count=len(found.columns),
            columns=[ColumnResource(**column) for column in found.columns],
            warnings=spoken(advised(found.warnings)),
            preview=rows_page(first, 0, table.height),
        )


@contextmanager
def _within_read(read: dict[str, Any] | None) -> Iterator[None]:
    """Have what is wrong with a field of `read` point at it, as where the same is said of an upload's form."""
    try:
        yield
    except ValidationError as error:
        errors = [{**entry, "loc": ("body", "read", *entry["loc"])} for entry in error.errors(include_url=False)]
        raise RequestValidationError(errors, body={"read": read}) from None
    except StoreError as error:
        fields = [pointer(name) for name in read or ()]
        error.errors = [(f"/read{at}" if at in fields else at, detail) for at, detail in error.errors]
        raise
