import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from neurotome.core import Grid, InputError, ObjectVoxels, PointCloud, Skeleton, UnitError
from neurotome.morphology.occupancy import (
    GridSettings,
    fitted,
    frame_of,
    random_rotation,
    resampled,
    rotated,
    training_extent,
    training_range,
    voxelise,
)
from neurotome.morphology.occupancy.frames import principal_axes
from neurotome.morphology.occupancy.matter import capsules_of, spread_of

CENTRINGS = ("soma", "mean", "soma_xz", "none")


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1), centring=st.sampled_from(CENTRINGS), orientation=st.sampled_from(("given", "principal")),
    rule=st.sampled_from(("neurotome", "legacy")), axes=st.sampled_from(("zyx", "xyz")), spread=st.floats(4, 7),
)  # fmt: skip
def test_frames_hold_the_shape_and_lead_back_to_nanometres(seed, centring, orientation, rule, axes, spread):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(40, 3)) * 10**spread / 10 * rng.uniform(0.2, 1, 3) + rng.uniform(-1e6, 1e6, 3)
    cloud = PointCloud(points, soma_nm=tuple(points[3]))
    frame = frame_of(cloud, GridSettings(centring=centring, orientation=orientation, rule=rule, axes=axes))
    back = frame.nm(frame.unit(points))
    assert np.abs(back - points).max() <= 1e-5 * np.ptp(points)
    assert np.abs(frame.index_nm(frame.index(points)) - points).max() <= 1e-5 * np.ptp(points)
    if rule == "neurotome":
        assert np.abs(frame.unit(points)).max() <= 1


def test_a_soma_is_at_the_middle_of_its_grid(tree):
    for choice in ({"scale": "per_shape"}, {"scale": "fixed_extent", "extent_nm": 3e5}, {"orientation": "principal"}):
        frame = frame_of(tree, GridSettings(**choice))
        assert np.allclose(frame.unit(tree.points_nm[:1]), 0)
        assert frame.centring == "soma" and frame.soma_index == (32, 32, 32)


def test_the_three_points_of_a_soma_have_its_middle():
    tree = Skeleton.of(
        [-1, 0, 0, 0], [[9e3, 0, 0], [9e3, 6e3, 0], [9e3, -6e3, 0], [9e3, 0, 8e4]], [6e3, 6e3, 6e3, 500], [1, 1, 1, 3]
    )
    frame = frame_of(tree, GridSettings(size=64))
    assert frame.centre_nm == (9e3, 0, 0) == frame.soma_nm
    assert capsules_of(tree).radii.tolist() == [[500, 500], [6e3, 6e3]]  # as wide as the soma, not three times


def test_without_a_soma_the_frame_says_that_the_mean_was_taken():
    line = Skeleton.of([-1, 0, 1], [[0, 0, 0], [0, 0, 9e4], [0, 0, 1e5]], name="headless")
    frame = frame_of(line, GridSettings())
    assert frame.centring == "mean" and frame.soma_nm is None
    assert frame.centre_nm == pytest.approx((0, 0, 5e4))  # of the cable, not of its nodes
    assert frame_of(line, GridSettings(centring="soma_xz")).centring == "mean_xz"
    with pytest.raises(InputError, match=r"'headless' has no soma.*centring='mean' or allow_mean=True"):
        frame_of(line, GridSettings(allow_mean=False))


def test_soma_xz_keeps_the_depth():
    cloud = PointCloud(np.array([[0, 1e5, 0], [0, 3e5, 9e4]]), soma_nm=(1e4, 2e5, 3e4))
    frame = frame_of(cloud, GridSettings(centring="soma_xz"))
    assert frame.centre_nm == (1e4, 0, 3e4) and frame.centring == "soma_xz"
    assert (np.abs(frame.unit(cloud.points_nm)) <= 1).all()


def test_the_extent_of_a_training_set(grown):
    shapes = [grown(seed, 120, f"n{seed}") for seed in range(5)]
    rule = GridSettings(scale="fixed_extent")
    reach = []
    for shape in shapes:
        capsules = capsules_of(shape)
        about = np.concatenate([capsules.starts, capsules.ends]) - shape.points_nm[0]
        reach.append((np.abs(about) + capsules.radii.T.reshape(-1, 1)).max())
    assert training_extent(shapes, rule) == pytest.approx(np.percentile(reach, 99))
    low, high = training_range(shapes, rule)
    assert max(-low, high) == pytest.approx(max(reach))
    assert fitted(rule, shapes).extent_nm == training_extent(shapes, rule)
    assert fitted(GridSettings(scale="global"), shapes).range_nm == (low, high)
    assert fitted(GridSettings(), shapes) == GridSettings()
    with pytest.raises(InputError, match="fitted"):
        frame_of(shapes[0], rule)
    with pytest.raises(InputError, match="without shapes"):
        training_extent([], rule)


