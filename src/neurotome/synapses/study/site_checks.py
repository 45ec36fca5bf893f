"""Whether sites lie where the table says: inside their volume, with a neuron on each side.

What is wrong with the whole table is an error, because every crop would be wrong; what is wrong with single sites discards them:

    volume unknown                                                               error
    more than half of the sites outside                                          error, "fits if read as ..." when true
    some outside, all inside and joining more neurons with axes 1 and 3 swapped  error, the table is in another order
    sides that join no two neurons, or others than the table names, but swapped  error, the table is in another order
    a site outside                                                               discarded, outside_volume
    a side on background                                                         discarded, side_on_background, or snapped
    both sides in one neuron                                                     kept, a warning: its sides stay undetermined

Errors are judged for the table as a whole and for each volume of five sites or more.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from neurotome.core import SynapseVolume, UnknownNameError, ValueRangeError
from neurotome.io.label_table import listed
from neurotome.synapses.discarded import Discarded, discard_table
from neurotome.synapses.study.near import ids_at, nearest_voxel, window
from neurotome.synapses.study.site_table import COORDINATES, SIDE_IDS

__all__ = ["SNAP_VOX", "check_sites"]

_log = logging.getLogger(__name__)

SNAP_VOX = 5
"""How far a side on background may be from the nearest neuron to be moved there."""
_LEAST_ROWS = 5
_FEW, _MOST = 0.25, 0.9
"""Shares of sites that join two neurons where the order of axes is wrong, and right."""


def check_sites(
    sites: pd.DataFrame, volumes: Mapping[str, SynapseVolume], *, snap_sides: bool = False, needs_sides: bool = True
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The sites that can be used, and a row (`DISCARD_COLUMNS`, step "sites") for each that cannot.

    sites: canonical columns. snap_sides: move a side on background to the nearest voxel of a neuron within `SNAP_VOX` voxels.
    needs_sides: False where no mask uses the neurons; then only centres have to lie inside.
    Discarded values: how many voxels a site is outside, or a side is from the nearest neuron (NaN: none within `SNAP_VOX`).

    Raises UnknownNameError for a volume that is not there, ValueRangeError as the module says, with rows and the remedy.
    """
    for name in sites["volume"].unique():
        if name not in volumes:
            raise UnknownNameError("volume of the sites", name, volumes)
    points = sites[list(COORDINATES)].to_numpy(np.int64).reshape(-1, 3, 3)
    given = _Reading.of(points, sites, volumes, needs_sides=needs_sides)
    _require_order(points, given, sites, volumes, needs_sides=needs_sides)
    _warn(given, sites)
    discarded = _discarded(given, sites, snap_sides=snap_sides, needs_sides=needs_sides)
    kept = sites[~sites.index.isin(discarded["key"])].copy()
    if snap_sides:
        moved = given.places[~sites.index.isin(discarded["key"])].reshape(len(kept), 6)
        kept[list(COORDINATES[3:])] = moved
    return kept, discarded


@dataclass(frozen=True, eq=False)
class _Reading:
    """What the volumes hold where the sites of a table are.

    outside: (n,) voxels that the worst point of a site is outside, 0 = inside. ids: (n, 2) of the sides, of the nearest neuron
    where a side is on background, 0 = none near. distance: (n, 2) to it in voxels, NaN for none. places: (n, 2, 3) its voxel.
    """

    outside: np.ndarray
    ids: np.ndarray
    distance: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, points: np.ndarray, sites: pd.DataFrame, volumes: Mapping[str, SynapseVolume], *, needs_sides: bool) -> _Reading:
        """points: (n, 3, 3), centre and sides of each site, z, y, x."""
        n = len(points)
        found = cls(np.zeros(n, np.int64), np.zeros((n, 2), np.uint64), np.zeros((n, 2)), points[:, 1:].copy())
        for name, rows in sites.groupby("volume", sort=False).indices.items():
            volume = volumes[str(name)]
            beyond = np.maximum(-points[rows], points[rows] - (np.array(volume.neurons.grid.shape) - 1)).max(2)
            found.outside[rows] = np.maximum(beyond if needs_sides else beyond[:, :1], 0).max(1)
            for side in (0, 1):
                found.ids[rows, side] = ids_at(volume.neurons, points[rows, 1 + side])
                for row in rows[(found.ids[rows, side] == 0) & (found.outside[rows] == 0)]:
                    found._look_near(volume, int(row), side)
        return found

    def _look_near(self, volume: SynapseVolume, row: int, side: int) -> None:
        at = self.places[row, side].copy()
        box, ids = window(volume.neurons, at, (SNAP_VOX,) * 3)
        nearest = nearest_voxel(ids > 0, at - np.array(box.start))
        self.distance[row, side] = np.nan
        if nearest is not None and nearest[1] <= SNAP_VOX:
            self.ids[row, side] = ids[nearest[0]]
            self.distance[row, side] = nearest[1]
            self.places[row, side] = np.array(nearest[0]) + np.array(box.start)

    @property
    def joins(self) -> np.ndarray:
        """Sites inside that have two different neurons at, or next to, their sides."""
        joined: np.ndarray = (self.outside == 0) & (self.ids > 0).all(1) & (self.ids[:, 0] != self.ids[:, 1])
        return joined


