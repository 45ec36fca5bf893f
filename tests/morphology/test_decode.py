from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.spatial import KDTree

from neurotome.core import SOMA, Frame, InputError, MissingFileError, Occupancy, Skeleton, UnknownNameError
from neurotome.datasets.neuron_shapes import grown
from neurotome.datasets.swc_collection import named_collection
from neurotome.io import read_swc
from neurotome.measure.trees import nearest_segments
from neurotome.morphology.decode import decode_mesh, decode_skeleton, write_decoded
from neurotome.morphology.occupancy import GridSettings, voxelise

TURNED = ((0.0, 0.6, 0.8), (0.0, -0.8, 0.6), (1.0, 0.0, 0.0))


def frame(grid=16, rotation=None, soma=None) -> Frame:
    turn = {} if rotation is None else {"rotation": rotation}
    return Frame((500.0, -2000.0, 90.0), -800.0, 800.0, grid, soma_nm=soma, **turn)


def ball(radius: float, place: Frame) -> Occupancy:
    """Probability 0.5 on a sphere in the middle of the grid, linear across its surface."""
    away = np.sqrt(((np.indices((place.grid,) * 3) + 0.5 - place.grid / 2) ** 2).sum(0))
    return Occupancy(np.clip(0.5 + (radius - away) / 4, 0, 1).astype(np.float32), place, "ball")


def volume_nm3(mesh) -> float:
    """Signed: above 0 where triangles run anticlockwise seen from outside, in x, y, z."""
    a, b, c = np.moveaxis(mesh.vertices_nm[:, ::-1][mesh.triangles], 1, 0)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def points_along(tree: Skeleton) -> np.ndarray:
    above = tree.points_nm[np.maximum(tree.parent_rows, 0)]
    return np.concatenate([tree.points_nm * (1 - t) + above * t for t in np.linspace(0, 1, 8, endpoint=False)])