@pytest.mark.parametrize(("factor", "found"), [(1e-4, r"20 nm"), (1e4, r"2000 mm")])
def test_an_extent_no_neuron_has_names_unit_and_range(factor, found):
    line = Skeleton.of([-1, 0], np.array([[0, 0, 0], [0, 0, 2e5]]) * factor, name="odd")
    with pytest.raises(UnitError, match=rf"'odd' is {found} long.*1 um to 50 mm.*--unit um"):
        frame_of(line, GridSettings())


def test_principal_axes_go_by_length_and_by_the_longer_tail():
    ends = np.array([[0, 0, 9.0], [0, 4, 0], [-2, 0, 0], [0, 0, -3], [0, -1, 0], [0.5, 0, 0]])
    axes = principal_axes(np.zeros((6, 3)), ends, np.linalg.norm(ends, axis=1))
    assert (np.abs(np.diag(axes[:, ::-1])) > 0.97).all()
    assert np.linalg.det(axes) == pytest.approx(1)
    assert axes[0, 2] > 0 and axes[1, 1] > 0


def test_the_covariance_of_a_line_is_that_of_all_its_points(tree):
    """Drawn with other nodes, a tree has nearly the same axes."""
    axes = principal_axes(*spread_of(tree))
    again = principal_axes(*spread_of(resampled(tree, 400.0)))
    assert np.abs(np.diag(axes @ again.T) - 1).max() < 1e-9


def test_places_and_lines_have_axes_too():
    one = np.ones(1)
    assert principal_axes(np.ones((1, 3)), np.ones((1, 3)), one).tolist() == np.eye(3).tolist()
    for end in ([1.0, 2, 3], [0, -5, 0]):
        axes = principal_axes(np.zeros((1, 3)), np.array([end]), one)
        assert np.allclose(axes @ axes.T, np.eye(3)) and np.linalg.det(axes) == pytest.approx(1)
        assert np.abs(axes[0] @ end) == pytest.approx(np.linalg.norm(end))


def test_principal_axes_undo_any_rotation(grown):
    upright = GridSettings(orientation="principal")
    rng = np.random.default_rng(5)
    for seed in range(6):
        neuron = grown(seed)
        first = voxelise(neuron, upright).data
        for _ in range(4):
            turned = rotated(neuron, random_rotation(rng))
            again = voxelise(turned, upright).data
            assert (first & again).sum() / (first | again).sum() > 0.99


@pytest.mark.realdata
def test_principal_axes_undo_any_rotation_of_real_neurons():
    from neurotome import datasets
    from neurotome.io import read_swc
    from neurotome.io.archive import archive_files, read_archived

    archive = datasets.data_root() / "swc" / "fly_medulla.zip"
    if not archive.exists():
        pytest.skip(f"'{archive}' is not there (set NEUROTOME_DATA)")
    members = [name for name in archive_files(archive) if name.endswith(".swc")]
    for member in members[::60]:
        neuron = read_archived(archive, member, lambda file: read_swc(file, unit="um").skeleton)
        one, other = (
            voxelise(n, GridSettings(orientation="principal")).data
            for n in (neuron, rotated(neuron, random_rotation(np.random.default_rng(0))))
        )
        assert (one & other).sum() / (one | other).sum() > 0.98


def test_the_axes_of_the_array_may_be_x_y_z(tree):
    given = voxelise(tree, GridSettings())
    turned = voxelise(tree, GridSettings(axes="xyz"))
    assert (turned.data.transpose(2, 1, 0) == given.data).all()
    index = np.argwhere(turned.data)[:5]
    assert np.allclose(turned.frame.index_nm(index + 0.5), given.frame.index_nm(index[:, ::-1] + 0.5))


def test_voxels_reach_half_a_voxel_beyond_their_centres():
    label = ObjectVoxels(np.array([[0, 0, 0], [0, 0, 99]]), Grid((1, 1, 100), (40, 40, 40)), soma_nm=(0, 0, 0))
    frame = frame_of(label, GridSettings(margin=0))
    assert frame.hi_nm == pytest.approx(99 * 40 + 20) and frame.lo_nm == -frame.hi_nm
