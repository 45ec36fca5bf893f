"""One site -> one crop, on two phantoms whose counts can be worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest

from neurotome.core import CropRecipe, Grid, Image, InputError, Labels, SynapseVolume
from neurotome.datasets.synapse_phantoms import p1, p2
from neurotome.synapses.crops import cut_crop, operand_names, reader_of
from neurotome.synapses.crops.cut import put
from neurotome.synapses.discarded import Discarded

GREY = (0.0, 255.0)


def cut(fixture, recipe=None, **row):
    site = {**fixture.sites.iloc[0].to_dict(), **row}
    return cut_crop(fixture.volume, site, recipe or CropRecipe(), GREY)


def counts(made):
    return {name: int(made.crop.operand(name).sum()) for name in made.crop.names}


def corner(made, size=80):
    return tuple(made.facts[f"crop_{axis}"] - size // 2 for axis in "zyx")


class TestP1:
    def test_centre_moves_towards_the_presynapse(self):
        made = cut(p1())
        assert tuple(made.facts[f"crop_{axis}"] for axis in "zyx") == (59, 64, 63)
        assert corner(made) == (19, 24, 23)
        assert np.array_equal(made.crop.image, p1().volume.image.data[19:99, 24:104, 23:103])

    def test_without_centring_the_site_is_the_middle(self):
        made = cut(p1(), CropRecipe(centring="site"))
        assert corner(made) == (20, 25, 43)
        assert made.crop.image[40, 40, 40] == 62

    def test_side_and_margin(self):
        facts = cut(p1()).facts
        assert (facts["o1"], facts["o2"], facts["margin"]) == (17_576, 0, 1.0)
        assert (facts["pre_side"], facts["side_source"]) == (1, "vesicles")
        assert (facts["pre_id"], facts["post_id"]) == ("bbox7_11", "bbox7_22")
        assert (facts["side1_label"], facts["side2_label"]) == (11, 22)

    @pytest.mark.parametrize(("centring", "pre", "post"), [("smart", 328_640, 120_080), ("site", 249_600, 249_600)])
    def test_counts_of_every_operand(self, centring, pre, post):
        assert counts(cut(p1(), CropRecipe(centring=centring))) == {
            "valid": 512_000,
            "background": 63_280 if centring == "smart" else 12_800,
            "side1": pre,
            "side2": post,
            "pre": pre,
            "post": post,
            "vesicles": 17_576,
            "cleft": 5_400,
            "cleft2": 1_080,
            "mitochondria": 1_728,
            "all_vesicles": 18_088,
            "all_cleft": 5_760,
            "all_cleft2": 1_296,
            "all_mitochondria": 5_088,
        }

    def test_mitochondrion_is_the_one_nearest_to_the_site_itself(self):
        facts = cut(p1()).facts
        assert facts["mitochondria_distance_nm"] == pytest.approx(8 * 34.322, abs=0.01)
        assert facts["mitochondria_runner_up_nm"] == pytest.approx(8 * 36.125, abs=0.01)
        assert facts["mitochondria_ambiguous"] is False

    def test_the_reference_takes_the_one_nearest_to_the_moved_centre(self):
        made = cut(p1(), CropRecipe.sce())
        assert counts(made)["mitochondria"] == 3_360
        assert made.facts["mitochondria_distance_nm"] == pytest.approx(8 * 31.89, abs=0.04)
        assert made.facts["mitochondria_runner_up_nm"] == pytest.approx(8 * 44.204, abs=0.01)

    def test_from_the_moved_centre_but_in_the_window(self):
        made = cut(p1(), CropRecipe(from_site=False))
        assert counts(made)["mitochondria"] == 3_360

    def test_without_vesicles_the_side_is_undetermined(self):
        made = cut(p1("none"))
        assert (made.facts["pre_side"], made.facts["side_source"], made.facts["pre_id"]) == (0, "", "")
        assert np.isnan(made.facts["margin"])
        assert np.isnan(made.facts["vesicles_distance_nm"])
        assert corner(made) == (20, 25, 43)
        assert (counts(made)["pre"], counts(made)["side1"]) == (0, 249_600)

    def test_the_rule_of_the_reference_calls_a_tie_side_2(self):
        facts = cut(p1("none"), CropRecipe.sce()).facts
        assert (facts["pre_side"], facts["side_source"], facts["pre_label"]) == (2, "rule", 22)

    def test_only_the_distractor(self):
        facts = cut(p1("distractor")).facts
        assert (facts["margin"], facts["pre_side"], facts["o2"]) == (-1.0, 2, 512)

    def test_the_table_overrides_the_vesicles(self):
        made = cut(p1(), pre_side=2)
        assert (made.facts["pre_label"], made.facts["side_source"], made.facts["margin"]) == (22, "table", 1.0)
        assert cut(p1(), pre_side=float("nan")).facts["side_source"] == "vesicles"
        with pytest.raises(InputError, match="pre_side 3"):
            cut(p1(), pre_side=3)

    def test_one_neuron_on_both_sides_is_undetermined(self):
        made = cut(p1(), side2_x=60)
        assert (made.facts["o1"], made.facts["o2"]) == (17_576, 17_576)
        assert made.facts["pre_side"] == 0

    def test_the_image_of_a_legend_with_other_names(self):
        fixture = p1()
        structures = {**fixture.volume.structures, "psd": (1,), "any_cleft": (3, 4)}
        made = cut_crop(replace(fixture.volume, structures=structures), fixture.sites.iloc[0], CropRecipe(), GREY)
        assert made.crop.names[-2:] == ("any_cleft", "psd")
        assert (counts(made)["psd"], counts(made)["any_cleft"]) == (5_088, 5_760 + 1_296)
        with pytest.raises(InputError, match="calls a structure 'pre'"):
            operand_names([{"pre": (1,)}])


class TestP2:
    def test_the_guard_keeps_the_cleft(self):
        made = cut(p2())
        assert tuple(made.facts[f"crop_{axis}"] for axis in "zyx") == (49, 49, 70)
        assert (counts(made)["cleft"], counts(made)["pre"]) == (2_400, 40_720)
        assert made.facts["cleft_truncated"] is False

    def test_the_reference_loses_it(self):
        made = cut(p2(), CropRecipe.sce())
        assert tuple(made.facts[f"crop_{axis}"] for axis in "zyx") == (49, 49, 58)
        assert (counts(made)["cleft"], counts(made)["pre"]) == (0, 51_888)
        assert made.facts["cleft_truncated"] is True

    def test_a_cleft_that_the_crop_cuts_is_told(self):
        small = cut(p2(), CropRecipe(size=16))
        assert small.facts["cleft_truncated"] is True
        assert small.facts["cleft_touch_border"] is True
        assert cut(p2()).facts["cleft_touch_border"] is False


class TestBorder:
    def test_padding_on_both_sides_keeps_the_site_in_the_middle(self):
        fixture = p1()
        made = cut(fixture, CropRecipe(centring="site", min_valid=0), center_z=5, center_y=5, center_x=5)
        assert made.facts["valid_fraction"] == pytest.approx(0.177979, abs=1e-6)
        assert made.facts["border"] is True
        assert made.crop.image[40, 40, 40] == fixture.volume.image.data[5, 5, 5]
        assert made.crop.operand("valid").mean() == pytest.approx(0.177979, abs=1e-6)
        assert not made.crop.bits[:35].any()
        assert not made.crop.image[:35].any()

    def test_too_little_of_it_is_discarded_with_the_share(self):
        lost = cut(p1(), CropRecipe(centring="site"), center_z=5, center_y=5, center_x=5)
        assert lost == Discarded("phantom/bbox7/1", "crops", "valid_fraction_too_low", 45**3 / 80**3, 0.5)

    def test_a_site_outside_is_discarded(self):
        assert cut(p1(), center_x=160).reason == "outside_volume"
        assert cut(p1(), side2_z=-1).reason == "outside_volume"

    def test_the_reference_pads_on_the_high_side(self):
        fixture = p1()
        made = cut(fixture, CropRecipe.sce(centring="site"), center_z=5, center_y=5, center_x=5)
        assert np.array_equal(made.crop.image[:45, :45, :45], fixture.volume.image.data[:45, :45, :45])
        assert not made.crop.image[45:].any()

    @pytest.mark.parametrize("pad", ["reflect", "edge"])
    def test_other_padding_is_still_not_valid(self, pad):
        image = p1().volume.image.data
        made = cut(p1(), CropRecipe(centring="site", min_valid=0, pad=pad), center_z=5, center_y=60, center_x=80)
        padded = np.pad(image[:45, 20:100, 40:120], ((35, 0), (0, 0), (0, 0)), mode=pad)
        assert np.array_equal(made.crop.image, padded)
        assert not made.crop.operand("valid")[:35].any()

    def test_a_crop_that_leaves_the_window_still_knows_its_neurons(self):
        made = cut(p2(), CropRecipe(size=40, weight=1.0, guard_vox=None))
        assert made.facts["crop_x"] - 20 < 103 - 40
        z, y, x = corner(made, 40)
        there = p2().volume.neurons.data[z : z + 40, y : y + 40, x : x + 40]
        assert np.array_equal(made.crop.operand("side1"), there == 11)
        assert np.array_equal(made.crop.operand("background"), there == 0)

    def test_put(self):
        assert put(np.ones((1, 1, 1)), (0, 1, 1), 2)[0].tolist() == [[0, 0], [0, 1]]


class TestIsotropic:
    def flat(self):
        """P1 with every second section only: voxels of 16 x 8 x 8 nm."""
        volume = p1().volume
        grid = Grid((60, 140, 160), (16.0, 8.0, 8.0))
        return SynapseVolume(
            "bbox7",
            Image(volume.image.data[::2], grid),
            Labels(volume.neurons.data[::2], grid),
            Labels(volume.organelles.data[::2], grid),
            volume.structures,
        )

    def test_crop_is_made_of_cubes(self):
        row = {**p1().sites.iloc[0].to_dict(), "center_z": 30, "side1_z": 30, "side2_z": 30}
        made = cut_crop(self.flat(), row, CropRecipe(isotropic_nm=8.0, centring="site"), GREY)
        assert made.crop.voxel_nm == (8.0, 8.0, 8.0)
        assert made.facts["voxel_z_nm"] == 8.0
        # The middle of section 30 is 244 nm below the corner of the first: between cubes 60 and 61, of which the later is taken.
        assert made.facts["crop_z"] == 61
        assert corner(made)[1:] == (25, 43)
        assert counts(made)["cleft"] == 30 * 30 * 6
        assert counts(made)["vesicles"] == 26**3
        assert made.facts["o1"] == 17_576

    def test_anisotropic_voxels_are_measured_in_nm(self):
        row = {**p1().sites.iloc[0].to_dict(), "center_z": 30, "side1_z": 30, "side2_z": 30}
        made = cut_crop(self.flat(), row, CropRecipe(centring="site"), GREY)
        # A (z 12:18), B (z 40:46) in sections of 16 nm.
        a, b = np.hypot.reduce([13 * 16, 22 * 8, 14 * 8]), np.hypot.reduce([10 * 16, 27 * 8, 7 * 8])
        assert made.facts["mitochondria_distance_nm"] == pytest.approx(min(a, b))
        assert made.facts["mitochondria_runner_up_nm"] == pytest.approx(max(a, b))


def test_a_reader_needs_grey_levels_and_two_runs_are_equal():
    fixture = p1()
    with pytest.raises(InputError, match="grey levels"):
        cut_crop(reader_of(fixture.volume, CropRecipe()), fixture.sites.iloc[0], CropRecipe())
    first, again = (cut_crop(fixture.volume, fixture.sites.iloc[0], CropRecipe()) for _ in range(2))
    assert np.array_equal(first.crop.bits, again.crop.bits)
    assert first.facts == again.facts
    assert first.crop.levels == tuple(np.percentile(fixture.volume.image.data, (0.5, 99.5)))
