from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from store import checkpoints, jobs, leases, models
from store.database import Database, new_id
from store.errors import NotFound
from store.files import Files
from store.leases import Lease
from store.tables import Blob, Checkpoint, Job, Model
from store.tensors import pack, unpack
from tests.store.staging import REQUEST, claimed, count, row

dtypes = st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_])
any_array = dtypes.flatmap(lambda dtype: arrays(dtype, array_shapes(max_dims=3, min_side=0, max_side=4)))


@given(st.dictionaries(st.text("abc_.", min_size=1), any_array, max_size=4))
def test_arrays_unpack_as_they_were_packed(given: dict[str, Any]) -> None:
    packed = pack(given)
    found = unpack(packed)
    assert found.keys() == given.keys()
    for name, array in given.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
    assert pack(dict(reversed(given.items()))) == packed


def test_arrays_are_packed_in_any_layout() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert pack({"a": array.T}) == pack({"a": array.T.copy()})
    np.testing.assert_array_equal(unpack(pack({"a": array[:, ::2]}))["a"], array[:, ::2])


def make_model(database: Database, files: Files) -> tuple[Job, Lease, Model]:
    job, lease = claimed(database)
    with database.transaction() as session:
        leases.update_row(session, lease, parameters=7)
        checkpoint = checkpoints.save(session, files, lease, 2, b"weights of %d" % job.number, values={"train_loss": 0.5})
        made = {"id": new_id("mdl"), "fitted": {"rows": {}}, "dataset_sha256": "f" * 64, "parameters": 7}
        learned = {"epoch": checkpoint.epoch, "metrics": checkpoint.values, "digest": checkpoint.digest}
        model = models.create(session, session.get_one(Job, job.number), **made, **learned)
        leases.finish(session, lease, "succeeded", model_id=model.id)
        model = models.get(session, model.id, None)
    return job, lease, model


def test_a_model_says_what_it_was_made_of(database: Database, files: Files) -> None:
    job, _, model = make_model(database, files)
    with database.reading() as session:
        found = models.get(session, model.id, "ana")
        assert files.get(session, found.digest) == b"weights of %d" % job.number
    assert (found.owner, found.name, found.kind, found.job_id, found.dataset_id) == ("ana", "first", "mlp", job.id, "ds_1")
    assert (found.epoch, found.parameters, found.metrics, found.dataset_sha256) == (2, 7, {"train_loss": 0.5}, "f" * 64)
    assert found.request == REQUEST
    assert set(found.versions) >= {"python", "vidro", "numpy", "polars"}
    assert row(database, job).model_id == model.id


def test_models_are_their_owners(database: Database, files: Files) -> None:
    _, _, model = make_model(database, files)
    with database.reading() as session:
        assert models.get(session, model.id, None).id == model.id
        for wanted, owner in [(model.id, "rui"), ("mdl_none", "ana"), ("mdl_none", None)]:
            with pytest.raises(NotFound, match=wanted):
                models.get(session, wanted, owner)


@pytest.mark.parametrize("job_goes_first", [False, True])
def test_weights_go_when_neither_model_nor_checkpoint_has_them(database: Database, files: Files, job_goes_first: bool) -> None:
    job, _, model = make_model(database, files)
    other, _, _ = make_model(database, files)

    def delete_job() -> None:
        with database.transaction() as session:
            jobs.delete(session, files, job)

    def delete_model() -> None:
        with database.transaction() as session:
            models.delete(session, files, models.get(session, model.id, "ana"))

    first, second = (delete_job, delete_model) if job_goes_first else (delete_model, delete_job)
    first()
    assert count(database, Blob) == 2
    if not job_goes_first:
        assert row(database, job).model_id is None
    second()
    assert [count(database, table) for table in (Blob, Checkpoint, Model, Job)] == [1, 1, 1, 1]
    assert row(database, other).model_id is not None