def _require_order(
    points: np.ndarray, given: _Reading, sites: pd.DataFrame, volumes: Mapping[str, SynapseVolume], *, needs_sides: bool
) -> None:
    named = _Named.of(sites)
    agrees = np.ones(len(sites), bool) if named is None else named.agree(given.ids)
    if named is not None and not agrees.all():
        other = (~agrees).sum()
        _log.warning("%d of %d sites have other neurons at their sides than %s say", other, len(sites), named.columns)
    unjoined = needs_sides and any(given.joins[group].mean() <= _FEW for group in _groups(sites))
    if not (given.outside.any() or unjoined or 2 * agrees.sum() < len(sites)):
        return
    swapped = _Reading.of(points[..., ::-1], sites, volumes, needs_sides=needs_sides)
    for group in _groups(sites):
        _require_inside(given, swapped, sites, group)
        if needs_sides and given.joins[group].mean() <= _FEW and swapped.joins[group].mean() >= _MOST:
            _raise_order(f"{given.joins[group].sum()} of {len(group)} sites join two neurons", swapped.joins[group].sum())
    if named is not None and 2 * agrees.sum() < len(sites) < 2 * (other := named.agree(swapped.ids).sum()):
        _raise_order(f"{agrees.sum()} of {len(sites)} sites have the neurons of {named.columns} at their sides", other)


def _groups(sites: pd.DataFrame) -> Iterator[np.ndarray]:
    """Positions of all rows, then those of each volume that has enough to be judged."""
    if len(sites):
        yield np.arange(len(sites))
    yield from (rows for rows in sites.groupby("volume", sort=False).indices.values() if len(rows) >= _LEAST_ROWS)


def _require_inside(given: _Reading, swapped: _Reading, sites: pd.DataFrame, group: np.ndarray) -> None:
    outside = group[given.outside[group] > 0]
    fits = not swapped.outside[group].any()
    better = fits and swapped.joins[group].sum() > given.joins[group].sum()
    if 2 * len(outside) > len(group) or (len(outside) and better):
        hint = "; all would fit if read as x, y, z" if fits else ""
        raise ValueRangeError(
            f"{len(outside)} of {len(group)} sites lie outside their volume{hint}: {_places(sites, outside)}",
            "voxels of the volume, 0 at its corner",
            "the columns are in the other order: swap axes 1 and 3 (order)"
            if fits
            else "subtract the origin, or correct the table",
        )


def _raise_order(given: str, swapped: int) -> None:
    raise ValueRangeError(
        f"The table seems to be in another axis order than stated: {given} as it is read, {swapped} with axes 1 and 3 swapped",
        "sides that lie in the neurons they join",
        "swap axes 1 and 3 (order: xyz where z, y, x was stated, and the other way round)",
    )


def _places(sites: pd.DataFrame, rows: np.ndarray) -> str:
    centres = sites.iloc[rows][list(COORDINATES[:3])]
    return listed([f"{key} at z, y, x = {z}, {y}, {x}" for key, z, y, x in centres.itertuples()])


@dataclass(frozen=True, eq=False)
class _Named:
    """The neurons that a table names for its sides.

    ids: (n, 2) uint64, 0 = none. ordered: the first is that of side 1; otherwise they are told apart by pre and post.
    """

    ids: np.ndarray
    ordered: bool
    columns: str

    @classmethod
    def of(cls, sites: pd.DataFrame) -> _Named | None:
        pair = next((p for p in SIDE_IDS if p[0] in sites.columns and p[1] in sites.columns), None)
        if pair is None:
            return None
        # An id may be written "volume_id"; beyond 2^53 only text keeps all digits.
        text = [sites[name].astype(str).str.extract(r"(\d+)(?:\.0)?$")[0].fillna("0") for name in pair]
        ids = np.array([[int(value) for value in column] for column in text], np.uint64).T
        return cls(ids, pair[0].startswith("side"), " and ".join(pair)) if (ids > 0).any() else None

    def agree(self, found: np.ndarray) -> np.ndarray:
        """Sites whose sides lie in the neurons named; where none is named, any will do."""
        straight = ((found == self.ids) | (self.ids == 0)).all(1)
        crossed = ((found[:, ::-1] == self.ids) | (self.ids == 0)).all(1)
        agreed: np.ndarray = straight if self.ordered else straight | crossed
        return agreed


def _warn(given: _Reading, sites: pd.DataFrame) -> None:
    off = [
        f"{key} side {side + 1} ({'no neuron near' if np.isnan(d) else f'neuron {neuron} is {d:.1f} voxels away'})"
        for key, ids, distances, outside in zip(sites.index, given.ids, given.distance, given.outside, strict=True)
        for side, (neuron, d) in enumerate(zip(ids, distances, strict=True))
        if d != 0 and not outside
    ]
    if off:
        accepts = f"snap_sides: true accepts those within {SNAP_VOX} voxels of a neuron"
        _log.warning("%d sides lie on background: %s; %s", len(off), listed(off), accepts)
    same = sites.index[(given.outside == 0) & (given.ids[:, 0] == given.ids[:, 1]) & (given.distance == 0).all(1)]
    if len(same):
        _log.warning("%d sites have both sides in one neuron, which leaves them undetermined: %s", len(same), listed(same))


def _discarded(given: _Reading, sites: pd.DataFrame, *, snap_sides: bool, needs_sides: bool) -> pd.DataFrame:
    rows = []
    for key, outside, distances in zip(sites.index, given.outside, given.distance, strict=True):
        off = bool(np.isnan(distances).any() if snap_sides else (distances != 0).any())
        if outside:
            rows.append(Discarded(key, "sites", "outside_volume", float(outside), 0.0))
        elif off and needs_sides:
            rows.append(Discarded(key, "sites", "side_on_background", float(distances.max()), SNAP_VOX if snap_sides else 0.0))
    return discard_table(rows)
