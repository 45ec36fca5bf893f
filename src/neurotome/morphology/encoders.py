"""Encoders: trained networks that turn a shape on its grid into a row of numbers, and back into a grid.

family             poolings, the usual one first
cube_autoencoder   bottleneck   z, what the network was trained to remember a neuron by
                   steady       the part of z that is to stay when a neuron is turned, mirrored or trimmed
                   mean, max    of the tokens of the occupied cubes
voxel_autoencoder  mean+max     mean and maximum of the latent grid over its 512 places, one after the other
                   mean, max    one of them
                   legacy_channel_max    512 numbers: the maximum over channels at each place, as lucas-mohrhagen/VoxelMorph does
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import torch

from neurotome.core import InputError, ModelCard, ShapeError, UnknownNameError
from neurotome.morphology.occupancy import GridSettings
from neurotome.nn import load_model

__all__ = ["DEFAULT_ENCODER", "POOLINGS", "RECONSTRUCTIONS", "ShapeEncoder", "load_encoder", "require_pooling"]

DEFAULT_ENCODER = "neuron-shape-64"

Pooling = Callable[[Any, torch.Tensor, torch.Tensor], torch.Tensor]
"""A network, grids (n, g, g, g) and log extents (n,) -> (n, d)."""


def _of_latent(pool: Callable[[torch.Tensor], torch.Tensor]) -> Pooling:
    """A pooling of the latent grid (n, c, 512) of a voxel autoencoder."""
    return lambda network, grids, _: pool(network.encode(grids[:, None].float()).flatten(2))


def _of_tokens(pool: Callable[[torch.Tensor], torch.Tensor]) -> Pooling:
    """A pooling of the tokens (t, width) of one shape's occupied cubes."""

    def pooled(network: Any, grids: torch.Tensor, log_extent: torch.Tensor) -> torch.Tensor:
        encoded = network(grids, log_extent)
        counts = torch.bincount(encoded.cubes.shape, minlength=encoded.cubes.batch).tolist()
        return torch.stack(
            [pool(tokens) if len(tokens) else tokens.new_zeros(tokens.shape[1]) for tokens in encoded.tokens.split(counts)]
        )

    return pooled


POOLINGS: Mapping[str, Mapping[str, Pooling]] = MappingProxyType(
    {
        "cube_autoencoder": {
            "bottleneck": lambda network, grids, log_extent: network(grids, log_extent).z,
            "steady": lambda network, grids, log_extent: network(grids, log_extent).z[:, : network.config.steady],
            "mean": _of_tokens(lambda tokens: tokens.mean(0)),
            "max": _of_tokens(lambda tokens: tokens.amax(0)),
        },
        "voxel_autoencoder": {
            "mean+max": _of_latent(lambda latent: torch.cat((latent.mean(2), latent.amax(2)), 1)),
            "mean": _of_latent(lambda latent: latent.mean(2)),
            "max": _of_latent(lambda latent: latent.amax(2)),
            "legacy_channel_max": _of_latent(lambda latent: latent.amax(1)),
        },
    }
)

RECONSTRUCTIONS: Mapping[str, Mapping[str, Pooling]] = MappingProxyType(
    {
        "cube_autoencoder": {
            "codes": lambda network, grids, log_extent: network.from_codes(network(grids, log_extent)),
            "bottleneck": lambda network, grids, log_extent: network.from_bottleneck(network(grids, log_extent).z),
        },
        "voxel_autoencoder": {"latent": lambda network, grids, _: torch.sigmoid(network(grids[:, None].float())[:, 0])},
    }
)
"""From what a family makes grids again, the usual one first: numbers of each cube, or of the whole shape."""


