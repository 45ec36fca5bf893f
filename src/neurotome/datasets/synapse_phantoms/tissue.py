"""The kernel that gives every voxel its neuron, its cleft and its grey value before organelles and noise."""

from __future__ import annotations

import math

import numba
import numpy as np

from neurotome.datasets.synapse_phantoms.anatomy import BRIM, POST, PRE, REACH_NM
from neurotome.datasets.synapse_phantoms.neuropil import SPACING_NM
from neurotome.datasets.synapse_phantoms.spec import BLOCK

__all__ = ["MEMBRANE_GREY", "draw_tissue", "membrane_profile"]

MEMBRANE_GREY = 66.0
_CLEFT_GREY, _DENSITY_GREY = 128.0, 44.0
# Half the gap between two neurons, without label; in a cleft the gap is wider by twice _WIDER_NM.
_GAP_NM, _WIDER_NM = 5.0, 5.0
_ROUND_NM = 45.0
# Nothing of a cleft or its density is further from its middle.
_CLEFT_REACH_NM = 65.0
# By how much bent space can lengthen a block.
_STRETCH = 1.4
_FAR = 1e9
_MOST_POINTS = 48
_PROFILE_STEP_NM, _PROFILE_NM = 0.5, 28.0


def membrane_profile() -> np.ndarray:
    """How dark a membrane is, 0 to 1, at distances of 0, 0.5, ... 28 nm from the middle of the gap: a band over a haze."""
    at = np.arange(0, _PROFILE_NM + _PROFILE_STEP_NM, _PROFILE_STEP_NM)
    dark = 0.78 * np.exp(-0.5 * ((at - 9.0) / 4.6) ** 2) + 0.34 * np.exp(-0.5 * (at / 9.0) ** 2)
    return np.minimum(dark, 1).astype(np.float32)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def draw_tissue(  # type: ignore[no-untyped-def]
    neurons,
    image,
    organelles,
    voxel,
    bend,
    turn,
    points,
    owners,
    bonus,
    corner,
    cells,
    margin,
    cell,
    shapes,
    greys,
    profile,
    marks,
) -> None:
    """Fill neurons (z, y, x) uint16, image uint8 and organelles uint8, block by block.

    voxel: nm. bend: (blocks + 1, 3) displacement in nm at block corners. turn, points, owners, bonus, corner: see `Neuropil`.
    cells: (cz, cy, cx) row of `shapes` or -1; the first cell begins at voxel `margin` and has `cell` voxels.
    greys: of each neuron number. marks: label ids of cleft, second cleft and postsynaptic density.
    """
    where = np.empty((_MOST_POINTS, 4))
    who = np.empty(_MOST_POINTS, np.int64)
    apart = np.empty((_MOST_POINTS, _MOST_POINTS))
    half = 0.5 * BLOCK * math.sqrt(voxel[0] ** 2 + voxel[1] ** 2 + voxel[2] ** 2)
    slack = _STRETCH * half + _PROFILE_NM
    start = np.empty(3, np.int64)
    for bz in range(bend.shape[0] - 1):
        for by in range(bend.shape[1] - 1):
            for bx in range(bend.shape[2] - 1):
                start[0], start[1], start[2] = bz * BLOCK, by * BLOCK, bx * BLOCK
                local = bend[bz : bz + 2, by : by + 2, bx : bx + 2]
                count = _near_points(start, local, voxel, turn, points, owners, bonus, corner, slack, where, who)
                alone = True
                for i in range(1, count):
                    alone &= who[i] == who[0]
                row = _synapse_at(start, cells, margin, cell, shapes, voxel, half)
                if alone and row < 0:
                    for z in range(start[0], min(start[0] + BLOCK, neurons.shape[0])):
                        for y in range(start[1], min(start[1] + BLOCK, neurons.shape[1])):
                            for x in range(start[2], min(start[2] + BLOCK, neurons.shape[2])):
                                neurons[z, y, x] = who[0]
                                image[z, y, x] = greys[who[0]]
                    continue
                for i in range(count):
                    for j in range(i):
                        apart[i, j] = apart[j, i] = 0.5 / math.sqrt(
                            (where[i, 0] - where[j, 0]) ** 2 + (where[i, 1] - where[j, 1]) ** 2 + (where[i, 2] - where[j, 2]) ** 2
                        )
                _draw_block(
                    neurons,
                    image,
                    organelles,
                    start,
                    voxel,
                    local,
                    turn,
                    where,
                    who,
                    apart,
                    count,
                    shapes,
                    row,
                    greys,
                    profile,
                    marks,
                )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _near_points(start, local, voxel, turn, points, owners, bonus, corner, slack, where, who) -> int:  # type: ignore[no-untyped-def]
    """The points that can own a voxel of a block or lie just behind a membrane in it: place and bonus, and owner."""
    flat, at = np.empty(3), np.empty(3)
    home = np.empty(3, np.int64)
    for a in range(3):
        mean = 0.0
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    mean += local[i, j, k, a] / 8
        flat[a] = (start[a] + 0.5 * (BLOCK - 1)) * voxel[a] + mean
    at[0], at[1], at[2] = _in_frame(turn, flat[0], flat[1], flat[2])
    for a in range(3):
        home[a] = min(max(int((at[a] - corner[a]) / SPACING_NM), 1), points.shape[a] - 2)
    best, b = _FAR * _FAR, home.copy()
    for z in range(home[0] - 1, home[0] + 2):
        for y in range(home[1] - 1, home[1] + 2):
            for x in range(home[2] - 1, home[2] + 2):
                p = points[z, y, x]
                power = (p[0] - at[0]) ** 2 + (p[1] - at[1]) ** 2 + (p[2] - at[2]) ** 2 - bonus[z, y, x]
                if power < best:
                    best = power
                    b[0], b[1], b[2] = z, y, x
    count, nearest = 0, points[b[0], b[1], b[2]]
    for z in range(home[0] - 1, home[0] + 2):
        for y in range(home[1] - 1, home[1] + 2):
            for x in range(home[2] - 1, home[2] + 2):
                p = points[z, y, x]
                power = (p[0] - at[0]) ** 2 + (p[1] - at[1]) ** 2 + (p[2] - at[2]) ** 2 - bonus[z, y, x]
                off = math.sqrt((p[0] - nearest[0]) ** 2 + (p[1] - nearest[1]) ** 2 + (p[2] - nearest[2]) ** 2)
                if power - best <= 2 * off * slack and count < _MOST_POINTS:
                    where[count, 0], where[count, 1], where[count, 2] = p[0], p[1], p[2]
                    where[count, 3] = bonus[z, y, x]
                    who[count] = owners[z, y, x]
                    count += 1
    return count


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _synapse_at(start, cells, margin, cell, shapes, voxel, half) -> int:  # type: ignore[no-untyped-def]
    """The synapse whose reach a block touches, or -1."""
    lot = np.empty(3, np.int64)
    for a in range(3):
        lot[a] = (start[a] - margin[a]) // cell[a]
        if lot[a] < 0 or lot[a] >= cells.shape[a]:
            return -1
    row = cells[lot[0], lot[1], lot[2]]
    if row < 0:
        return -1
    far = 0.0
    for a in range(3):
        far += ((start[a] + 0.5 * (BLOCK - 1)) * voxel[a] - shapes[row].centre[a]) ** 2
    return row if math.sqrt(far) < REACH_NM + half else -1


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _draw_block(  # type: ignore[no-untyped-def]
    neurons, image, organelles, start, voxel, local, turn, where, who, apart, count, shapes, row, greys, profile, marks
) -> None:
    bent, left, step = np.empty(3), np.empty(3), np.empty(3)
    for dz in range(min(BLOCK, neurons.shape[0] - start[0])):
        for dy in range(min(BLOCK, neurons.shape[1] - start[1])):
            for a in range(3):
                left[a], step[a] = _along_row(local, dz / BLOCK, dy / BLOCK, a)
            for dx in range(min(BLOCK, neurons.shape[2] - start[2])):
                z, y, x = start[0] + dz, start[1] + dy, start[2] + dx
                for a in range(3):
                    bent[a] = left[a] + dx * step[a]
                pz, py, px = z * voxel[0], y * voxel[1], x * voxel[2]
                qz, qy, qx = _in_frame(turn, pz + bent[0], py + bent[1], px + bent[2])
                owner, inside = _owner(qz, qy, qx, where, who, apart, count)
                zone, across, behind, mark = 0.0, _FAR, 0.0, 0
                if row >= 0:
                    owner, inside, zone, across, behind, mark = _in_synapse(pz, py, px, bent, owner, inside, shapes[row])
                neurons[z, y, x] = owner if inside >= _GAP_NM else 0
                grey = greys[owner]
                if inside < _PROFILE_NM:
                    dark = profile[int(max(inside, 0.0) / _PROFILE_STEP_NM)] * (1 - zone)
                    grey += dark * (MEMBRANE_GREY - grey)
                if zone > 0:
                    grey = _cleft_grey(grey, zone, across, behind, shapes[row].density)
                    if mark > 0:
                        organelles[z, y, x] = marks[mark - 1]
                image[z, y, x] = grey


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _along_row(local, fz, fy, a):  # type: ignore[no-untyped-def]
    """Component a of the displacement where a row of a block begins, and what it gains per voxel."""
    left = (1 - fz) * ((1 - fy) * local[0, 0, 0, a] + fy * local[0, 1, 0, a])
    left += fz * ((1 - fy) * local[1, 0, 0, a] + fy * local[1, 1, 0, a])
    right = (1 - fz) * ((1 - fy) * local[0, 0, 1, a] + fy * local[0, 1, 1, a])
    right += fz * ((1 - fy) * local[1, 0, 1, a] + fy * local[1, 1, 1, a])
    return left, (right - left) / BLOCK


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _owner(z, y, x, where, who, apart, count):  # type: ignore[no-untyped-def]
    """Which neurite owns a place, and how far (nm) it is to the middle of the gap to the next."""
    best, least = 0, _FAR * _FAR
    for i in range(count):
        power = (where[i, 0] - z) ** 2 + (where[i, 1] - y) ** 2 + (where[i, 2] - x) ** 2 - where[i, 3]
        if power < least:
            best, least = i, power
    inside = _FAR
    for i in range(count):
        if who[i] != who[best]:
            power = (where[i, 0] - z) ** 2 + (where[i, 1] - y) ** 2 + (where[i, 2] - x) ** 2 - where[i, 3]
            inside = min(inside, (power - least) * apart[i, best])
    return who[best], inside


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _in_synapse(pz, py, px, bent, owner, inside, s):  # type: ignore[no-untyped-def]
    """The owner of a place near a synapse, its distance to the gap, and what the cleft is there.

    Returns owner, inside (nm), zone (0 outside the cleft to 1 within), across (nm from the middle of the cleft, negative
    on the presynaptic side), behind (nm from there to the end of the density), mark (0 none, 1 cleft, 2 second cleft, 3 density).
    """
    dz, dy, dx = pz - s.centre[0], py - s.centre[1], px - s.centre[2]
    room = REACH_NM - math.sqrt(dz * dz + dy * dy + dx * dx)
    if room < -_PROFILE_NM:
        return owner, inside, 0.0, _FAR, 0.0, 0
    a, b, w = _in_frame(s.frame, dz, dy, dx)
    q = (a * a + b * b) / s.radius**2
    level = 1 / math.sqrt(1 + (q / BRIM) ** 2)
    slope = 2 * s.height / s.radius * math.sqrt(q) * level**3
    raised = s.height * q * level
    across = (w - raised) / math.sqrt(1 + slope * slope)
    zone, behind, mark = 0.0, 0.0, 0
    if room > 0 and abs(across) < _CLEFT_REACH_NM:
        zone, behind, mark = _cleft_zone(a, b, across, s)
    dz, dy, dx = dz + 0.6 * bent[0], dy + 0.6 * bent[1], dx + 0.6 * bent[2]
    a, b, c = _in_frame(s.frame, dz, dy, dx)
    # Beside the cleft the contact is as wavy as all membranes are.
    face = across + min(max(q - 1.4, 0.0), 1.0) * (c - w)
    pre = post = -_FAR
    # Far on one side, the other's body does not matter.
    if face < _ROUND_NM:
        pre = min(_round_min(-face - _WIDER_NM * zone, _body(a, b, c, raised, s, PRE)), room)
    if face > -_ROUND_NM:
        post = min(_round_min(face - _WIDER_NM * zone, _body(a, b, c, raised, s, POST)), room)
    if pre > 0 or post > 0:
        side, mine = (PRE, pre) if pre > post else (POST, post)
        if owner == s.ids[side]:
            mine = max(mine, inside)
        return s.ids[side], mine, zone, across, behind, mark
    if owner != s.ids[PRE]:
        inside = min(inside, -pre)
    if owner != s.ids[POST]:
        inside = min(inside, -post)
    return owner, inside, zone, across, behind, mark


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _round_min(a, b):  # type: ignore[no-untyped-def]
    """The smaller of two distances, less where they are alike: the edge between two surfaces becomes round."""
    near = max(_ROUND_NM - abs(a - b), 0.0) / _ROUND_NM
    return min(a, b) - near * near * _ROUND_NM / 4


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _in_frame(f, z, y, x):  # type: ignore[no-untyped-def]
    return (
        f[0, 0] * z + f[0, 1] * y + f[0, 2] * x,
        f[1, 0] * z + f[1, 1] * y + f[1, 2] * x,
        f[2, 0] * z + f[2, 1] * y + f[2, 2] * x,
    )


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _cleft_zone(a, b, across, s):  # type: ignore[no-untyped-def]
    turn, out = math.atan2(b, a), math.sqrt(a * a + b * b)
    rim = s.radius * (1 + s.rim2 * math.cos(2 * turn + s.phase2) + s.rim3 * math.cos(3 * turn + s.phase3))
    first = rim - out
    if s.hole[2] > 0:
        first = min(first, math.sqrt((a - s.hole[0]) ** 2 + (b - s.hole[1]) ** 2) - s.hole[2])
    second = -_FAR
    if s.second[2] > 0:
        second = s.second[2] - math.sqrt((a - s.second[0]) ** 2 + (b - s.second[1]) ** 2)
    deep = max(first, second)
    zone = min(max(0.5 + deep / 16, 0.0), 1.0)
    behind = 0.5 * s.thickness + s.density_depth * min(max(0.4 + deep / 50, 0.0), 1.0)
    mark = 0
    if deep > 0 and abs(across) <= 0.5 * s.thickness:
        mark = 1 if first >= second else 2
    elif deep > 0 and 0 < across <= behind:
        mark = 3
    return zone, behind, mark


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _body(a, b, w, raised, s, side):  # type: ignore[no-untyped-def]
    """About how far (nm) a place is inside a side's ellipsoid, which is bent as the cleft is, or its tube; negative outside."""
    m, r = s.middle[side], s.axes[side]
    ea, eb, ew = (a - m[0]) / r[0], (b - m[1]) / r[1], (w - raised - m[2]) / r[2]
    k0 = math.sqrt(ea * ea + eb * eb + ew * ew)
    k1 = math.sqrt((ea / r[0]) ** 2 + (eb / r[1]) ** 2 + (ew / r[2]) ** 2)
    ball = k0 * (1 - k0) / k1 if k1 > 1e-9 else min(r[0], r[1], r[2])
    p, q = s.tube_from[side], s.tube_to[side]
    ta, tb, tw = q[0] - p[0], q[1] - p[1], q[2] - p[2]
    t = ((a - p[0]) * ta + (b - p[1]) * tb + (w - p[2]) * tw) / (ta * ta + tb * tb + tw * tw)
    t = min(max(t, 0.0), 1.0)
    off = math.sqrt((a - p[0] - t * ta) ** 2 + (b - p[1] - t * tb) ** 2 + (w - p[2] - t * tw) ** 2)
    return max(ball, s.tube_radius[side] - off)


@numba.njit(cache=True, nogil=True, error_model="numpy")
def _cleft_grey(grey, zone, across, behind, density):  # type: ignore[no-untyped-def]
    """The grey value across a cleft: dark membranes on both sides, grey between, a density behind the postsynaptic one."""
    off = abs(across)
    if off < 12:
        grey += zone * (1 - max(off - 8, 0.0) / 4) * (_CLEFT_GREY - grey)
    grey += zone * math.exp(-0.5 * ((off - 15.0) / 4.5) ** 2) * (MEMBRANE_GREY - grey)
    if across > 10:
        fade = min(max((behind + 4 - across) / 14, 0.0), 1.0) * min((across - 10) / 5, 1.0)
        grey += zone * density * fade * 0.92 * (_DENSITY_GREY - grey)
    elif across < -10:
        grey += zone * density * 0.35 * math.exp((across + 14) / 14) * (_DENSITY_GREY - grey)
    return max(grey, 0.0)
