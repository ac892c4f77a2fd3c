"""The API's own description: OpenAPI, and beside it the sockets, for which OpenAPI has no words."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIWebSocketRoute

SOCKETS = "x-websockets"


def with_sockets(app: FastAPI, prefix: str, routers: Sequence[APIRouter]) -> None:
    """Have an app's description name its WebSockets, under `x-websockets`: what each takes and sends, by its path.

    https://fastapi.tiangolo.com/how-to/extending-openapi

    Args:
        app: whose description it is.
        prefix: of the paths of all routers.
        routers: that it includes.
    """
    plain = app.openapi

    def whole() -> dict[str, Any]:
        found = plain()
        found.setdefault(SOCKETS, sockets_of(prefix, routers))
        return found

    app.openapi = whole


def sockets_of(prefix: str, routers: Sequence[APIRouter]) -> dict[str, str]:
    """Give what is said of each WebSocket, by its path."""
    routes = (route for router in routers for route in router.routes if isinstance(route, APIWebSocketRoute))
    return {prefix + route.path: inspect.getdoc(route.endpoint) or "" for route in routes}
