"""An image by its path, so that any process can open it as it is to be seen."""

from __future__ import annotations

from dataclasses import dataclass

from neurotome.boundary.rescale import resampled_image, seen_voxel
from neurotome.core import Image
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import open_image
from neurotome.io.open import read_source

__all__ = ["ImageFile"]


@dataclass(frozen=True)
class ImageFile:
    """An image and how to open it, so that another process can do the same. See `open_image`.

    resample_nm: the voxel size of the network, to which it is brought as far as `seen_voxel` says; None leaves it as it is.
    """

    path: str
    voxel_nm: Nm3 | None = None
    channel: str | None = None
    resample_nm: Nm3 | None = None

    def open(self) -> Image:
        image = open_image(self.path, voxel_nm=self.voxel_nm, channel=self.channel)
        return resampled_image(image, seen_voxel(image.grid.voxel_nm, self.resample_nm)) if self.resample_nm else image

    def chunk(self) -> Int3:
        """What is best read at once, in voxels of the opened image: a chunk of the file, or a row where it has none."""
        source = read_source(self.path)
        if source.chunk is None:
            stored = (1, 1, int(source.data.shape[-1]))
        elif len(source.chunk) == len(source.axes) and {"Y", "X"} <= set(source.axes):
            sizes = dict(zip(source.axes, source.chunk, strict=True))
            stored = (sizes.get("Z", 1), sizes["Y"], sizes["X"])
        else:  # a picture of a stack, which has no depth
            stored = (1, source.chunk[-2], source.chunk[-1])
        if self.resample_nm is None:
            return stored
        own = source.grid(self.voxel_nm).voxel_nm
        z, y, x = (max(1, round(n * a / b)) for n, a, b in zip(stored, own, seen_voxel(own, self.resample_nm), strict=True))
        return z, y, x
