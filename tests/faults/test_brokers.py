"""Faults 2 and 3: messages that are gone, and messages that come three times or again and again."""

from collections.abc import Callable

from tests.end_to_end.conftest import Server
from tests.faults.deployment import Deployment, count
from tests.faults.servers import ValkeyServer

LOGISTIC = {"model": {"kind": "logistic_regression"}}
WAITING = count(50, 200)


def ran_once(api: Server, job_ids: list[str]) -> list[str]:
    """Those of the jobs that did not succeed in one attempt, once all are done."""
    return [each for each in job_ids if (job := api.done(each))["state"] != "succeeded" or job["attempt"] != 1]


def test_a_broker_that_loses_everything_loses_no_job(
    machines: Deployment, valkey: ValkeyServer, tally: Callable[..., None]
) -> None:
    api = machines.api()
    waiting = machines.posted(api, api.iris(), WAITING, **LOGISTIC)
    assert valkey.client.llen("train") == WAITING
    valkey.client.flushall()
    valkey.kill()
    late = api.post(api.iris(), **LOGISTIC)  # is taken although nobody can be told
    valkey.start()
    machines.worker()
    others = ran_once(api, [*waiting, late])
    tally(jobs_queued=WAITING + 1, messages_lost=WAITING + 1, jobs_lost_or_doubled=len(others))
    assert others == []


def test_a_worker_outlives_its_broker(machines: Deployment, valkey: ValkeyServer) -> None:
    """A broker that dies under a worker that trains, and one that waits, and comes back empty."""
    api = machines.api()
    iris = api.iris()
    machines.worker()
    for _ in range(count(1, 5)):
        assert ran_once(api, machines.posted(api, iris, 1, **LOGISTIC)) == []
        valkey.kill()
        while_away = api.post(iris, **LOGISTIC)
        valkey.start()
        assert ran_once(api, [while_away]) == []


def test_messages_that_come_three_times_run_a_job_once(deployment: Deployment, tally: Callable[..., None]) -> None:
    api = deployment.api("send_three_times")
    iris = api.iris()
    for _ in range(2):
        deployment.worker()
    posted = deployment.posted(api, iris, count(10, 60), **LOGISTIC) + deployment.posted(api, iris, 2, epochs=200)
    others = ran_once(api, posted)
    tally(jobs=len(posted), messages=3 * len(posted), jobs_doubled=len(others))
    assert others == []


def test_the_visibility_timeout_does_not_matter(machines: Deployment) -> None:
    """Jobs that take longer than the second after which Redis delivers again what it delivered."""
    api = machines.api()
    digits = machines.digits(api)
    for _ in range(2):
        machines.worker("deliver_again_soon")
    network = {"target": "digit", "model": {"kind": "mlp", "hidden": [{"units": 32}]}, "batch_size": 8}
    posted = machines.posted(api, digits, count(3, 10), epochs=1500, **network)
    assert ran_once(api, posted) == []
    assert max(api.job(each)["timings"]["train_seconds"] for each in posted) > 1
