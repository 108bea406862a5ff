"""Query parameters: what an address does not take is refused by name, on every route, and nothing is done."""

from service.parameters import parameters_of
from store import keys
from tests.service.conftest import Stage
from tests.service.routes import calls


def test_every_route_refuses_a_parameter_that_it_does_not_have(stage: Stage) -> None:
    found = calls(stage.client.app, "/v1/")
    assert len(found) > 40
    for method, path, _ in found:
        answer = stage.client.request(method, path, params={"no_such": 1})
        assert answer.status_code == 422, f"{method} {path}: {answer.text}"
        assert method == "HEAD" or answer.json()["errors"][0]["pointer"] == "/query/no_such", path


def test_every_route_takes_what_its_description_names_and_takes_it_once(stage: Stage) -> None:
    document = stage.client.get("/openapi.json").json()
    repeated = 0
    for method, path, route in calls(stage.client.app, "/v1/"):
        operation = document["paths"][route.path][method.lower()]
        named = {each["name"]: each["schema"] for each in operation.get("parameters", []) if each["in"] == "query"}
        known = parameters_of(route.original_route)
        if known is not None:
            assert set(named) == set(known), path
        for name in named:
            answer = stage.client.request(method, path, params=[(name, "1"), (name, "1")])
            assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"/query/{name}"), path
            repeated += 1
    assert repeated > 40


def test_a_misspelt_parameter_starts_no_job_and_is_told_what_was_meant(stage: Stage) -> None:
    body = {"dataset_id": stage.iris(), "target": "species", "model": {"kind": "mlp"}}
    answer = stage.client.post("/v1/jobs?validateOnly=true", json=body)
    assert answer.status_code == 422
    assert answer.json()["code"] == "INVALID_REQUEST"
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/query/validateOnly"
    assert "did you mean 'validate_only'?" in error["detail"]
    assert stage.client.get("/v1/jobs").json()["items"] == []


def test_names_are_quoted_briefly_and_as_pointers(stage: Stage) -> None:
    answer = stage.client.get("/v1/jobs", params={"a/b": 1, "x" * 5000: 2})
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert pointers == ["/query/a~1b", "/query/" + "x" * 50]
    assert len(stage.client.get("/v1/jobs", params={f"p{n}": n for n in range(500)}).json()["errors"]) == 20


def test_values_from_a_list_are_held_to_it_and_the_description_has_the_list(stage: Stage) -> None:
    job = stage.job(stage.iris(), "species", "mlp", epochs=2)["id"]
    document = stage.client.get("/openapi.json").json()
    for template, name in [
        ("/v1/jobs", "state"),
        ("/v1/jobs", "model_kind"),
        ("/v1/jobs/{job_id}/weights", "format"),
        ("/v1/jobs/{job_id}/histograms", "of"),
        ("/v1/jobs/{job_id}/evaluation", "split"),
    ]:
        parameter = next(each for each in document["paths"][template]["get"]["parameters"] if each["name"] == name)
        values = next(choice["enum"] for choice in parameter["schema"]["anyOf"] if "enum" in choice)
        path = template.format(job_id=job)
        for value in values:
            answer = stage.client.get(path, params={name: value})
            assert answer.status_code in (200, 404), answer.text  # a split may have no rows
        answer = stage.client.get(path, params={name: "bogus"})
        assert answer.status_code == 422, path
        assert answer.json()["errors"][0]["pointer"] == f"/query/{name}"
        assert all(value in answer.json()["detail"] for value in values)
    assert stage.client.get(f"/v1/jobs/{job}/histograms?layer=bogus").status_code == 404


def test_a_caller_without_a_key_learns_of_the_key_and_not_of_parameters(stage: Stage) -> None:
    with stage.place.database.transaction() as session:
        keys.create(session, "ana", ["read"])
    assert stage.client.get("/v1/jobs?no_such=1").status_code == 401
