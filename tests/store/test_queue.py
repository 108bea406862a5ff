"""The queue as long tasks need it, and the transport that looks up when it is told to stop."""

import time
from pathlib import Path
from queue import Empty
from typing import Any

import pytest

from store import queue
from store.settings import Settings


@pytest.mark.parametrize(
    ("broker", "no_prefetch"), [("", False), ("redis://h", True), ("rediss://h", True), ("amqp://h", False)]
)
def test_celery_is_set_for_long_tasks(tmp_path: Path, broker: str, no_prefetch: bool) -> None:
    conf = queue.make_app(Settings(data=tmp_path, broker_url=broker)).conf
    assert (conf.task_acks_late, conf.task_ignore_result, conf.result_backend) == (False, True, None)
    assert (conf.accept_content, conf.task_serializer) == (["json"], "json")
    assert (conf.worker_prefetch_multiplier, conf.worker_disable_prefetch) == (1, no_prefetch)
    assert conf.broker_connection_max_retries is None


def test_a_message_goes_through_files_and_waiting_is_short(tmp_path: Path) -> None:
    app = queue.make_app(Settings(data=tmp_path))
    app.send_task(queue.TASK, args=["job_1"], queue="train")
    got: list[Any] = []

    def take(body: Any, message: Any) -> None:
        got.append(body[0])
        message.ack()

    with app.connection_for_read() as connection:
        assert isinstance(connection.transport, queue.ImpatientTransport)
        consumer = app.amqp.TaskConsumer(connection, queues=[app.amqp.queues["train"]], accept=["json"])
        consumer.register_callback(take)
        with consumer:
            connection.drain_events(timeout=2.0)
            assert got == [["job_1"]]
            began = time.monotonic()
            with pytest.raises(TimeoutError):
                connection.drain_events(timeout=30.0)
    assert time.monotonic() - began < 10


def test_half_a_message_is_no_message(tmp_path: Path) -> None:
    setting = Settings(data=tmp_path)
    app = queue.make_app(setting)
    (setting.messages / "queue" / "1_half.train.msg").write_bytes(b"")
    with app.connection_for_read() as connection, pytest.raises(Empty):
        connection.default_channel._get("train")


def test_nobody_takes_a_message_that_is_being_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = queue.make_app(Settings(data=tmp_path))
    replace, looked = Path.replace, 0
    with app.connection_for_read() as connection:
        reader = connection.default_channel

        def look_first(written: Path, whole: Path) -> Path:
            nonlocal looked
            looked += 1
            with pytest.raises(Empty):
                reader._get("train")
            return replace(written, whole)

        monkeypatch.setattr(Path, "replace", look_first)
        app.send_task(queue.TASK, args=["job_1"], queue="train")
        assert looked == 1
        assert reader._get("train")["headers"]["task"] == queue.TASK
