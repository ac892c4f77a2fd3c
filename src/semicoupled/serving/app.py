"""The app: the API, the pages, and the guard before them."""

from __future__ import annotations

import logging
import mimetypes
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from semicoupled import __version__
from semicoupled.errors import RunError, SemicoupledError
from semicoupled.serving import (
    api_anylabeling,
    api_files,
    api_inside,
    api_jobs,
    api_label_studio,
    api_system,
    api_training,
)
from semicoupled.serving.description import with_sockets
from semicoupled.serving.jobs import BusyError
from semicoupled.serving.pages import pages
from semicoupled.serving.security import HEADERS, Guard
from semicoupled.serving.services import Services
from semicoupled.serving.settings import ServeSettings
from semicoupled.serving.uploads import FullError

STATIC = Path(__file__).parent / "static"
API = "/api/v1"
log = logging.getLogger(__name__)


def create_app(settings: ServeSettings) -> FastAPI:
    """Make the app.

    Args:
        settings: what is served, and to whom.

    Raises:
        SettingsError: a root is no folder.
        RunError: a run is none.
    """
    served = Services.of(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncGenerator[None]:
        del app
        served.start()
        try:
            yield
        finally:
            served.close()

    # FastAPI's own pages of the API fetch scripts from elsewhere; ours is #/reference
    app = FastAPI(
        title="semicoupled",
        version=__version__,
        description="The Semi-Coupled Structure over HTTP. Everything that takes time is a job: begin it, follow it, "
        "fetch its result and its files.",
        openapi_url=f"{API}/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    app.state.services = served
    protocols = (api_label_studio, api_anylabeling)
    modules = (api_system, api_files, api_jobs, api_training, api_inside, *pages().values(), *protocols)
    routers = [module.router for module in modules]
    for router in routers:
        app.include_router(router, prefix=API)
    with_sockets(app, API, routers)
    for kind, handler in (
        (BusyError, _busy),
        (FullError, _full),
        (SemicoupledError, _refused),
        (RequestValidationError, _invalid),
        (HTTPException, _http),
        (ClientDisconnect, _gone),
        (Exception, _unexpected),
    ):
        app.add_exception_handler(kind, handler)
    app.add_route("/docs", _docs, include_in_schema=False)
    mimetypes.add_type("text/javascript", ".js")  # some systems' registries say otherwise, and modules would not load
    app.mount("/", StaticFiles(directory=STATIC, html=True))
    app.add_middleware(Guard, host=settings.host, token=settings.token, limits=settings.limits)
    return app


def _docs(request: Request) -> Response:
    del request
    return RedirectResponse("/#/reference")


def _busy(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, BusyError)
    return _problem(503, str(error), {"Retry-After": str(error.retry_after)})


def _full(request: Request, error: Exception) -> Response:
    del request
    return _problem(503, str(error), {"Retry-After": "60"})


def _refused(request: Request, error: Exception) -> Response:
    served: Services = request.app.state.services
    return _problem(404 if isinstance(error, RunError) else 400, served.clean(str(error)))


def _invalid(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{'.'.join(map(str, part['loc'][1:]))}: {part['msg']}" for part in error.errors()[:5])
    return _problem(422, said[:1000])


def _http(request: Request, error: Exception) -> Response:
    del request
    assert isinstance(error, HTTPException)
    return _problem(error.status_code, str(error.detail), dict(error.headers or {}))


def _gone(request: Request, error: Exception) -> Response:
    """Answer nobody: the client went away while it was sending."""
    del request, error
    return _problem(400, "the request ended before its body did")


def _unexpected(request: Request, error: Exception) -> Response:
    log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    # this handler stands outside of the guard
    return _problem(500, "something unexpected went wrong; the server's log says more", HEADERS)


def _problem(status: int, message: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": message}, status, headers)
