"""Work of the server's own process that takes long: in small steps, between which others have their turn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from typing import TypeVar

_Thing = TypeVar("_Thing")


async def in_turns(things: Iterable[_Thing]) -> AsyncIterator[_Thing]:
    """Give things one by one; behind each, other requests are answered before the next one comes.

    What is done with one of them, and waits for nothing itself, is done at once: no other request comes between.

    Args:
        things: in order.

    Yields:
        Each.
    """
    for thing in things:
        yield thing
        await asyncio.sleep(0)
