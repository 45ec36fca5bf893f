"""`make_study`: from a spec to volumes of tissue with one synapse per cell, one step per line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from neurotome.core import Image, Labels, Legend, Progress, SynapseVolume, silent
from neurotome.datasets.synapse_phantoms.anatomy import POST, PRE, REACH_NM, SHAPE, place
from neurotome.datasets.synapse_phantoms.contents import Canvas, fill_neighbours, fill_synapse
from neurotome.datasets.synapse_phantoms.exposure import expose, exposure_of
from neurotome.datasets.synapse_phantoms.kinds import KINDS, ONE_KIND, SynapseKind, vary
from neurotome.datasets.synapse_phantoms.layout import Lattice, lattice_for, presynapses
from neurotome.datasets.synapse_phantoms.neuropil import Neuropil, bent_space, claim, grow
from neurotome.datasets.synapse_phantoms.sites import find_site
from neurotome.datasets.synapse_phantoms.spec import BLOCK, PhantomStudy, StudySpec
from neurotome.datasets.synapse_phantoms.tissue import draw_tissue, membrane_profile
from neurotome.io import LazyArray, site_table

__all__ = ["DATASET", "make_study"]

DATASET = "phantom"
_STRUCTURES = ("mitochondria", "vesicles", "cleft", "cleft2", "psd")
_GREY, _GREY_SPREAD = 178.0, 9.0
_CLAIM_NM = 330.0


def make_study(spec: StudySpec | None = None, *, progress: Progress = silent) -> PhantomStudy:
    """Volumes of synthetic EM with synapses of planted types, and all of their truth; the same spec gives the same bytes.

    In a study of one type, sizes vary continuously around it: whoever finds kinds in it has invented them.
    """
    spec = spec or StudySpec()
    made = []
    for number, seed in enumerate(np.random.SeedSequence(spec.seed).spawn(spec.volumes)):
        made.append(_make_volume(spec, number, np.random.default_rng(seed)))
        progress("phantom volumes", number + 1, spec.volumes)
    rows = [row for _, volume_rows in made for row in volume_rows]
    sites = site_table(rows)
    truth = pd.DataFrame([row["truth"] for row in rows], index=sites.index)
    owner = truth["pre_id"]
    sharing = {str(pre): tuple(map(str, keys)) for pre, keys in owner.groupby(owner).groups.items()}
    return PhantomStudy(spec, tuple(volume for volume, _ in made), sites, truth, sharing)


def _make_volume(spec: StudySpec, number: int, rng: np.random.Generator) -> tuple[SynapseVolume, list[dict[str, Any]]]:
    name, lattice = f"v{number + 1}", lattice_for(spec, rng)
    types = rng.permutation(np.repeat(np.arange(spec.types), spec.n_per_type))
    owner = presynapses(types, spec.loyalty, rng)
    kinds = [vary(KINDS[t] if spec.types > 1 else ONE_KIND, spec.variation, rng) for t in types]
    shapes = _shapes(kinds, owner, lattice, spec.variation, rng)
    # Twice as many as planted: those elsewhere count too.
    most = 2 * sum(kind.vesicles for kind in kinds)
    canvas, ids = _tissue(spec, number, lattice, shapes, most, rng)
    planted = [fill_synapse(canvas, shape, kind, rng) for shape, kind in zip(shapes, kinds, strict=True)]
    if spec.distractors:
        fill_neighbours(canvas, shapes, rng)
    expose(canvas.image, exposure_of(number, spec.brightness_shift, spec.noise), int(rng.integers(2**31)))
    rows = []
    for i, (shape, kind, found) in enumerate(zip(shapes, kinds, planted, strict=True)):
        site = find_site(canvas, shape, rng)
        pre_side = int(rng.integers(1, 3))
        sides = [site.pre, site.post] if pre_side == 1 else [site.post, site.pre]
        truth = _truth(int(types[i]), kind, shape, ids, name) | found | {"pre_side": pre_side}
        row = {"dataset": DATASET, "volume": name, "synapse_id": f"s{i + 1:03d}", "center": site.center, "truth": truth}
        rows.append(row | {"side1": sides[0], "side2": sides[1]})
    return _as_volume(name, canvas, ids), rows


def _shapes(
    kinds: Sequence[SynapseKind], owner: np.ndarray, lattice: Lattice, variation: float, rng: np.random.Generator
) -> np.ndarray:
    """One row of SHAPE per synapse; presynaptic neurons are numbered from 1, postsynaptic ones after them."""
    shapes = np.empty(len(kinds), SHAPE)
    jitter = min(lattice.jitter_nm(), 40.0)
    for i, (kind, middle) in enumerate(zip(kinds, lattice.centres_nm(), strict=True)):
        shapes[i] = place(kind, middle + rng.uniform(-jitter, jitter, 3) / np.sqrt(3), variation, rng)
    shapes["ids"][:, PRE] = owner + 1
    shapes["ids"][:, POST] = owner.max() + 2 + np.arange(len(kinds))
    return shapes


def _tissue(
    spec: StudySpec, number: int, lattice: Lattice, shapes: np.ndarray, vesicles: int, rng: np.random.Generator
) -> tuple[Canvas, np.ndarray]:
    """Everything but organelles, and the id of each neuron number; vesicles: the most that can come."""
    grid = lattice.grid
    voxel = np.array(grid.voxel_nm)
    pil = grow(np.array(grid.shape) * voxel, int(shapes["ids"].max()) + 1, rng)
    _go_on(pil, shapes)
    blocks = tuple(-(-n // BLOCK) + 1 for n in grid.shape)
    bend = bent_space(blocks, voxel * BLOCK, rng)
    count = int(pil.owners.max()) + 1
    greys = np.clip(_GREY + _GREY_SPREAD * rng.standard_normal(count), 150, 205).astype(np.float32)
    canvas = Canvas(
        image=np.empty(grid.shape, np.uint8),
        neurons=np.empty(grid.shape, np.uint16 if count < 2**16 else np.uint32),
        organelles=np.zeros(grid.shape, np.uint8),
        instances=np.zeros(grid.shape, np.uint16 if vesicles < 2**16 else np.uint32),
        marks=_marks(number, own=spec.own_labels),
        voxel_nm=grid.voxel_nm,
        pil=pil,
        bend=bend,
    )
    marks = np.array([canvas.marks[name] for name in ("cleft", "cleft2", "psd")])
    cell, margin = np.array(lattice.cell), np.array(lattice.margin)
    space = (voxel, bend, pil.turn, pil.points, pil.owners, pil.bonus, pil.corner_nm, lattice.rows, margin, cell)
    draw_tissue(canvas.neurons, canvas.image, canvas.organelles, *space, shapes, greys, membrane_profile(), marks)
    # Ids of real connectomes do not fit into 32 bits either.
    ids = (number + 1) * 10**10 + np.sort(rng.choice(10**9, count, replace=False)).astype(np.uint64)
    ids = ids.astype(np.uint64)
    ids[0] = 0
    return canvas, ids


def _go_on(pil: Neuropil, shapes: np.ndarray) -> None:
    """Axons and dendrites do not end where their synapse's own shapes do."""
    for shape in shapes:
        for side in (PRE, POST):
            way = (shape["tube_to"][side] - shape["tube_from"][side]) @ shape["frame"]
            middle = shape["centre"]
            claim(pil, middle, way, int(shape["ids"][side]), _CLAIM_NM)
            # Axons and shafts pass by; the neck of a spine leads away on one side only.
            if np.linalg.norm(shape["tube_from"][side]) > REACH_NM:
                claim(pil, middle, -way, int(shape["ids"][side]), _CLAIM_NM)


