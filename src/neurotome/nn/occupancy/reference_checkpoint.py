"""Checkpoints of lucas-mohrhagen/VoxelMorph: read into the network of `residual.py`, which is the same one.

Its files are called {grid}_bs{batch}_nLat{cubes}_a{alpha}g{gamma}-lr{rate}_{F1 or IoU}.pth and hold num_iterations,
model_state_dict and optimizer_state_dict. What it calls its layers is not published, so tensors are taken by their order, which
is that of the computation, and must have the expected shapes. Where a reference registers the skip of a block before its
convolutions, the 1x1x1 ones of the decoder have the same shape: the values then decide nothing, and a test reconstruction must.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from neurotome.core import FormatError, MissingFileError, ModelCard, ShapeError
from neurotome.nn.checkpoint_file import read_stored
from neurotome.nn.occupancy.residual import VoxelAutoencoder, VoxelAutoencoderConfig

__all__ = ["ReferenceCheckpoint", "ReferenceName", "read_reference_checkpoint", "reference_name"]

_NAME = re.compile(
    r"(?P<grid>\d+)_bs(?P<batch>\d+)_nLat(?P<cubes>\w+?)_a(?P<alpha>[\d.]+)g(?P<gamma>[\d.]+)-lr(?P<rate>[\d.eE+-]+)_(?P<best>F1|IoU)\.pth"
)
KEYS = ("num_iterations", "model_state_dict", "optimizer_state_dict")


@dataclass(frozen=True)
class ReferenceName:
    """What the name of a checkpoint says. cubes: decoded in a training step, 0 for all of them. best: by F1 or IoU."""

    grid: int
    batch: int
    cubes: int
    alpha: float
    gamma: float
    learning_rate: float
    best: str


@dataclass(frozen=True, eq=False)
class ReferenceCheckpoint:
    """A network as the reference left it, in evaluation mode, and what its optimiser remembers."""

    name: ReferenceName
    network: VoxelAutoencoder
    iterations: int
    optimizer: Mapping[str, Any]

    def card(self) -> ModelCard:
        """To keep the network with `save_model`. Its frame lacks `range_nm`, which the reference keeps in another file."""
        config = {"grid": self.name.grid, "out_channels": 1}
        return ModelCard(
            name=f"voxelmorph-{self.name.grid}-{f'nlat{self.name.cubes}' if self.name.cubes else 'dense'}",
            family="voxel_autoencoder",
            config=config,
            channels=("occupied",),
            voxel_nm=(0.0, 0.0, 0.0),
            normalization="none",
            halo_vox=(0, 0, 0),
            training={"steps": self.iterations, **vars(self.name)},
            frame={"size": self.name.grid, "rule": "legacy", "scale": "global", "axes": "xyz"},
            cite=("lucas-mohrhagen/VoxelMorph",),
        )


def reference_name(name: str) -> ReferenceName:
    """What a file name of the reference says. Raises FormatError for another name.

    >>> reference_name("64_bs50_nLat10_a0.65g1-lr0.003_F1.pth")
    ReferenceName(grid=64, batch=50, cubes=10, alpha=0.65, gamma=1.0, learning_rate=0.003, best='F1')
    """
    match = _NAME.fullmatch(name)
    if match is None:
        raise FormatError(
            f"'{name}' is no checkpoint name of VoxelMorph",
            "{grid}_bs{batch}_nLat{cubes}_a{alpha}g{gamma}-lr{rate}_{F1 or IoU}.pth",
            "rename it as it was",
        )
    cubes = int(match["cubes"]) if match["cubes"].isdigit() else 0
    alpha, gamma, rate = (float(match[key]) for key in ("alpha", "gamma", "rate"))
    return ReferenceName(int(match["grid"]), int(match["batch"]), cubes, alpha, gamma, rate, match["best"])


def read_reference_checkpoint(path: Path | str) -> ReferenceCheckpoint:
    """The network of a checkpoint file. Only tensors and plain values are loaded, never code.

    Raises MissingFileError, FormatError for another file, ShapeError naming the first tensor that does not fit.
    """
    path = Path(path)
    if not path.is_file():
        raise MissingFileError(f"Checkpoint '{path}' does not exist", "a .pth file of VoxelMorph", "check the path")
    name = reference_name(path.name)
    stored = read_stored(path)
    if not isinstance(stored, Mapping) or (missing := [key for key in KEYS if key not in stored]):
        lacking = ", ".join(missing) if isinstance(stored, Mapping) else "everything"
        raise FormatError(f"Checkpoint '{path}' lacks {lacking}", f"the keys {', '.join(KEYS)}", "use a checkpoint of VoxelMorph")
    network = VoxelAutoencoder(VoxelAutoencoderConfig(grid=name.grid))
    network.load_state_dict(_by_order(network, stored["model_state_dict"], str(path)))
    return ReferenceCheckpoint(name, network.eval(), int(stored["num_iterations"]), stored["optimizer_state_dict"])


def _by_order(network: VoxelAutoencoder, theirs: Mapping[str, torch.Tensor], source: str) -> dict[str, torch.Tensor]:
    """Their tensors under our names."""
    ours = network.state_dict()
    found = {}
    for place, ((our_name, ours_is), (their_name, theirs_is)) in enumerate(zip(ours.items(), theirs.items(), strict=False)):
        if ours_is.shape != theirs_is.shape:
            raise ShapeError(
                f"Tensor {place} of '{source}', {their_name}, has shape {tuple(theirs_is.shape)}",
                f"{tuple(ours_is.shape)} for {our_name}",
                "use a checkpoint of the grid that its name says",
            )
        found[our_name] = theirs_is
    if len(ours) != len(theirs):
        raise ShapeError(
            f"'{source}' has {len(theirs)} tensors", f"{len(ours)}", "use a checkpoint of the grid that its name says"
        )
    return found
