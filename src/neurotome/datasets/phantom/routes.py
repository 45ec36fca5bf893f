"""Finding a way through tissue that is already half full: clearance to what is there, and cheapest paths through the rest.

Everything is on a coarse grid of `STEP_NM` in z, y, x; a capsule is a segment with a radius at each end, row
(z0, y0, x0, r0, z1, y1, x1, r1) in nm.
"""

from heapq import heappop, heappush

import numpy as np
from numba import njit

__all__ = ["STEP_NM", "capsule_gap", "cheapest_path", "lower_clearance"]

STEP_NM = 60.0


@njit(cache=True, inline="always")
def capsule_gap(c, z, y, x):
    """Distance in nm from a point to the surface of capsule `c`, negative inside (radius taken at the nearest axis point)."""
    az, ay, ax = c[4] - c[0], c[5] - c[1], c[6] - c[2]
    pz, py, px = z - c[0], y - c[1], x - c[2]
    length2 = az * az + ay * ay + ax * ax
    t = 0.0
    if length2 > 0:
        t = min(1.0, max(0.0, (pz * az + py * ay + px * ax) / length2))
    dz, dy, dx = pz - t * az, py - t * ay, px - t * ax
    return np.sqrt(dz * dz + dy * dy + dx * dx) - (c[3] + t * (c[7] - c[3]))


@njit(cache=True)
def lower_clearance(clearance, capsules, step, reach):
    """Lower `clearance` (nm to the nearest tube surface, on the coarse grid) in place, within `reach` nm of the new capsules."""
    nz, ny, nx = clearance.shape
    for c in capsules:
        far = max(c[3], c[7]) + reach
        z0, z1 = int(max(0, (min(c[0], c[4]) - far) / step)), int(min(nz - 1, (max(c[0], c[4]) + far) / step))
        y0, y1 = int(max(0, (min(c[1], c[5]) - far) / step)), int(min(ny - 1, (max(c[1], c[5]) + far) / step))
        x0, x1 = int(max(0, (min(c[2], c[6]) - far) / step)), int(min(nx - 1, (max(c[2], c[6]) + far) / step))
        for z in range(z0, z1 + 1):
            for y in range(y0, y1 + 1):
                for x in range(x0, x1 + 1):
                    gap = capsule_gap(c, z * step, y * step, x * step)
                    if gap < clearance[z, y, x]:
                        clearance[z, y, x] = gap


@njit(cache=True)
def cheapest_path(clearance, roughness, start, goal, radius, least):
    """The cheapest way from `start` to `goal` (A*, 26 neighbours), (n, 3) grid indices; if there is none, as near as one gets.

    A step costs its length times `roughness` (>= 1), more where the clearance is below `radius`; below `least` it is closed.
    """
    nz, ny, nx = clearance.shape
    cost = np.full(clearance.shape, np.inf, np.float32)
    came = np.full(clearance.size, -1, np.int32)
    done = np.zeros(clearance.shape, np.uint8)
    gz, gy, gx = goal
    cost[start[0], start[1], start[2]] = 0.0
    best, best_left = (start[0] * ny + start[1]) * nx + start[2], np.inf
    heap = [(0.0, best)]
    while heap:
        _, here = heappop(heap)
        z, y, x = here // (ny * nx), here // nx % ny, here % nx
        if done[z, y, x]:
            continue
        done[z, y, x] = 1
        left = np.sqrt((z - gz) ** 2.0 + (y - gy) ** 2.0 + (x - gx) ** 2.0)
        if left < best_left:
            best, best_left = here, left
        if left == 0:
            break
        for dz in range(-1, 2):
            for dy in range(-1, 2):
                for dx in range(-1, 2):
                    a, b, c = z + dz, y + dy, x + dx
                    if a < 0 or b < 0 or c < 0 or a >= nz or b >= ny or c >= nx or done[a, b, c] or clearance[a, b, c] < least:
                        continue
                    narrow = max(0.0, 1.0 - clearance[a, b, c] / radius)
                    new = cost[z, y, x] + np.sqrt(dz * dz + dy * dy + dx * dx) * roughness[a, b, c] * (1.0 + 4.0 * narrow)
                    if new < cost[a, b, c]:
                        cost[a, b, c] = new
                        came[(a * ny + b) * nx + c] = here
                        rest = np.sqrt((a - gz) ** 2.0 + (b - gy) ** 2.0 + (c - gx) ** 2.0)
                        heappush(heap, (new + rest, (a * ny + b) * nx + c))
    count, at = 0, best
    while at >= 0:
        count, at = count + 1, came[at]
    path = np.empty((count, 3), np.int64)
    at = best
    for i in range(count - 1, -1, -1):
        path[i, 0], path[i, 1], path[i, 2] = at // (ny * nx), at // nx % ny, at % nx
        at = came[at]
    return path
