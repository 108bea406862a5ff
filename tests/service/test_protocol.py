"""Callers who send slowly, without end, or nothing, and many connections: raw sockets against the server's own protocol."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
import uvicorn

from service import protocol
from store.settings import Settings

SECONDS = 0.4
HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the length of the body, once it has come; /flood with more than any buffer takes."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size, more = size + len(message["body"]), message["more_body"]
    body = str(size).encode() if scope["path"] != "/flood" else bytes(50 << 20)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Running:
    port: int
    bounds: protocol.Bounds

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, *pieces: bytes, pause: float = 0.0) -> bytes:
        """Send the pieces, as far as they are taken; all that comes back until the connection is closed."""
        with self.connect() as connection:
            with suppress(ConnectionError):
                for piece in pieces:
                    connection.sendall(piece)
                    time.sleep(pause)
            return read(connection)


def read(connection: socket.socket) -> bytes:
    found = b""
    with suppress(ConnectionError):
        while piece := connection.recv(1 << 16):
            found += piece
    return found


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    setting = Settings(
        header_seconds=SECONDS, body_seconds=SECONDS, idle_seconds=1, max_connections=30, max_connections_each=20
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(protocol, "SWEEP_SECONDS", 0.05)
        kind = protocol.bounded(setting)
        config = uvicorn.Config(echo, port=0, http=kind, ws="none", log_config=None, timeout_keep_alive=1, lifespan="off")
        running = uvicorn.Server(config)
        thread = threading.Thread(target=running.run)
        thread.start()
        while not running.started:
            time.sleep(0.01)
        yield Running(running.servers[0].sockets[0].getsockname()[1], kind.bounds)
        running.should_exit = True
        thread.join(20)


def refused(answer: bytes, status: int, says: str) -> None:
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), answer[:200]
    assert b"application/problem+json" in head
    assert says.encode() in body


def test_what_is_as_it_should_be_is_served(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(GET + GET)  # pipelined
        connection.sendall(HEAD + b"Content-Length: 5\r\n\r\nhello")
        connection.sendall(HEAD + b"Transfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * 3000 + b"0\r\n\r\n")
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        answers = read(connection).split(b"HTTP/1.1 200 OK")[1:]
    assert [answer.rpartition(b"\r\n\r\n")[2] for answer in answers] == [b"0", b"0", b"5", b"3000", b"0"]


SLOW: dict[str, tuple[list[bytes], str]] = {
    "nothing at all": ([b""], "headers did not come"),
    "a drip of headers": ([HEAD, *[b"X-A: b\r\n"] * 40], "headers did not come"),
    "half a line": ([b"GET /"], "headers did not come"),
    "a body that does not begin": ([HEAD + b"Content-Length: 5\r\n\r\n"], "of the body came"),
    "a drip of a body": ([HEAD + b"Content-Length: 5000\r\n\r\n", *[b"x"] * 40], "of the body came"),
    "a drip of chunks": ([HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *[b"1\r\na\r\n"] * 40], "of the body came"),
    "a second request that drips": ([GET, *[b"G"], *[b""] * 40], "headers did not come"),
}


@pytest.mark.parametrize("name", SLOW)
def test_who_is_slow_is_told_so_and_sent_away(server: Running, name: str) -> None:
    pieces, says = SLOW[name]
    began = time.monotonic()
    answer = server.ask(*pieces, pause=0.05 if len(pieces) > 3 else 0.0)
    assert time.monotonic() - began < 10
    if answer.startswith(b"HTTP/1.1 200"):
        answer = answer[answer.index(b"HTTP/1.1 408") :]
    refused(answer, 408, says)


ENDLESS: dict[str, bytes] = {
    "a header": HEAD + b"X-Long: ",
    "an address": b"GET /",
    "headers": HEAD + b"X: y\r\n",
    "a trailer": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-Long: ",
    "an extension of a chunk": HEAD + b"Transfer-Encoding: chunked\r\n\r\n1;",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_has_no_end_is_cut_off(server: Running, name: str) -> None:
    """A megabyte is not even taken."""
    block = b"X: y\r\n" * 3000 if name == "headers" else b"x" * (1 << 14)
    with server.connect() as connection:
        sent = 0
        with suppress(ConnectionError):
            connection.sendall(ENDLESS[name])
            while sent < 30 << 20:
                connection.sendall(block)
                sent += len(block)
        assert sent < 8 << 20  # what the system's buffers take
    short = server.ask(ENDLESS[name] + block * 5)
    refused(short, 431, "headers are longer than 65,536 bytes")


def test_a_long_header_that_ends_is_refused_too(server: Running) -> None:
    refused(server.ask(HEAD + b"X-Long: " + b"x" * 70_000 + b"\r\n\r\n"), 431, "send shorter ones")
    assert b"200 OK" in server.ask(HEAD + b"X-Long: " + b"x" * 60_000 + b"\r\nConnection: close\r\n\r\n")


def test_an_idle_connection_is_closed(server: Running) -> None:
    with server.connect() as connection:
        connection.sendall(GET)
        began = time.monotonic()
        assert read(connection).endswith(b"0")
        assert time.monotonic() - began < 10


def test_who_does_not_read_the_answer_is_cut_off(server: Running) -> None:
    with server.connect() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(GET.replace(b"/", b"/flood", 1))
        until = time.monotonic() + 10
        while server.bounds.connections and time.monotonic() < until:
            time.sleep(0.02)
        assert not server.bounds.connections


def test_connections_are_bounded_and_given_back(server: Running) -> None:
    until = time.monotonic() + 10
    while server.bounds.connections and time.monotonic() < until:
        time.sleep(0.02)
    held = [server.connect() for _ in range(20)]
    try:
        refused(server.ask(), 429, "20 connections are open from your address")
    finally:
        for connection in held:
            connection.close()
    until = time.monotonic() + 10
    while server.bounds.by_address and time.monotonic() < until:
        time.sleep(0.02)
    assert not server.bounds.by_address
    assert b"200 OK" in server.ask(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