@pytest.mark.parametrize("rotation", [None, TURNED, ((0.0, 0.0, 1.0), (0.0, 1.0, 0.0), (1.0, 0.0, 0.0))])
def test_the_surface_of_a_ball_lies_on_the_ball(rotation):
    """To a hundredth of a voxel, in any axes, mirrored ones included."""
    place = frame(rotation=rotation)
    mesh = decode_mesh(ball(5.3, place))
    away = np.sqrt(((mesh.vertices_nm - place.centre_nm) ** 2).sum(1)) / place.voxel_nm
    assert np.abs(away - 5.3).max() < 0.05
    assert volume_nm3(mesh) / place.voxel_nm**3 == pytest.approx(4 / 3 * np.pi * 5.3**3, rel=0.03)
    edges = np.sort(mesh.triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()


def test_the_threshold_moves_the_surface():
    assert volume_nm3(decode_mesh(ball(5, frame()), threshold=0.7)) < volume_nm3(decode_mesh(ball(5, frame()), threshold=0.3))


def test_a_full_grid_ends_at_its_border():
    mesh = decode_mesh(Occupancy(np.ones((8, 8, 8), bool), Frame((0, 0, 0), 0, 800, 8)))
    assert mesh.vertices_nm.min() == pytest.approx(0)
    assert mesh.vertices_nm.max() == pytest.approx(800)


def test_a_grid_without_a_voxel_above_the_threshold_is_refused():
    empty = Occupancy(np.full((8, 8, 8), 0.3, np.float32), frame(8), "faint")
    for decode in (decode_mesh, decode_skeleton):
        with pytest.raises(
            InputError, match=r"No voxel of 'faint' is above 0\.5, the highest value is 0\.3.*lower the threshold"
        ):
            decode(empty)


@given(hnp.arrays(bool, (8, 8, 8), elements=st.booleans(), fill=st.booleans()))
@settings(max_examples=30, deadline=None)
def test_whatever_the_voxels_the_result_is_one_tree(data):
    data[3, 4, 5] = True
    tree = decode_skeleton(Occupancy(data, frame(8)))
    assert len(tree.roots) == 1
    assert (tree.radii_nm > 0).all()


def test_pieces_are_bridged_and_the_bridges_flagged():
    data = np.zeros((16, 16, 16), np.float32)
    data[8, 8, 2:6], data[8, 8, 9:14] = 0.9, 0.7
    tree = decode_skeleton(Occupancy(data, frame()))
    assert tree.features["jump"].sum() == 1
    assert tree.features["gap_nm"].max() == pytest.approx(4 * 100)
    assert tree.length_nm == pytest.approx(11 * 100)
    assert set(tree.features["probability"].round(3).tolist()) == {np.float32(0.9).round(3), np.float32(0.7).round(3)}


def test_the_root_is_the_soma_where_it_is_and_as_thick():
    data = np.zeros((16, 16, 16), bool)
    inside = np.sqrt(((np.indices(data.shape) - 8) ** 2).sum(0)) <= 3
    data[inside] = True
    data[8, 8, :] = True
    soma = tuple(frame(rotation=TURNED).index_nm(np.array([[8.4, 8.5, 8.6]]))[0].tolist())
    tree = decode_skeleton(Occupancy(data, frame(rotation=TURNED, soma=soma)))
    assert tree.kinds[0] == SOMA and (tree.kinds[1:] == 0).all()
    assert tree.points_nm[0] == pytest.approx(soma)
    assert tree.radii_nm[0] / 100 == pytest.approx(3, abs=0.5)
    unknown = decode_skeleton(Occupancy(data, frame(rotation=TURNED)))
    assert unknown.kinds[0] == 0
    assert frame(rotation=TURNED).index(unknown.points_nm[:1])[0] == pytest.approx([8.5, 8.5, 8.5])


def test_a_hollow_soma_is_filled():
    shell = np.abs(np.sqrt(((np.indices((16, 16, 16)) - 8) ** 2).sum(0)) - 4) <= 0.9
    tree = decode_skeleton(Occupancy(shell, frame()))
    assert tree.radii_nm[0] / 100 > 3.5
    assert len(tree) <= 8


@pytest.fixture(scope="module")
def neurons() -> list[Skeleton]:
    """Kinds that are wide open, so that few voxels hold more than one neurite."""
    return [grown(kind, seed) for kind in ("stellate", "chandelier", "granule") for seed in range(2)]


def test_grown_neurons_survive_the_round_trip(neurons):
    ratios, found = [], []
    for neuron in neurons:
        drawn = voxelise(neuron, GridSettings(size=128, orientation="principal"))
        tree, voxel = decode_skeleton(drawn), drawn.frame.voxel_nm
        to_truth = KDTree(points_along(neuron)).query(points_along(tree))[0] / voxel
        assert np.quantile(to_truth, 0.99) < 1.5
        tips = neuron.points_nm[neuron.children == 0]
        found.append((KDTree(tree.points_nm[tree.children == 0]).query(tips)[0] < 2 * voxel).mean())
        ratios.append(tree.length_nm / neuron.length_nm)
        assert len(tree.roots) == 1
    assert 0.9 < np.median(ratios) < 1.1
    assert np.mean(found) > 0.88


def test_files_hold_what_was_decoded(tmp_path, neurons):
    drawn = voxelise(neurons[0], GridSettings())
    swc, obj, nrrd = write_decoded(tmp_path, drawn, files=("swc", "obj", "nrrd"))
    assert [p.suffix for p in (swc, obj, nrrd)] == [".swc", ".obj", ".nrrd"]
    tree = decode_skeleton(drawn)
    read = read_swc(swc).skeleton
    assert len(read) == len(tree)
    assert read.points_nm == pytest.approx(tree.points_nm, abs=0.51)
    assert Path(obj).read_text().count("\nv ") == len(decode_mesh(drawn).vertices_nm)
    first = nrrd.read_bytes(), swc.read_bytes(), obj.read_bytes()
    write_decoded(tmp_path, drawn, files=("swc", "obj", "nrrd"))
    assert (nrrd.read_bytes(), swc.read_bytes(), obj.read_bytes()) == first
    with pytest.raises(UnknownNameError, match="one of nrrd, obj, ply, swc"):
        write_decoded(tmp_path, drawn, files=("stl",))


@pytest.mark.realdata
@pytest.mark.exhaustive
@pytest.mark.parametrize("collection", ["fly_medulla", "rat_cortex"])
def test_every_real_neuron_becomes_one_tree_near_the_truth(collection):
    try:
        files = named_collection(collection)
    except MissingFileError as error:
        pytest.skip(str(error))
    for neuron in map(files.load, files.names):
        drawn = voxelise(neuron, GridSettings())
        tree, voxel = decode_skeleton(drawn), drawn.frame.voxel_nm
        assert len(tree.roots) == 1
        # A soma has nodes up to its radius away from the centre line.
        above = neuron.points_nm[np.maximum(neuron.parent_rows, 0)]
        away = nearest_segments(tree.points_nm, neuron.points_nm, above).distance - neuron.radii_nm.max()
        assert (away < 1.5 * voxel).all()
