from itertools import pairwise, product

import numpy as np
import pytest

from neurotome.io.meshes_surface import Surface, label_surfaces

RADIUS = 20.3


def ball(shape: tuple[int, int, int], radius: float) -> np.ndarray:
    z, y, x = np.ogrid[tuple(slice(n) for n in shape)]
    middle = [(n - 1) / 2 for n in shape]
    return (z - middle[0]) ** 2 + (y - middle[1]) ** 2 + (x - middle[2]) ** 2 < radius**2


def whole(ids: np.ndarray) -> list[Surface]:
    return label_surfaces(np.pad(ids, 1), corner=(-1, -1, -1), closed_below=(True, True, True))


def in_blocks(ids: np.ndarray, cuts: tuple[list[int], ...]) -> list[Surface]:
    padded, pieces = np.pad(ids, 1), []
    sides = [list(pairwise([0, *c, n])) for c, n in zip(cuts, ids.shape, strict=True)]
    for box in product(*sides):
        piece = padded[tuple(slice(a, b + 2) for a, b in box)]
        corner = tuple(a - 1 for a, _ in box)
        pieces += label_surfaces(piece, corner=corner, closed_below=tuple(a == 0 for a, _ in box))
    return pieces


def joined(pieces: list[Surface], label: int) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (as float32, like in files) and triangles of an object; vertices at one place become one."""
    mine = [p for p in pieces if p.label == label]
    vertices = np.concatenate([p.vertices for p in mine]).astype(np.float32)
    first = np.cumsum([0] + [len(p.vertices) for p in mine[:-1]])
    triangles = np.concatenate([p.triangles.astype(np.int64) + n for p, n in zip(mine, first, strict=True)])
    unique, inverse = np.unique(vertices, axis=0, return_inverse=True)
    return unique.astype(float), inverse.reshape(-1)[triangles]


def volume_and_area(vertices: np.ndarray, triangles: np.ndarray) -> tuple[float, float]:
    a, b, c = (vertices[triangles[:, i]][:, ::-1] for i in range(3))
    normals = np.cross(b - a, c - a)
    return float((a * normals).sum() / 6), float(np.linalg.norm(normals, axis=1).sum() / 2)


def directed_edges(triangles: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(e) for e in np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]]).tolist()]


def euler(vertices: np.ndarray, triangles: np.ndarray) -> int:
    return len(vertices) - len({frozenset(e) for e in directed_edges(triangles)}) + len(triangles)


@pytest.mark.parametrize("cuts", [([], [], []), ([17, 23], [31], [25]), ([1, 2, 49], [20, 40], [])])
def test_a_ball_in_any_blocks_is_closed_and_of_its_size(cuts: tuple[list[int], ...]) -> None:
    ids = ball((50, 50, 50), RADIUS).astype(np.uint64) * np.uint64(2**63)
    vertices, triangles = joined(in_blocks(ids, cuts), 2**63)
    volume, area = volume_and_area(vertices, triangles)
    assert volume == pytest.approx(4 / 3 * np.pi * RADIUS**3, rel=0.01)
    assert area == pytest.approx(4 * np.pi * RADIUS**2, rel=0.04)
    assert np.abs(np.linalg.norm(vertices - 24.5, axis=1) - RADIUS).max() < 1
    edges = directed_edges(triangles)
    assert len(set(edges)) == len(edges) and {(b, a) for a, b in edges} == set(edges)
    assert euler(vertices, triangles) == 2


def test_a_ring_has_a_hole() -> None:
    ids = np.zeros((5, 20, 20), np.uint64)
    ids[1:4, 2:18, 2:18] = 3
    ids[:, 8:12, 8:12] = 0
    assert euler(*joined(whole(ids), 3)) == 0


def test_an_object_that_leaves_the_volume_is_closed_at_its_border() -> None:
    ids = np.full((4, 6, 8), 9, np.uint64)
    vertices, triangles = joined(whole(ids), 9)
    assert euler(vertices, triangles) == 2
    # Half a voxel beyond the outermost centres; only the edges are rounded.
    assert vertices.min(0).tolist() == [-0.5] * 3 and vertices.max(0).tolist() == [3.5, 5.5, 7.5]
    assert volume_and_area(vertices, triangles)[0] == pytest.approx(4 * 6 * 8, rel=0.15)


def test_pieces_of_many_objects_are_the_same_however_they_are_cut() -> None:
    ids = np.random.default_rng(0).integers(0, 4, (9, 10, 11)).astype(np.uint64)
    complete, pieces = whole(ids), in_blocks(ids, ([4], [3, 4], [7]))
    assert [s.label for s in complete] == [1, 2, 3]
    for label in (1, 2, 3):
        corners = [sorted(map(tuple, v[t].reshape(-1, 9))) for v, t in (joined(complete, label), joined(pieces, label))]
        assert corners[0] == corners[1]
        edges = directed_edges(joined(pieces, label)[1])
        # Corners that only touch share edges: as many one way as the other.
        assert sorted(edges) == sorted((b, a) for a, b in edges)


def test_neighbours_share_their_border() -> None:
    ids = np.ones((6, 6, 6), np.uint64)
    ids[:, :, 3:] = 2
    left, right = (joined(whole(ids), label)[0] for label in (1, 2))
    inner = {tuple(v) for v in left.tolist() if v[2] == 2.5 and 0 < v[0] < 5 and 0 < v[1] < 5}
    assert len(inner) == 25 and inner <= {tuple(v) for v in right.tolist()}


def test_nothing_has_no_surface() -> None:
    assert whole(np.zeros((3, 3, 3), np.uint64)) == []
