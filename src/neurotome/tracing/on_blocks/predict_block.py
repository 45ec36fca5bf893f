"""Neurite prediction as a step over blocks: any process that sees the files can do any block, and the bytes are the same.

stack file --prepared_neurites--> NeuritePrediction: everything that can be wrong has been found; nothing written yet
                                    |-- create(path)   the empty result
                                    |-- block_shape()  what a block is best made of
                                    `-- work(path)     NeuriteBlock: block -> shards of the result
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from neurotome.core import Block, FormatError, Image, ModelCard
from neurotome.core.geometry import Int3, Nm3
from neurotome.io import absolute_path, ome_zarr, open_image
from neurotome.nn import VolumeScale
from neurotome.tracing.predict import (
    DEFAULT_NEURITE_MODEL,
    NEURITE,
    Mode,
    NeuritePredictor,
    check_voxels,
    neurite_network,
    neurite_scale,
)

__all__ = ["NeuriteBlock", "NeuritePrediction", "StackFile", "prepared_neurites"]

CHUNK: Int3 = (32, 96, 96)
SHARD: Int3 = (96, 480, 480)
"""A tile begins every 96 voxels."""

THRESHOLDED = (
    "More than half of this stack has one smallest value: it was thresholded before. The network learnt from stacks as they come "
    "from the microscope and may lose dim neurites here; compare with --raw"
)

BLOCK: Int3 = (480, 480, 480)
"""Tiles that two blocks share are computed twice: flat blocks would be little else."""


@dataclass(frozen=True)
class StackFile:
    """A stack and how to open it, so that another process can do the same. See `open_image`."""

    path: str
    voxel_nm: Nm3 | None = None
    channel: str | None = None

    def open(self) -> Image:
        return open_image(self.path, voxel_nm=self.voxel_nm, channel=self.channel)


@dataclass(frozen=True)
class NeuriteBlock:
    """Predicts the write box of a block and writes it into `out`, a volume made by `NeuritePrediction.create`."""

    image: StackFile
    model: str
    weights_sha256: str
    scale: VolumeScale
    mode: Mode
    out: Path

    def __call__(self, block: Block) -> Sequence[Path]:
        """Raises FormatError when the model is no longer the one the prediction was prepared with."""
        network, card = neurite_network(self.model)
        if card.weights_sha256 != self.weights_sha256:
            raise FormatError(
                f"Model '{self.model}' has weights {card.weights_sha256[:12]}",
                f"{self.weights_sha256[:12]}, with which this prediction began",
                "do not train into a model folder that is being used",
            )
        ready = NeuritePredictor(self.image.open(), network, card, self.scale, mode=self.mode)
        ome_zarr.write_box(ome_zarr.reopen(self.out), block.write, ready.bytes_of(block.write)[None])
        return ome_zarr.shard_files(self.out, block.write)


@dataclass(frozen=True, eq=False)
class NeuritePrediction:
    """A prediction of which all that can be wrong has been checked."""

    source: StackFile
    image: Image
    model: str
    card: ModelCard
    scale: VolumeScale
    mode: Mode

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know before trusting the answer."""
        return (THRESHOLDED,) if self.scale.thresholded else ()

    @property
    def device(self) -> str:
        """Where this process would compute; each worker decides for itself."""
        return "cuda" if torch.cuda.is_available() else "cpu"

    def create(self, path: Path, *, levels: int = 1) -> None:
        """Make the empty volume: one channel, uint8, the grid of the image."""
        ome_zarr.create(
            path,
            shape=(1, *self.image.grid.shape),
            dtype="uint8",
            grid=self.image.grid,
            channels=(NEURITE,),
            chunk=CHUNK,
            shard=SHARD,
            levels=levels,
        )

    def block_shape(self) -> Int3:
        """A multiple of the shards that wastes little and needs about half a gigabyte."""
        return BLOCK

    def work(self, out: Path) -> NeuriteBlock:
        """What a block has to do for the volume `out`."""
        return NeuriteBlock(self.source, self.model, self.card.weights_sha256, self.scale, self.mode, out.absolute())


def prepared_neurites(source: StackFile, model: str | Path = DEFAULT_NEURITE_MODEL, *, mode: Mode = "blend") -> NeuritePrediction:
    """Find everything that can be wrong before anything is written; reads the stack once for its grey scale.

    Raises as `neurite_probability` does.
    """
    _, card = neurite_network(model)
    image = source.open()
    check_voxels(image.grid, card, image.name)
    name = absolute_path(model) if Path(model).is_dir() else str(model)
    return NeuritePrediction(source, image, name, card, neurite_scale(image, card), mode)
