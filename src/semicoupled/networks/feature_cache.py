"""What a frozen network gives for an image, computed once and kept: an image that comes again costs nothing."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import torch

from semicoupled.nn.shapes import Float, Tensor

Maps = list[Tensor]


class FeatureCache:
    """Keeps the maps of images, told by their pixels, on the CPU; where its memory is full, the first ones stay."""

    def __init__(self, limit: int) -> None:
        """Make an empty one.

        Args:
            limit: bytes.
        """
        self._limit = limit
        self._kept: dict[bytes, tuple[Tensor, ...]] = {}
        self._bytes = 0

    def __len__(self) -> int:
        """Give the number of images whose maps are kept."""
        return len(self._kept)

    def maps(self, images: Float[Tensor, "B C H W"], network: Callable[[Tensor], Maps]) -> Maps:
        """Give the maps of some images; the network is asked for those alone that are not kept.

        Args:
            images: told apart by their pixels.
            network: N C H W to maps, N first; frozen, in eval mode.
        """
        # maps of another precision are other maps, and the same pixels in other rows are another image
        kind = f"{images.dtype} {tuple(images.shape[1:])} {torch.is_autocast_enabled(images.device.type)}".encode()
        keys = [hashlib.blake2b(kind + image.cpu().numpy().tobytes(), digest_size=16).digest() for image in images]
        missing = [index for index, key in enumerate(keys) if key not in self._kept]
        fresh: dict[int, tuple[Tensor, ...]] = {}
        if missing:
            with torch.no_grad():
                found = network(images[missing])
            for place, index in enumerate(missing):
                own = fresh[index] = tuple(one[place].detach() for one in found)
                size = sum(one.numel() * one.element_size() for one in own)
                if self._bytes + size <= self._limit and keys[index] not in self._kept:
                    self._kept[keys[index]] = tuple(one.cpu().clone() for one in own)
                    self._bytes += size
        rows = [fresh[index] if index in fresh else self._kept[key] for index, key in enumerate(keys)]
        levels = range(len(rows[0]))
        stacked = [torch.stack([row[level].to(images.device) for row in rows]) for level in levels]
        return [one.contiguous(memory_format=torch.channels_last) for one in stacked]
