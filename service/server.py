"""The HTTP server around the application."""

import socket

import uvicorn


class StreamingServer(uvicorn.Server):
    """Ends the event streams when it is told to stop, which it would otherwise wait for in vain."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self.config.app.state.hub.close_streams()  # type: ignore[union-attr]
        await super().shutdown(sockets)