@dataclass(frozen=True, eq=False)
class ShapeEncoder:
    """A trained network of shapes. settings: how a shape is put on its grid, as in training."""

    network: Any
    card: ModelCard
    settings: GridSettings

    @property
    def grid(self) -> int:
        return self.settings.size

    @property
    def poolings(self) -> tuple[str, ...]:
        """What `embed` can be asked for, the usual one first."""
        return tuple(POOLINGS[self.card.family])

    @property
    def reconstructions(self) -> tuple[str, ...]:
        """From what `reconstruct` can start, the usual one first."""
        return tuple(RECONSTRUCTIONS[self.card.family])

    def threshold(self, source: str | None = None) -> float:
        """The probability above which a reconstructed voxel counts as occupied; chosen on validation neurons."""
        source = _known("reconstruction", source, self.reconstructions)
        usual = source == self.reconstructions[0]
        return float(self.card.segmentation.get("threshold" if usual else f"threshold_{source}", 0.5))

    def embed(self, grids: np.ndarray, log_extent: np.ndarray, pooling: str | None = None) -> np.ndarray:
        """Grids (n, g, g, g) and ln of half their sides in um (n,) -> (n, d) float32; a row does not depend on the others.

        Raises UnknownNameError for the pooling, ShapeError for other grids.
        """
        return self._each(POOLINGS[self.card.family][_known("pooling", pooling, self.poolings)], grids, log_extent)

    def reconstruct(self, grids: np.ndarray, log_extent: np.ndarray, source: str | None = None) -> np.ndarray:
        """The probability of each voxel, (n, g, g, g) float32. source: one of `reconstructions`.

        Raises UnknownNameError for the source, ShapeError for other grids.
        """
        way = RECONSTRUCTIONS[self.card.family][_known("reconstruction", source, self.reconstructions)]
        return self._each(way, grids, log_extent)

    def _each(self, way: Pooling, grids: np.ndarray, log_extent: np.ndarray) -> np.ndarray:
        """One shape at a time: the libraries add up in another order for another batch, and the last digits would change."""
        grids, log_extent = np.asarray(grids), np.asarray(log_extent, np.float32)
        if grids.shape[1:] != (self.grid,) * 3:
            raise ShapeError(
                f"Grids of shape {grids.shape}",
                f"(n, {self.grid}, {self.grid}, {self.grid}), as model '{self.card.name}' was trained on",
                f"put the shapes on a grid of {self.grid}, or take another model",
            )
        if log_extent.shape != grids.shape[:1]:
            raise ShapeError(f"{len(grids)} grids and log extents of shape {log_extent.shape}", f"({len(grids)},)")
        with torch.inference_mode():
            rows = [
                way(self.network, torch.from_numpy(np.ascontiguousarray(grid[None])), torch.from_numpy(extent[None]))[0].float()
                for grid, extent in zip(grids, log_extent, strict=True)
            ]
        return torch.stack(rows).numpy() if rows else np.zeros((0, *self._empty_shape(way)), np.float32)

    def _empty_shape(self, way: Pooling) -> tuple[int, ...]:
        with torch.inference_mode():
            return tuple(way(self.network, torch.zeros(1, *(self.grid,) * 3, dtype=torch.uint8), torch.zeros(1)).shape[1:])

    @cached_property
    def identity(self) -> dict[str, str]:
        """What a table says of the model its rows come from."""
        return {"model": self.card.name, "weights_sha256": self.card.weights_sha256}


def load_encoder(model: str | Path = DEFAULT_ENCODER, *, asked: GridSettings | Mapping[str, Any] | None = None) -> ShapeEncoder:
    """A network of shapes from the zoo or a folder, ready to use.

    asked: grid settings, or some of them, that the model has to have been trained with; None asks for nothing.
    Raises InputError for a model of another kind and for settings that differ, both values named.
    """
    network, card = load_model(model)
    if card.family not in POOLINGS:
        raise InputError(
            f"Model '{model}' is of family '{card.family}', which encodes no shapes",
            f"one of {', '.join(POOLINGS)}",
            f"take '{DEFAULT_ENCODER}', or train one with `neurotome morphology train`",
        )
    if not card.frame:
        raise InputError(f"The card of model '{model}' does not say how shapes were put on its grid", "a frame in card.json")
    settings = GridSettings.from_json(card.frame)
    if settings.size != network.config.grid:
        raise InputError(
            f"Model '{model}' is a network for a grid of {network.config.grid}, its card says {settings.size}", "one size"
        )
    _require_same(str(model), settings, asked)
    return ShapeEncoder(network, card, settings)


def require_pooling(name: str | None, family: str) -> None:
    """Raises UnknownNameError for a pooling that encoders of the family do not have."""
    _known("pooling", name, tuple(POOLINGS[family]))


def _require_same(model: str, settings: GridSettings, asked: GridSettings | Mapping[str, Any] | None) -> None:
    wanted = (
        asked.to_json()
        if isinstance(asked, GridSettings)
        else GridSettings.from_json({**settings.to_json(), **(asked or {})}).to_json()
    )
    trained = settings.to_json()
    differing = [key for key, value in wanted.items() if value != trained[key]]
    if differing:
        raise InputError(
            f"Asked for a grid with {', '.join(f'{key} {wanted[key]}' for key in differing)}",
            f"{', '.join(f'{key} {trained[key]}' for key in differing)}, as model '{model}' was trained",
            "leave it out, or take a model that was trained so",
        )


def _known(kind: str, name: str | None, known: tuple[str, ...]) -> str:
    if name is None:
        return known[0]
    if name not in known:
        raise UnknownNameError(kind, name, known)
    return name