def _marks(number: int, *, own: bool) -> dict[str, int]:
    """The label id of each structure in a volume: 1 to 5, or in another order and with gaps for each volume.

    >>> _marks(0, own=True) == _marks(7, own=False), _marks(1, own=True)["cleft"] != _marks(0, own=True)["cleft"]
    (True, True)
    """
    if number == 0 or not own:
        return {name: i + 1 for i, name in enumerate(_STRUCTURES)}
    ids = np.random.default_rng(number).choice(np.arange(1, 30), len(_STRUCTURES), replace=False)
    return dict(zip(_STRUCTURES, map(int, ids), strict=True))


def _truth(kind_number: int, kind: SynapseKind, shape: np.ndarray, ids: np.ndarray, volume: str) -> dict[str, Any]:
    pre, post = (int(ids[shape["ids"][side]]) for side in (PRE, POST))
    planted = asdict(kind)
    return {
        "type": kind_number,
        "kind": planted.pop("name"),
        **{f"planted_{name}" if name == "vesicles" else name: value for name, value in planted.items()},
        "pre_label": pre,
        "post_label": post,
        "pre_id": f"{volume}_{pre}",
        "post_id": f"{volume}_{post}",
        **{f"normal_{axis}": float(part) for axis, part in zip("zyx", shape["frame"][2], strict=True)},
    }


def _as_volume(name: str, canvas: Canvas, ids: np.ndarray) -> SynapseVolume:
    grid = canvas.grid
    reader = partial(_looked_up, canvas.neurons, ids)
    legend = Legend({mark: structure for structure, mark in canvas.marks.items()})
    return SynapseVolume(
        name,
        Image(canvas.image, grid, name="image"),
        Labels(LazyArray.whole(reader, grid.shape, np.uint64), grid, name="neurons"),
        Labels(canvas.organelles, grid, legend, name="organelles"),
        {structure: (mark,) for structure, mark in canvas.marks.items()},
        instances=Labels(canvas.instances, grid, name="instances"),
    )


def _looked_up(numbers: np.ndarray, ids: np.ndarray, ranges: tuple[tuple[int, int], ...]) -> np.ndarray:
    """The 64-bit ids of a box: a quarter of the memory of keeping them all."""
    return np.asarray(ids[numbers[tuple(slice(a, b) for a, b in ranges)]])
