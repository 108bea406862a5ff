"""RabbitMQ where it is installed, in the long forms alone: it comes in no wheel."""

from collections.abc import Callable
from pathlib import Path

from store.database import Database
from tests.faults.deployment import LONG, Deployment
from tests.faults.forks import Forks
from tests.faults.servers import RabbitServer
from tests.faults.test_brokers import ran_once

if LONG and Path(RabbitServer.PROGRAM).exists():

    def test_the_consumer_timeout_does_not_matter(
        forks: Forks, postgresql_database: Database, tmp_path: Path, tally: Callable[..., None]
    ) -> None:
        """Jobs that take longer than the second after which RabbitMQ gives up a consumer that does not acknowledge."""
        with (
            RabbitServer(tmp_path / "rabbit").running() as rabbit,
            Deployment(tmp_path, forks, postgresql_database, rabbit.url).harmed() as deployment,
        ):
            api = deployment.api()
            digits = deployment.digits(api)
            for _ in range(2):
                deployment.worker()
            network = {"target": "digit", "model": {"kind": "mlp", "hidden": [{"units": 32}]}, "batch_size": 8}
            posted = deployment.posted(api, digits, 10, epochs=120, **network)
            others = ran_once(api, posted)
            tally(jobs=len(posted), channels_closed=rabbit.log.count("has timed out waiting"), jobs_doubled=len(others))
            assert others == []
            again = deployment.posted(api, digits, 5, **{**network, "epochs": 2})
            assert ran_once(api, again) == []
