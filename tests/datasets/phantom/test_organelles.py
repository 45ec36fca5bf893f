import numpy as np

from neurotome.datasets.phantom.neurites import Bouton, grow
from neurotome.datasets.phantom.organelles import CLASS, Contents, draw, plan, vesicle_cloud
from neurotome.datasets.phantom.partition import Partition

VOXEL = np.array([10.0, 10.0, 10.0])


def empty(shape=(20, 20, 20)):
    return Contents(np.zeros(shape, np.uint8), np.full(shape, -np.inf, np.float32))


def two_halves(shape=(20, 20, 20)):
    """Neurite 1 below x = 10, neurite 2 above."""
    x = np.broadcast_to(np.arange(shape[2]), shape)
    border = np.minimum(np.abs(x * 10 - 95.0), 60).astype(np.float32)
    owner = np.where(x < 10, 1, 2).astype(np.uint16)
    return Partition(owner, (3 - owner).astype(np.uint16), border, np.zeros(shape, np.float32))


def ball(z, y, x, r):
    return np.array([[z, y, x, r, z, y, x, r]], float)


def test_ball_is_drawn_with_its_depth():
    contents = empty()
    draw(contents, "mitochondria", ball(100, 100, 40, 30), np.array([1]), two_halves(), VOXEL, clear_nm=10)
    inside = contents.depth_nm >= 0
    distance = np.linalg.norm(np.indices(inside.shape).T[..., ::1] * 10.0 - [100, 100, 40], axis=-1).T
    np.testing.assert_array_equal(inside, distance <= 30)
    assert contents.depth_nm[10, 10, 4] == 30
    assert (contents.kind[inside] == CLASS["mitochondria"]).all()


def test_drawing_stays_in_its_neurite_and_clear_of_the_membrane():
    contents, cells = empty(), two_halves()
    draw(contents, "reticulum", ball(100, 100, 90, 50), np.array([1]), cells, VOXEL, clear_nm=16)
    drawn = contents.kind > 0
    assert drawn.any()
    assert (cells.owner[drawn] == 1).all()
    assert cells.border_nm[drawn].min() >= 16


def test_first_kind_keeps_its_place():
    contents = empty()
    draw(contents, "mitochondria", ball(100, 100, 40, 20), np.array([1]), two_halves(), VOXEL, clear_nm=0)
    first = contents.kind.copy()
    draw(contents, "vesicles", ball(100, 100, 50, 25), np.array([1]), two_halves(), VOXEL, clear_nm=0)
    np.testing.assert_array_equal(contents.kind[first > 0], first[first > 0])
    assert (contents.kind == CLASS["vesicles"]).any()


def test_vesicles_keep_their_distance_and_crowd_towards_the_synapse():
    bouton = Bouton(1, np.array([500.0, 500, 500]), 200.0)
    cloud = vesicle_cloud(bouton, np.array([500.0, 500, 800]), np.random.default_rng(0), spacing_nm=45.0)
    assert len(cloud) > 60
    gaps = np.linalg.norm(cloud[:, None] - cloud[None], axis=2) + 1e9 * np.eye(len(cloud))
    assert gaps.min() >= 45
    assert cloud[:, 2].mean() > 510


def test_plan_gives_every_organelle_an_owner_that_has_a_tube():
    tissue = grow(np.array([900.0, 1200.0, 1200.0]), np.random.default_rng(0), soma=False, myelin=False)
    layout = plan(tissue, np.random.default_rng(1))
    assert set(layout.capsules) == {"mitochondria", "reticulum", "microtubules"}
    for kind, rows in layout.capsules.items():
        capsules, owners = np.vstack(rows), np.concatenate(layout.owners[kind])
        assert capsules.shape == (len(owners), 8)
        assert set(owners) <= set(range(1, len(tissue.kinds) + 1))
        assert (capsules[:, [3, 7]] > 0).all()
