"""Keys: none needed on loopback while there is none; then needed, scoped, and blind to what others own."""

from collections.abc import Callable
from typing import Any

import pytest

from service import middleware
from store import keys
from tests.service.conftest import Stage


def bearer(stage: Stage, owner: str, *scopes: str) -> dict[str, str]:
    with stage.place.database.transaction() as session:
        return {"Authorization": f"Bearer {keys.create(session, owner, list(scopes))[1]}"}


def test_the_first_key_closes_the_door(stage: Stage) -> None:
    assert stage.client.get("/v1/jobs").status_code == 200
    ana = bearer(stage, "ana", "read", "write")
    refused = stage.client.get("/v1/jobs")
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    assert refused.json()["code"] == "UNAUTHENTICATED"
    assert stage.client.get("/v1/jobs", headers=ana).status_code == 200
    assert stage.client.get("/v1/jobs", headers={"Authorization": "Bearer guess"}).status_code == 401
    assert stage.client.get("/healthz").status_code == 200


def test_without_any_key_a_server_that_others_reach_lets_nobody_in(make_stage: Callable[..., Stage]) -> None:
    """It does not start so; but its last key may be revoked while it runs."""
    stage = make_stage(host="0.0.0.0")
    assert stage.client.get("/v1/jobs").status_code == 401
    assert stage.client.get("/v1/jobs", headers=bearer(stage, "ana", "read")).status_code == 200


def test_after_its_last_key_the_door_stays_closed(stage: Stage) -> None:
    with stage.place.database.transaction() as session:
        key, secret = keys.create(session, "ana", ["read"])
    held = {"Authorization": f"Bearer {secret}"}
    assert stage.client.get("/v1/jobs", headers=held).status_code == 200
    with stage.place.database.transaction() as session:
        keys.revoke(session, key.id)
    assert stage.client.get("/v1/jobs").status_code == 401
    assert stage.client.get("/v1/jobs", headers=held).status_code == 401
    with stage.place.database.transaction() as session:
        keys.open_to_all(session)
    assert stage.client.get("/v1/jobs").status_code == 200


def test_an_expired_key_is_told_so(stage: Stage) -> None:
    with stage.place.database.transaction() as session:
        key, secret = keys.create(session, "ana", ["read"], expires_at=1.0)
    refused = stage.client.get("/v1/jobs", headers={"Authorization": f"Bearer {secret}"})
    assert (refused.status_code, refused.json()["code"]) == (401, "KEY_EXPIRED")
    assert refused.headers["www-authenticate"].startswith("Bearer")
    assert f"{key.id} expired at 1970-01-01" in refused.json()["detail"]


def test_the_log_names_owner_and_key_and_never_the_secret(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[dict[str, Any]] = []
    monkeypatch.setattr(middleware.log, "info", lambda event, **told: lines.append(told))
    stage.client.get("/v1/jobs")
    with stage.place.database.transaction() as session:
        key, secret = keys.create(session, "ana", ["read"])
    for credentials in (secret, "vidro_wrong"):
        stage.client.get("/v1/jobs", headers={"Authorization": f"Bearer {credentials}"})
    who = [{name: line[name] for name in ("owner", "key") if name in line} for line in lines]
    assert who == [{"owner": "local", "key": None}, {"owner": "ana", "key": key.id}, {}]
    assert secret not in repr(lines)


def test_a_key_does_what_its_scopes_say(stage: Stage) -> None:
    reader = bearer(stage, "ana", "read")
    assert stage.client.get("/v1/jobs", headers=reader).status_code == 200
    refused = stage.client.post("/v1/datasets", json={"sample": {"kind": "xor"}}, headers=reader)
    assert refused.status_code == 403
    assert "write" in refused.json()["detail"]


def test_what_belongs_to_another_is_not_there(stage: Stage) -> None:
    ana, ben, root = (bearer(stage, name, *scopes) for name, scopes in
                      (("ana", ("read", "write")), ("ben", ("read", "write")), ("root", ("admin",))))  # fmt: skip
    client = stage.client
    dataset = client.post("/v1/datasets", json={"sample": {"kind": "iris"}}, headers=ana).json()
    job = client.post(
        "/v1/jobs", json={"dataset_id": dataset["id"], "target": "species", "model": {"kind": "mlp"}}, headers=ana
    ).json()
    assert job["owner"] == "ana"
    for path in (f"/v1/datasets/{dataset['id']}", *(f"/v1/jobs/{job['id']}{of}" for of in ("", "/events", "/boundary"))):
        assert client.get(path, headers=ben).status_code == 404
    for looked_into in ("traces", "gradient_checks"):
        beginning = {"job_id": job["id"], "epoch": 0}
        assert client.post(f"/v1/{looked_into}", json=beginning, headers=ben).status_code == 404
        assert client.post(f"/v1/{looked_into}", json=beginning, headers=ana).status_code == 200
    assert client.post(f"/v1/jobs/{job['id']}/cancel", headers=ben).status_code == 404
    assert client.get("/v1/datasets", headers=ben).json()["items"] == []
    assert client.get(f"/v1/jobs/{job['id']}", headers=root).status_code == 200
    assert client.get("/v1/datasets?view=full", headers=root).json()["items"] == [dataset]


@pytest.mark.parametrize("path", ["/v1/datasets", "/v1/jobs", "/v1/models", "/v1/catalog", "/v1/samples"])
def test_every_list_wants_a_key_once_there_is_one(stage: Stage, path: str) -> None:
    bearer(stage, "ana", "read")
    assert stage.client.get(path).status_code == 401


def test_a_name_that_was_made_to_mean_this_machine_is_not_this_machine(stage: Stage) -> None:
    """DNS rebinding: the page's own name leads here, and stands in the Host header."""
    assert stage.client.get("/v1/jobs", headers={"Host": "evil.example"}).status_code == 403
    assert stage.client.get("/v1/jobs", headers={"Host": "localhost:8000"}).status_code == 200
