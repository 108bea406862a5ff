"""The queue: Celery, configured in one place. A message carries a job's id alone and is a nudge; the row is the truth."""

import time
import uuid
from functools import lru_cache
from pathlib import Path
from queue import Empty
from typing import Any

import structlog
from celery import Celery
from kombu.exceptions import OperationalError
from kombu.transport import filesystem
from kombu.utils.json import dumps

from store.settings import Settings, settings

TASK = "train"
LOOK_UP_SECONDS = 0.1
log = structlog.get_logger()


@lru_cache
def celery_app() -> Celery:
    """The process's Celery application."""
    return make_app(settings())


def make_app(setting: Settings) -> Celery:
    app = Celery("vidro", broker=setting.broker, set_as_current=False)
    app.conf.update(
        task_ignore_result=True,
        task_store_errors_even_if_ignored=False,
        task_acks_late=False,
        task_serializer="json",
        accept_content=["json"],
        task_default_queue="train",
        task_create_missing_queues=True,
        result_backend=None,
        result_serializer="json",
        worker_prefetch_multiplier=1,
        worker_disable_prefetch=setting.broker.startswith("redis"),  # elsewhere Celery cannot
        broker_channel_error_retry=True,  # RabbitMQ's consumer_timeout, when a second message waits out the job before it
        worker_hijack_root_logger=False,
        worker_send_task_events=False,
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        broker_transport_options=_transport_options(setting),
    )
    if setting.broker.startswith("filesystem"):
        app.conf.broker_transport = f"{__name__}:ImpatientTransport"
    return app


class WholeChannel(filesystem.Channel):
    """Messages are whole when they can be taken: kombu takes them while they are written, and what is lost so waits for the
    sweeper. One that is cut off all the same does not end the worker.
    """

    def _put(self, queue: str, payload: Any, **options: Any) -> None:  # type: ignore[override]
        folder = Path(self.data_folder_out)
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        unseen = folder / f"{name}.part"
        try:
            unseen.write_text(dumps(payload))  # type: ignore[no-untyped-call]
            unseen.replace(folder / name)
        except OSError:
            unseen.unlink(missing_ok=True)
            raise

    def _get(self, queue: str, timeout: Any = None) -> Any:
        try:
            return super()._get(queue)  # type: ignore[no-untyped-call]
        except ValueError:  # half a message is no JSON
            raise Empty from None


class ImpatientTransport(filesystem.Transport):
    """Celery's loop asks for messages for two seconds at a time, twice after it was told to stop; here it looks up sooner."""

    Channel = WholeChannel

    def drain_events(self, connection: Any, timeout: Any = None, **options: Any) -> None:
        seconds = min(timeout or LOOK_UP_SECONDS, LOOK_UP_SECONDS)
        super().drain_events(connection, timeout=seconds, **options)  # type: ignore[no-untyped-call]


def _transport_options(setting: Settings) -> dict[str, object]:
    if not setting.broker.startswith("filesystem"):
        sockets: dict[str, object] = {"socket_connect_timeout": 2, "socket_timeout": 30, "socket_keepalive": True}
        # Redis need not remember who took which message: of a worker that dies with one, the sweeper sends another.
        return sockets | ({"ack_emulation": False} if setting.broker.startswith("redis") else {})
    folders = {name: setting.messages / name for name in ("queue", "control")}
    for folder in folders.values():
        folder.mkdir(parents=True, exist_ok=True)
    return {
        "data_folder_in": str(folders["queue"]),
        "data_folder_out": str(folders["queue"]),
        "control_folder": str(folders["control"]),
        "polling_interval": setting.polling_seconds,
    }


def send(job_id: str, queue: str) -> bool:
    """Nudge a worker of that queue. False where the broker is out of reach: the sweeper sends again."""
    try:
        celery_app().send_task(TASK, args=[job_id], queue=queue, retry=False)
    except (OperationalError, OSError) as error:
        log.warning("message not sent; the sweeper will", job_id=job_id, error=str(error))
        return False
    return True


def reachable() -> bool:
    """Whether the broker answers within two seconds."""
    try:
        with celery_app().connection_for_write() as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except (OperationalError, OSError):
        return False
    return True
