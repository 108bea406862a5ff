"""Uploads that can be resumed: begun, broken off, gone on with, over a restart; and what is wrong, in the draft's terms."""

import os
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from cli.demo import IRIS
from store import resumable
from store.errors import Conflict, NotFound, UploadComplete
from tests.service.conftest import Stage

DATA = IRIS.read_bytes()
HALF = len(DATA) // 2
PARTIAL = {"Content-Type": "application/partial-upload"}
PROBLEMS = "https://iana.org/assignments/http-problem-types#"


def begin(stage: Stage, data: bytes = DATA[:HALF], **headers: str) -> str:
    response = stage.client.post(
        "/v1/uploads", params={"filename": "iris.csv"}, content=data, headers={"Upload-Complete": "?0", **headers}
    )
    assert response.status_code == 201, response.text
    assert response.headers["upload-offset"] == str(len(data))
    assert response.headers["upload-complete"] == "?0"
    return response.headers["location"]


def append(stage: Stage, where: str, offset: int, data: bytes, complete: bool = True, **headers: str) -> Any:
    state = {"Upload-Offset": str(offset), "Upload-Complete": "?1" if complete else "?0"}
    return stage.client.patch(where, content=data, headers={**PARTIAL, **state, **headers})


def left(stage: Stage) -> list[str]:
    """Files that lie in the data folder."""
    return [path.name for path in stage.place.settings.files.rglob("*") if path.is_file()]


def test_an_upload_in_pieces_is_the_dataset_of_the_whole(stage: Stage) -> None:
    where = begin(stage, b"", **{"Upload-Length": str(len(DATA))})
    for start in range(0, len(DATA), 1000):
        piece = DATA[start : start + 1000]
        response = append(stage, where, start, piece, complete=start + 1000 >= len(DATA))
    assert response.status_code == 201
    dataset = response.json()
    assert response.headers["location"] == f"/v1/datasets/{dataset['id']}"
    assert dataset == stage.client.get(f"/v1/datasets/{dataset['id']}").json()
    whole = stage.csv(DATA, "iris.csv").json()
    same = ("name", "sha256", "bytes", "rows", "columns", "source", "warnings")
    assert {name: dataset[name] for name in same} == {name: whole[name] for name in same}
    head = stage.client.head(where)
    assert (head.headers["upload-complete"], head.headers["upload-offset"]) == ("?1", str(len(DATA)))
    assert head.headers["content-location"] == f"/v1/datasets/{dataset['id']}"
    assert stage.client.delete(where).status_code == 204
    assert stage.client.get(f"/v1/datasets/{dataset['id']}/content").content == DATA


def test_an_upload_outlives_the_server(make_stage: Callable[..., Stage]) -> None:
    where = begin(make_stage())
    again = make_stage()
    head = again.client.head(where)
    assert head.status_code == 204
    assert head.headers["cache-control"] == "no-store"
    assert (head.headers["upload-complete"], head.headers["upload-offset"]) == ("?0", str(HALF))
    response = append(again, where, HALF, DATA[HALF:])
    assert response.json()["rows"] == 150


def test_a_whole_file_at_once(stage: Stage) -> None:
    response = stage.client.post("/v1/uploads", params={"filename": "iris.csv", "name": "flowers"}, content=DATA)
    assert response.status_code == 201
    assert (response.json()["name"], response.json()["rows"]) == ("flowers", 150)


def test_bytes_that_begin_elsewhere_are_refused(stage: Stage) -> None:
    where = begin(stage)
    for offset in (0, HALF - 1, HALF + 1):
        response = append(stage, where, offset, DATA[HALF:])
        problem = response.json()
        assert response.status_code == 409
        assert problem["type"] == f"{PROBLEMS}mismatching-upload-offset"
        assert response.headers["upload-offset"] == str(HALF)
        assert (problem["expected-offset"], problem["provided-offset"]) == (HALF, offset)
    assert append(stage, where, HALF, DATA[HALF:]).status_code == 201


def test_what_is_complete_takes_no_more(stage: Stage) -> None:
    where = begin(stage)
    append(stage, where, HALF, DATA[HALF:])
    for data, kind in ((b"more", "inconsistent-upload-length"), (b"", "completed-upload")):
        response = append(stage, where, len(DATA), data)
        assert response.status_code == 400
        assert response.json()["type"] == f"{PROBLEMS}{kind}"


