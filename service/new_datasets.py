"""New datasets, of files or of a sample: made once for an Idempotency-Key, and answered in the same way whoever asks."""

from fastapi.responses import JSONResponse

from service.dependencies import once
from service.resources import dataset_resource
from service.uploads import FileUpload, SampleRequest
from store import datasets
from store.connections import Store
from store.ingestion import READERS
from store.keys import Caller
from store.mending import mend


def from_sample(store: Store, caller: Caller, request: SampleRequest, key: str | None) -> JSONResponse:
    """Make the sample, and store it as a dataset."""
    source = request.model_dump(mode="json")["sample"]
    with once(store, caller, key, "/v1/datasets", request.model_dump(mode="json")) as answer:
        if answer.answer is None:
            table = datasets.sample_table(request.sample)
            content = table.write_csv().encode()
            name = request.name or request.sample.kind
            with store.database.transaction() as session:
                made = {"kind": "sample", "sample": source}
                dataset = datasets.create(session, store.files, caller.owner, name, made, content, table)
                session.refresh(dataset, ["created_at"])  # what the database has set
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
    return answer.response


def from_files(store: Store, caller: Caller, upload: FileUpload, key: str | None) -> JSONResponse:
    """Read the files in a process of their own, and store them as one dataset."""
    with once(store, caller, key, "/v1/datasets", upload.fingerprint()) as answer:
        if answer.answer is None:
            files = [(file.path, name) for name, file in upload.files]
            found = READERS.read(store.settings, files, upload.format, upload.options, upload.folder)
            source = {"kind": "upload", "filename": upload.filename, **found.source, "given": upload.given}
            content = upload.original()
            with store.database.transaction() as session:
                name = upload.name or upload.filename
                dataset = datasets.create_ingested(session, store.files, caller.owner, name, source, content, found)
                session.refresh(dataset, ["created_at"])  # what the database has set
                answer.give(session, 201, f"/v1/datasets/{dataset.id}", dataset_resource(dataset).document())
            mend(store.settings, store.database, store.files, dataset.digest, upload.folder)
    return answer.response
