"""Start the viewer."""

from __future__ import annotations

import secrets
import socket
import webbrowser
from collections.abc import Callable

import uvicorn

from offhand.errors import OffhandError
from offhand.viewer.app import create_app
from offhand.viewer.session import open_session

LOOPBACK = "127.0.0.1"


def serve(
    out: str, *, port: int = 0, opens_browser: bool = True, on_ready: Callable[[str], None]
) -> None:
    """Serve a workspace on this machine until interrupted.

    Parameters
    ----------
    out
        Folder of the workspace.
    port
        0 for any that is free.
    opens_browser
        Whether the page is opened in the default browser.
    on_ready
        Called with the address, which holds a random token, before the first request.

    Raises
    ------
    StoreError
        ``out`` is no finished workspace, or its annotations are damaged.
    OffhandError
        The port is taken.
    """
    session = open_session(out)
    token = secrets.token_urlsafe(18)
    app = create_app(session, token)
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((LOOPBACK, port))
            listener.listen()  # who comes before the server is up waits, and is not turned away
        except OSError as error:
            raise OffhandError(f"port {port} cannot be used ({error.strerror})") from error
        address = f"http://{LOOPBACK}:{listener.getsockname()[1]}/{token}/"
        on_ready(address)
        if opens_browser:
            webbrowser.open(address)
        options = uvicorn.Config(
            app, log_level="warning", access_log=False, server_header=False, lifespan="off"
        )
        try:
            uvicorn.Server(options).run(sockets=[listener])
        except KeyboardInterrupt:
            pass
        finally:
            app.state.close()
