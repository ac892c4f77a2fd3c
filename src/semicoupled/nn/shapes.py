"""Shape annotations: jaxtyping's where it is installed, plain tensors otherwise.

The annotations document every public signature (`Float[Tensor, "B T C *size"]`). They are checked in the test suite
alone; the package runs with torch and nothing else. The letters mean the same everywhere: `B` batch, `T` time steps,
`C` channels, `*size` the spatial size (`H W` for convolutions, nothing for fully connected layers), `N` rows of a
folded tensor (time-major: row t * B + b is frame t of sample b).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
else:
    try:
        from jaxtyping import Bool, Float
    except ImportError:

        class Float:
            """Stands in for jaxtyping's `Float` where only torch is installed."""

            def __class_getitem__(cls, item: object) -> type[Tensor]:
                return Tensor

        Bool = Float

__all__ = ["Bool", "Float", "Tensor"]