@pytest.mark.parametrize(
    ("length", "data", "headers"),
    [(HALF + 10, DATA[HALF:], {}), (len(DATA) + 1, DATA[HALF:], {}), (len(DATA), b"", {"Upload-Length": "7"})],
    ids=["more than named", "less than named", "another length"],
)
def test_a_length_that_is_not_kept_is_refused(stage: Stage, length: int, data: bytes, headers: dict[str, str]) -> None:
    where = begin(stage, **{"Upload-Length": str(length)})
    response = append(stage, where, HALF, data, **headers)
    assert response.status_code == 400
    assert response.json()["type"] == f"{PROBLEMS}inconsistent-upload-length"


def test_what_comes_in_one_request_is_as_long_as_its_content(stage: Stage) -> None:
    """A request that completes the upload says by its Content-Length how long that is."""
    where = begin(stage)
    assert append(stage, where, 0, DATA[HALF:]).status_code == 409
    assert "upload-length" not in stage.client.head(where).headers
    headers = {"Upload-Complete": "?1", "Upload-Length": str(len(DATA) + 1)}
    response = stage.client.post("/v1/uploads", content=DATA, headers=headers)
    assert response.json()["type"] == f"{PROBLEMS}inconsistent-upload-length"
    assert sorted(left(stage)) == ["about.json", "content", "turn"]  # of the first


def test_more_than_was_said_ends_the_upload(stage: Stage) -> None:
    where = begin(stage, **{"Upload-Length": str(HALF + 10)})
    response = append(stage, where, HALF, DATA[HALF:], complete=False)
    assert response.json()["type"] == f"{PROBLEMS}inconsistent-upload-length"
    assert stage.client.head(where).status_code == 404


def test_a_request_that_hangs_adds_nothing_once_another_asked(stage: Stage) -> None:
    """An offset that HEAD told is where the next bytes go, whatever of an earlier request is still under way."""
    where = begin(stage)
    hanging = resumable.get(stage.place.settings.files, where.rpartition("/")[2], None).take()
    assert hanging.append(HALF, DATA[HALF : HALF + 7], len(DATA)) == HALF + 7
    assert stage.client.head(where).headers["upload-offset"] == str(HALF + 7)
    with pytest.raises(Conflict, match="a later request"):
        hanging.append(HALF + 7, DATA[HALF + 7 :], len(DATA))
    assert append(stage, where, HALF + 7, DATA[HALF + 7 :]).json()["rows"] == 150
    other = resumable.get(stage.place.settings.files, begin(stage).rpartition("/")[2], None).take()
    other.remove()
    with pytest.raises(NotFound):
        other.append(HALF, b"x", len(DATA))


def test_what_is_being_read_makes_no_second_dataset(stage: Stage) -> None:
    """All has come, the connection broke while it was read, and the client, told the offset, says again that it is whole."""
    where = begin(stage, DATA)
    reading = resumable.get(stage.place.settings.files, where.rpartition("/")[2], None).take()
    with reading.finishing():
        assert stage.client.head(where).headers["upload-offset"] == str(len(DATA))
        refused = append(stage, where, len(DATA), b"")
        assert (refused.status_code, refused.json()["code"]) == (409, "CONFLICT")
        assert "is being read" in refused.json()["detail"]
    first = append(stage, where, len(DATA), b"")
    assert first.status_code == 201
    with pytest.raises(UploadComplete, match=first.json()["id"]), reading.finishing():
        pass
    assert len(stage.client.get("/v1/datasets").json()["items"]) == 1


def test_limits_can_be_asked_for(make_stage: Callable[..., Stage]) -> None:
    response = make_stage(max_upload_bytes=10**6, upload_seconds=60).client.options("/v1/uploads")
    assert response.status_code == 204
    assert response.headers["accept-patch"] == "application/partial-upload"
    assert response.headers["upload-limit"] == "max-size=1000000, max-age=60"


def test_an_append_says_whether_it_completes(stage: Stage) -> None:
    where = begin(stage)
    response = stage.client.patch(where, content=DATA[HALF:], headers={**PARTIAL, "Upload-Offset": str(HALF)})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == ["/header/Upload-Complete"]


