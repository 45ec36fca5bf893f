from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import InputError, ValueRangeError
from neurotome.datasets.synapse_phantoms import KINDS, StudySpec, make_study
from neurotome.io import SITE_TABLE_COLUMNS

ONE = StudySpec(n_per_type=1, volumes=1, types=1, seed=9)


def _window(volume, row, reach=44):
    """Slices of the cube around a site."""
    centre = row[["center_z", "center_y", "center_x"]].to_numpy(int)
    return tuple(slice(max(c - reach, 0), c + reach) for c in centre)


def _cases(study):
    """Every site with its volume, its planted truth, and its neighbourhood: neurons, organelles, instances."""
    for volume in study.volumes:
        arrays = [part.read() for part in (volume.neurons, volume.organelles, volume.instances)]
        for key, row in study.sites[study.sites["volume"] == volume.name].iterrows():
            box = _window(volume, row)
            yield volume, row, study.truth.loc[key], arrays, [a[box] for a in arrays]


def test_every_synapse_has_a_site_and_a_truth(study):
    assert tuple(study.sites.columns) == SITE_TABLE_COLUMNS
    assert study.sites.index.equals(study.truth.index)
    assert study.sites.index[0] == "phantom/v1/s001"
    for volume in study.volumes:
        mine = study.truth[study.sites["volume"] == volume.name]
        assert sorted(mine["kind"]) == sorted(kind.name for kind in KINDS)
        assert volume.image.grid.shape == (124, 216, 308)
        assert volume.neurons.read().dtype == np.uint64


def test_sites_lie_in_the_cleft_and_in_both_neurons(study):
    for volume, row, truth, (neurons, organelles, _), _ in _cases(study):
        centre, *sides = (tuple(int(row[f"{what}_{a}"]) for a in "zyx") for what in ("center", "side1", "side2"))
        assert organelles[centre] == volume.structures["cleft"][0]
        pre, post = sides if truth["pre_side"] == 1 else sides[::-1]
        assert neurons[pre] == truth["pre_label"]
        assert neurons[post] == truth["post_label"]


def test_an_80_voxel_crop_around_a_site_lies_in_the_volume(study):
    for volume, row, *_ in _cases(study):
        centre = row[["center_z", "center_y", "center_x"]].to_numpy(int)
        assert (centre >= 40).all()
        assert (centre + 40 <= volume.image.grid.shape).all()


def test_vesicles_and_mitochondria_are_those_of_the_truth(study):
    for volume, _, truth, _, (neurons, organelles, instances) in _cases(study):
        inside = neurons == truth["pre_label"]
        numbers, sizes = np.unique(instances[inside & (instances > 0)], return_counts=True)
        assert len(numbers) == truth["vesicles"]
        # A ball of this diameter, in voxels of 8 nm.
        ball = np.pi / 6 * (truth["vesicle_diameter_nm"] / 8) ** 3
        assert abs(sizes.mean() / ball - 1) < 0.03
        cloud = organelles == volume.structures["vesicles"][0]
        assert cloud[inside & (instances > 0)].all()
        mitochondria = organelles == volume.structures["mitochondria"][0]
        assert (mitochondria & inside).any() == truth["mitochondrion"] == KINDS[truth["type"]].mitochondrion


def test_clefts_have_the_planted_shape(study):
    for volume, _, truth, _, (_, organelles, _) in _cases(study):
        cleft = np.argwhere(organelles == volume.structures["cleft"][0])
        assert (organelles == volume.structures["cleft2"][0]).any() == truth["second_cleft"]
        normal = truth[["normal_z", "normal_y", "normal_x"]].to_numpy(float)
        height = (cleft - cleft.mean(axis=0)) @ normal * 8
        # A flat cleft is as thick as planted; a bent one reaches further along its normal.
        assert (np.ptp(height) > 65) == (abs(truth["bend"]) > 0.25)
        area = np.pi * truth["cleft_radius_nm"] ** 2 * (0.87 if truth["perforated"] else 1)
        if abs(truth["bend"]) < 0.25:
            assert len(cleft) * 512 / area == pytest.approx(26, rel=0.2)


