"""The viewer's server: loopback only, behind a random token, nothing outside the workspace."""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from offhand.errors import OffhandError, StoreError
from offhand.report.rendering import script_hash
from offhand.report.view_clusters import FOLDER
from offhand.store.workspace import Workspace
from offhand.viewer import audits
from offhand.viewer.proxies import Proxies
from offhand.viewer.rhythm import rhythm_strip
from offhand.viewer.session import Rejected, Session, is_plain_file

HOSTS = ["127.0.0.1", "localhost", "[::1]"]
MOST_BYTES = 1_000_000
"""Largest edit that is read."""

PARTS = {
    "viewer.css": "text/css",
    **dict.fromkeys(
        ("viewer.js", "server.js", "dom.js", "player.js", "grid.js", "audit.js"), "text/javascript"
    ),
}

Handler = Callable[[Request], Awaitable[Response]]


def create_app(session: Session, token: str) -> Starlette:
    """Return the application.

    Parameters
    ----------
    session
        The workspace.
    token
        What every address begins with; a request without it gets nothing.
    """
    server = _Server(session, token)
    get = {
        "": server.page,
        FOLDER + "/{name}": server.clip_page,
        "state.json": server.state,
        "audit.json": server.audit,
        "video/{clip_id}": server.video,
        "proxy/{clip_id}": server.proxy,
        "rhythm/{clip_id}.png": server.rhythm,
        "results/{name:path}": server.result,
        **{name: server.part for name in PARTS},
    }
    post = {
        "edit": server.edit,
        "undo": server.undo,
        "redo": server.redo,
        "audit/draw": server.draw,
        "audit/answer": server.answer,
        "proxy/{clip_id}": server.make_proxy,
    }
    routes = [
        Route("/{token}/" + path, server.guarded(handler), methods=["GET"])
        for path, handler in get.items()
    ]
    routes += [
        Route("/{token}/" + path, server.guarded(handler, changes=True), methods=["POST"])
        for path, handler in post.items()
    ]
    middleware = [
        Middleware(TrustedHostMiddleware, allowed_hosts=HOSTS, www_redirect=False),
        Middleware(_Headers),
    ]
    app = Starlette(routes=routes, middleware=middleware)
    app.state.close = server.close
    return app


