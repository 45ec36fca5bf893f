"""Files beside the page: GIFs, sample sheets, maps with their numbers, attention."""

import json

import numpy as np
from PIL import Image

from neurotome.core import CropLook
from neurotome.report.synapses import write_crop_comparison
from neurotome.report.synapses.attention import RAMP, AttentionMaps, heat
from neurotome.report.synapses.figures import gif_name
from neurotome.report.synapses.run import SynapseRun


def test_a_gif_has_all_sections_at_ten_a_second_and_fixed_grey(whole):
    name = gif_name("study/bbox1/s03", CropLook())
    with Image.open(whole / "gifs" / name) as gif:
        assert gif.n_frames == 32 and gif.info["duration"] == 100
        gif.seek(2)
        # Beyond the presynapse everything is under grey 0.6.
        assert (np.asarray(gif.convert("L"))[:, 20:] == 153).all()
    with Image.open((whole / "gifs" / name).with_suffix(".png")) as picture:
        assert round(picture.info["dpi"][0]) == 300 and picture.size == (32, 32)
    assert len(list((whole / "gifs").glob("*.gif"))) == 12


def test_numbers_beside_a_map_are_those_of_the_table(whole):
    run = SynapseRun.open(whole)
    told = json.loads((whole / "figures" / "map_umap_cleft_area_um2.json").read_text())
    assert told["synapses"] == run.ids and np.allclose(told["values"], 0.1 + 0.01 * np.arange(12))
    assert np.allclose(told["x"], run.maps["umap"][:, 0])
    groups = json.loads((whole / "figures" / "map_umap_cluster.json").read_text())["groups"]
    assert {name: group["synapses"] for name, group in groups.items()} == {"0": 4, "1": 4, "2": 4}
    assert json.loads((whole / "figures" / "cluster_by_volume.json").read_text())["counts"] == [[2, 2]] * 3


def test_sample_sheets_name_the_medoid_first(whole):
    told = json.loads((whole / "figures" / "samples.json").read_text())
    assert told["look"] == "11_alpha1" and told["clusters"]["0"][0] == "study/bbox1/s03" and len(told["clusters"]["0"]) == 4
    assert json.loads((whole / "figures" / "normalisations.json").read_text())["synapses"] == {
        "bbox1": "study/bbox1/s00",
        "bbox2": "study/bbox2/s06",
    }


def test_crops_are_compared_cell_by_cell(tmp_path):
    cells = {
        "smart": {"as it is": np.full((8, 8), 0.5), "5 %": None},
        "site": {"as it is": np.zeros((8, 8)), "5 %": np.ones((8, 8))},
    }
    path = write_crop_comparison(tmp_path, "study/v1/7", cells)
    assert path.name == "crop_comparison_study_v1_7.png"
    assert json.loads(path.with_suffix(".json").read_text())["columns"] == ["as it is", "5 %"]
    with Image.open(path) as picture:
        grey = np.asarray(picture.convert("L"))
    assert (grey == 128).sum() >= 240 * 240 and (grey == 0).sum() >= 240 * 240


def test_attention_has_one_scale_per_layer_and_says_what_is_empty(whole):
    run = SynapseRun.open(whole)
    maps = AttentionMaps.of(run)
    assert maps.target == "towards its own cluster" and maps.read(0)[0].sum() == np.float32(0.5 * 8**3)
    told = json.loads((whole / "figures" / "attention_study_bbox1_s01.json").read_text())
    assert told["layers"] == ["features.3", "features.20"] and told["maxima"] == [0.25, 0.0]
    assert "Nothing decides in features.20." in (whole / "report.html").read_text(encoding="utf-8")
    with Image.open(whole / "figures" / "attention_study_bbox1_s00.png") as picture:
        colours = np.asarray(picture.convert("RGB")).astype(int)
    hottest = np.array([int(RAMP[-1][k : k + 2], 16) for k in (1, 3, 5)])
    assert (abs(colours - hottest).max(-1) < 60).any()


def test_heat_runs_through_its_colours():
    assert heat(np.array([0.0, 0.2, 1.0])).tolist() == [[0, 0, 4], [66, 10, 104], [252, 255, 164]]