def test_given_up_it_is_gone(stage: Stage) -> None:
    where = begin(stage)
    assert stage.client.delete(where).status_code == 204
    assert stage.client.head(where).status_code == 404
    assert append(stage, where, HALF, DATA[HALF:]).status_code == 404
    assert left(stage) == []


def test_a_file_that_cannot_be_read_goes_with_its_upload(stage: Stage) -> None:
    where = begin(stage, b"a,b\n1,2\n")
    response = append(stage, where, 8, b"3\n")
    assert response.status_code == 422
    assert "line 3 has 1 cells" in response.json()["detail"]
    assert response.headers["upload-complete"] == "?1"  # all of it came: no resuming helps
    assert stage.client.head(where).status_code == 404
    assert left(stage) == []


def test_over_the_limit_it_is_refused_as_it_comes(make_stage: Callable[..., Stage]) -> None:
    stage = make_stage(max_upload_bytes=len(DATA) - 1)
    where = begin(stage)
    response = append(stage, where, HALF, DATA[HALF:])
    assert response.status_code == 413
    assert response.headers["upload-limit"].startswith(f"max-size={len(DATA) - 1},")
    for headers in ({"Upload-Length": str(len(DATA))}, {}):
        response = stage.client.post("/v1/uploads", content=DATA, headers=headers)
        assert response.status_code == 413
        assert "VIDRO_MAX_UPLOAD_BYTES" in response.json()["detail"]
        assert response.headers["upload-limit"].startswith(f"max-size={len(DATA) - 1},")
    stage.client.delete(where)
    assert left(stage) == []


@pytest.mark.parametrize(
    ("parameters", "pointer"),
    [({"color": "1"}, "/query/color"), ({"header": "perhaps"}, "/header"), ({"encoding": "klingon"}, "/encoding")],
)
def test_wrong_options_are_told_at_once(stage: Stage, parameters: dict[str, str], pointer: str) -> None:
    response = stage.client.post("/v1/uploads", params=parameters, content=DATA, headers={"Upload-Complete": "?0"})
    assert response.status_code == 422
    assert [error["pointer"] for error in response.json()["errors"]] == [pointer]
    assert left(stage) == []


STRANGE = [
    "upl_x",
    "upl_..",
    "..%2F..",
    "upl_%00",
    "%00",
    "0" * 245,
    "0" * 300,
    "%C3%A9" * 130,
    "%ED%A0%80",
    "%0A",
    "%F0%9F%A6%8A",
]


def test_no_other_path_is_an_upload(stage: Stage) -> None:
    for wrong in STRANGE:
        headers = {"Content-Type": "application/partial-upload", "Upload-Offset": "0", "Upload-Complete": "?1"}
        for method in ("HEAD", "PATCH", "DELETE"):
            answer = stage.client.request(method, f"/v1/uploads/{wrong}", headers=headers)
            assert answer.status_code == 404, f"{method} {wrong}"


def test_no_strange_id_breaks_anything(stage: Stage) -> None:
    """Whatever stands in the place of an id: it is not there, or it is no id."""
    for path, operations in stage.client.get("/openapi.json").json()["paths"].items():
        if "_id}" in path:
            for wrong in ("%00", "0" * 245, "..%2F..", "%ED%A0%80"):
                answers = [stage.client.request(method.upper(), re.sub(r"{\w+}", wrong, path)) for method in operations]
                assert {answer.status_code for answer in answers} <= {404, 405, 415, 422}, f"{path} {wrong}"


def test_the_media_type_says_that_it_is_a_part(stage: Stage) -> None:
    where = begin(stage)
    response = append(stage, where, HALF, DATA[HALF:], **{"Content-Type": "text/csv"})
    assert response.status_code == 415
    assert "application/partial-upload" in response.json()["detail"]
    assert response.headers["accept-patch"] == "application/partial-upload"


def test_what_nobody_goes_on_with_expires(stage: Stage) -> None:
    old, young = begin(stage), begin(stage)
    folder = next(path for path in stage.place.settings.files.glob(".resumable-*") if path.name.endswith(old[-36:]))
    long_ago = time.time() - 1000
    for path in [*folder.iterdir(), folder]:
        os.utime(path, (long_ago, long_ago))
    with stage.place.database.reading() as session:
        stage.place.files.sweep(session, 0, resumable_older_than=900)
    assert stage.client.head(old).status_code == 404
    assert stage.client.head(young).status_code == 204