class _Server:
    def __init__(self, session: Session, token: str) -> None:
        self._session = session
        self._token = token.encode()
        self._proxies = Proxies(session.folder / "proxies")

    def close(self) -> None:
        self._proxies.close()
        self._session.close()

    def guarded(self, handler: Handler, *, changes: bool = False) -> Handler:
        """Let a handler see only requests with the token; errors become plain answers."""

        async def answer(request: Request) -> Response:
            given = str(request.path_params["token"]).encode()
            if not secrets.compare_digest(given, self._token):
                return PlainTextResponse("not found", 404)
            if changes and not _is_own(request):
                return PlainTextResponse("this address takes requests of its own page alone", 403)
            try:
                return await handler(request)
            except Rejected as error:  # an answer like any other: browsers complain of 4xx
                return JSONResponse({"refused": str(error)})
            except OffhandError as error:
                return JSONResponse({"error": str(error)}, 500)

        return answer

    async def page(self, request: Request) -> Response:
        del request
        try:
            html = await run_in_threadpool(self._session.page)
        except OffhandError as error:
            return PlainTextResponse(f"The page cannot be shown. {error}", 500)
        return Response(html, media_type="text/html")

    async def clip_page(self, request: Request) -> Response:
        name = request.path_params["name"]
        try:
            html = await run_in_threadpool(self._session.clip_page, name)
        except OffhandError as error:
            return PlainTextResponse(f"The page cannot be shown. {error}", 500)
        if html is None:
            return PlainTextResponse("not found", 404)
        return Response(html, media_type="text/html")

    async def part(self, request: Request) -> Response:
        name = request.url.path.rsplit("/", 1)[1]
        content = (files("offhand.viewer") / "web" / name).read_bytes()
        return Response(content, media_type=PARTS[name])

    async def state(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(self._session.state))

    async def edit(self, request: Request) -> Response:
        edit, stamp = await _edit(request)
        return JSONResponse(await run_in_threadpool(self._session.edit, edit, stamp=stamp))

    async def undo(self, request: Request) -> Response:
        _, stamp = await _edit(request)
        return JSONResponse(await run_in_threadpool(self._session.undo, stamp=stamp))

    async def redo(self, request: Request) -> Response:
        _, stamp = await _edit(request)
        return JSONResponse(await run_in_threadpool(self._session.redo, stamp=stamp))

    async def audit(self, request: Request) -> Response:
        del request
        return JSONResponse(await run_in_threadpool(audits.audit_state, self._session.folder))

    async def draw(self, request: Request) -> Response:
        return await self._checked(audits.draw, request)

    async def answer(self, request: Request) -> Response:
        return await self._checked(audits.give, request)

    async def _checked(self, change: Callable[[Path, object], Any], request: Request) -> Response:
        content = await _content(request)
        try:
            return JSONResponse(await run_in_threadpool(change, self._session.folder, content))
        except ValueError as error:
            raise Rejected(str(error)) from error

    async def video(self, request: Request) -> Response:
        path = self._session.clip_path(request.path_params["clip_id"])
        if path is None or not is_plain_file(path):
            return PlainTextResponse("the video is not where it was", 404)
        suffix = Path(path).suffix.lower()
        kind = "video/webm" if suffix in (".webm", ".mkv") else "video/mp4"
        return FileResponse(path, media_type=kind)

    async def proxy(self, request: Request) -> Response:
        clip_id = request.path_params["clip_id"]
        path = self._session.clip_path(clip_id)
        if path is None:
            return PlainTextResponse("the video is not where it was", 404)
        if "status" in request.query_params:
            return JSONResponse(vars(self._proxies.progress(clip_id, path)))
        copy = self._proxies.path(clip_id, path)
        if not copy.is_file():
            return PlainTextResponse("there is no copy yet", 404)
        return FileResponse(copy, media_type="video/webm")

    async def make_proxy(self, request: Request) -> Response:
        clip_id = request.path_params["clip_id"]
        path = self._session.clip_path(clip_id)
        if path is None:
            return PlainTextResponse("the video is not where it was", 404)
        return JSONResponse(vars(self._proxies.ask(clip_id, path)))

    async def rhythm(self, request: Request) -> Response:
        clip_id = request.path_params["clip_id"]
        clips = self._session.workspace.table("clips")
        own = clips.loc[clips["clip_id"].astype(str) == clip_id, "duration_s"]
        if not len(own):
            return PlainTextResponse("not found", 404)
        workspace = Workspace(self._session.folder)
        try:
            png = await run_in_threadpool(
                rhythm_strip, workspace, clip_id, duration_s=float(own.iloc[0])
            )
        except StoreError as error:
            return PlainTextResponse(str(error), 404)
        return Response(png, media_type="image/png", headers={"cache-control": "max-age=3600"})

    async def result(self, request: Request) -> Response:
        folder = (self._session.folder / "results").resolve()
        path = (folder / request.path_params["name"]).resolve()
        if not path.is_relative_to(folder) or not path.is_file():
            return PlainTextResponse("not found", 404)
        return FileResponse(path, filename=path.name)


class _Headers:
    """Sends the page's policy with every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        policy = (
            "default-src 'none'; img-src 'self' data:; media-src 'self'; connect-src 'self'; "
            f"style-src 'self' 'unsafe-inline'; script-src 'self' {script_hash()}; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        self._headers = [
            (b"content-security-policy", policy.encode()),
            (b"x-content-type-options", b"nosniff"),
            (b"referrer-policy", b"no-referrer"),
            (b"cross-origin-resource-policy", b"same-origin"),
            (b"cross-origin-opener-policy", b"same-origin"),
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", []), *self._headers]
                if not any(name == b"cache-control" for name, _ in headers):
                    headers.append((b"cache-control", b"no-store"))
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def _is_own(request: Request) -> bool:
    """Tell whether a request that changes something comes from the viewer's page."""
    origin = request.headers.get("origin")
    same = origin is None or origin == f"http://{request.headers.get('host')}"
    kind = request.headers.get("content-type", "").partition(";")[0].strip()
    return same and kind == "application/json"


async def _edit(request: Request) -> tuple[Any, str | None]:
    """Return the edit that a request holds, and the stamp of the state that was edited."""
    content = await _content(request)
    if not isinstance(content, dict):
        raise Rejected("an object with edit and stamp is needed")
    stamp = content.get("stamp")
    return content.get("edit"), stamp if isinstance(stamp, str) else None


async def _content(request: Request) -> Any:
    size = 0
    parts = []
    async for part in request.stream():
        size += len(part)
        if size > MOST_BYTES:
            raise Rejected(f"an edit may have {MOST_BYTES} bytes")
        parts.append(part)
    try:
        return json.loads(b"".join(parts))
    except ValueError as error:
        raise Rejected(f"not JSON: {error}") from error
