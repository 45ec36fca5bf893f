"""Prediction as a step over blocks: any process that sees the files can do any block, and the bytes are always the same.

image file --prepared--> Prediction: everything checked that is quickly checked; nothing written yet
                           |-- scaling(folder)  SectionScales: block -> what it says of the grey scale of its sections
                           |-- create(path)     the empty result
                           `-- work(path, ..)   PredictBlock: block -> shards of the result
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from neurotome.boundary.image_file import ImageFile
from neurotome.boundary.predict import check_voxel_size, kept_channels, network_of, predict_box, predictor_of
from neurotome.boundary.section_scales import SectionScales
from neurotome.core import Block, FormatError, Image, InputError, MissingFileError, ModelCard
from neurotome.core.geometry import Int3
from neurotome.io import absolute_path, load_arrays, ome_zarr, save_arrays
from neurotome.io.source import numpy_dtype
from neurotome.nn import AVERAGING, section_scales, tile_bytes

__all__ = ["PredictBlock", "Prediction", "predict_bytes", "prepared"]

PROCESS_BYTES = 500_000_000
"""Python with PyTorch and the storage library, before any work."""

SCALED_AT_START = 1_000_000_000
"""Voxels of an image whose grey values are looked at before anything is written: some ten seconds."""


@dataclass(frozen=True)
class PredictBlock:
    """Predicts the write box of a block and writes it: whole shards of `out`, if the box is made of such.

    scales: file of the grey scales of all sections. out: the volume, made by `Prediction.create`. tile: see `nn.Predictor`.
    """

    image: ImageFile
    model: str
    weights_sha256: str
    channels: tuple[str, ...]
    averaging: int
    scales: Path
    out: Path
    tile: int | None = None

    def __call__(self, block: Block) -> Sequence[Path]:
        """Raises FormatError when the model is no longer the one the prediction was prepared with."""
        network, card = network_of(self.model)
        if card.weights_sha256 != self.weights_sha256:
            raise FormatError(
                f"Model '{self.model}' has weights {card.weights_sha256[:12]}",
                f"{self.weights_sha256[:12]}, with which this prediction began",
                "do not train into a model folder that is being used",
            )
        scales = load_arrays(self.scales, "scales")["scales"]
        ready = predictor_of(
            self.image.open(), network, card, scales, channels=self.channels, averaging=self.averaging, tile=self.tile
        )
        ome_zarr.write_box(ome_zarr.reopen(self.out), block.write, predict_box(ready, block.write))
        return ome_zarr.shard_files(self.out, block.write)


@dataclass(frozen=True, eq=False)
class Prediction:
    """A prediction of which all that can be wrong has been checked, except the grey values of a large image.

    scales: (z, 2) float32, see `nn.section_scales`; None where they are still to be found, with `scaling`.
    """

    source: ImageFile
    image: Image
    model: str
    card: ModelCard
    channels: tuple[str, ...]
    averaging: int
    scales: np.ndarray | None

    @property
    def device(self) -> str:
        """Where this process would compute; each worker decides for itself."""
        return "cuda" if torch.cuda.is_available() else "cpu"

    def create(self, path: Path, *, levels: int = 1) -> None:
        """Make the empty volume. Blocks that are multiples of its shards waste nothing: a tile is as wide as a shard."""
        shape = (len(self.channels), *self.image.grid.shape)
        ome_zarr.create(path, shape=shape, dtype="uint8", grid=self.image.grid, channels=self.channels, levels=levels)

    def knows_scales(self, path: Path) -> bool:
        """Whether the grey scales are known, or lie whole in the file `path`."""
        if self.scales is not None:
            return True
        try:
            return load_arrays(path, "scales")["scales"].shape == (self.image.grid.shape[0], 2)
        except (FormatError, MissingFileError):
            return False

    def scaling(self, folder: Path) -> SectionScales:
        """What a block has to do so that the grey scales become known; its files lie in `folder`."""
        return SectionScales(self.source, self.card.normalization, folder.absolute())

    def keep_scales(self, path: Path, scaling: SectionScales, blocks: Sequence[Block]) -> None:
        """Write the grey scales to a file, from what the blocks of `scaling` have found. Raises ValueRangeError."""
        save_arrays(path, scales=scaling.merged(blocks))

    def work(self, out: Path, scales: Path) -> PredictBlock:
        """What a block has to do for the volume `out`. The file `scales` has the grey scales; known ones are written there."""
        if self.scales is not None:
            save_arrays(scales, scales=self.scales)
        return PredictBlock(
            self.source,
            self.model,
            self.card.weights_sha256,
            self.channels,
            self.averaging,
            scales.absolute(),
            out.absolute(),
        )


def prepared(
    source: ImageFile,
    model: str | Path,
    *,
    channels: tuple[str, ...] | None = None,
    averaging: int = 1,
    grey_values: bool = True,
) -> Prediction:
    """Find everything that can be wrong before anything is written, but do not take long about it.

    grey_values: whether to look at these too, where the image has at most SCALED_AT_START voxels. Those of a larger one are
    looked at by `SectionScales`, in parts.

    Raises as `predictor` does.
    """
    _, card = network_of(model)
    image = source.open()
    check_voxel_size(image, card)
    names = kept_channels(card, channels)
    if averaging not in AVERAGING:
        raise InputError(f"Averaging over {averaging} variants", f"one of {', '.join(map(str, AVERAGING))}")
    scales = None
    if grey_values and image.grid.size <= SCALED_AT_START:
        scales = section_scales(image.read, image.grid.shape, numpy_dtype(image.data), card.normalization)
    name = absolute_path(model) if Path(model).is_dir() else str(model)
    return Prediction(source, image, name, card, names, averaging, scales)


def predict_bytes(card: ModelCard, shape: Int3, channels: int, section: tuple[int, int] | None = None) -> int:
    """About how much memory a process needs to predict blocks of this shape (z, y, x), itself included.

    channels: how many are kept. section: height and width of a whole one, for networks that cannot be tiled. The result is in
    memory twice, as it is and as it is being written.
    """
    return PROCESS_BYTES + tile_bytes(card, channels, section) + 2 * channels * math.prod(shape)