def test_the_density_is_dark_where_it_is_planted_dark(study):
    found = []
    for volume, row, truth, _, (neurons, organelles, _) in _cases(study):
        image = volume.image.read()[_window(volume, row)].astype(float)
        density = organelles == volume.structures["psd"][0]
        assert (neurons[density] == truth["post_label"]).mean() > 0.85
        plain = (neurons == truth["post_label"]) & (organelles == 0)
        found.append((truth["density"], (image[plain].mean() - image[density].mean()) / image.std()))
    assert min(dark for density, dark in found if density > 0.7) > 1.1 * max(dark for density, dark in found if density < 0.2)


def test_volumes_differ_in_label_ids_and_brightness():
    first, second = (volumes := make_study(replace(ONE, volumes=2)).volumes)
    assert set(first.structures) == {"mitochondria", "vesicles", "cleft", "cleft2", "psd"}
    assert first.structures["cleft"] != second.structures["cleft"]
    for volume in volumes:
        assert set(np.unique(volume.organelles.read())) <= {0, *(ids[0] for ids in volume.structures.values())}
    assert abs(first.image.read().mean() - second.image.read().mean()) > 10
    first, second = make_study(replace(ONE, volumes=2, brightness_shift=0, own_labels=False)).volumes
    assert first.structures == second.structures
    assert abs(first.image.read().mean() - second.image.read().mean()) < 5


def test_sharing_names_the_presynaptic_neurons(study):
    assert sorted(key for keys in study.sharing.values() for key in keys) == sorted(study.truth.index)
    for pre, keys in study.sharing.items():
        assert set(study.truth.loc[list(keys), "pre_id"]) == {pre}
        assert 1 <= len(keys) <= 5


def test_neurons_cover_nearly_everything(study):
    for volume in study.volumes:
        assert 0.02 < (volume.neurons.read() == 0).mean() < 0.13


def test_the_same_spec_gives_the_same_bytes():
    one, two, other = (make_study(spec) for spec in (ONE, ONE, replace(ONE, seed=10)))
    for what in ("image", "neurons", "organelles", "instances"):
        assert np.array_equal(getattr(one.volumes[0], what).read(), getattr(two.volumes[0], what).read())
    assert one.truth.equals(two.truth)
    assert not np.array_equal(other.volumes[0].image.read(), one.volumes[0].image.read())


def test_without_types_sizes_vary_and_nothing_else_does():
    truth = make_study(StudySpec(n_per_type=4, volumes=1, types=1, seed=2)).truth
    for name in ("type", "kind", "spine", "perforated", "second_cleft", "mitochondrion"):
        assert truth[name].nunique() == 1
    assert truth["vesicles"].nunique() == 4
    assert 0.02 < truth["cleft_radius_nm"].std() / truth["cleft_radius_nm"].mean() < 0.4


def test_other_voxels_keep_the_sizes_in_nanometres():
    study = make_study(StudySpec(n_per_type=1, volumes=1, types=1, seed=2, voxel_nm=(16, 12, 12)))
    volume, truth = study.volumes[0], study.truth.iloc[0]
    assert volume.image.grid.shape == (64, 88, 88)
    cleft = (volume.organelles.read() == volume.structures["cleft"][0]).sum() * 16 * 12 * 12
    assert cleft / (np.pi * truth["cleft_radius_nm"] ** 2) == pytest.approx(28, rel=0.25)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"types": 7}, "types 7"),
        ({"n_per_type": 0}, "n_per_type 0"),
        ({"loyalty": 2}, "loyalty 2"),
        ({"voxel_nm": (40, 8, 8)}, "40"),
    ],
)
def test_refuses_what_it_cannot_make(change, said):
    with pytest.raises(ValueRangeError, match=said):
        StudySpec(**change)


def test_refuses_synapses_that_overlap():
    with pytest.raises(InputError, match="none overlap"):
        StudySpec(cell_nm=500)
