"""The page of shapes: what it says of a run folder, whole or with parts missing, and what may not be in it."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from neurotome.core import FormatError, MissingFileError, RunFolderError, UnknownNameError
from neurotome.io import atomic_write_json, save_arrays
from neurotome.report.morphology import write_shape_report


class _Ids(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.ids, self.loaded = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.ids += [given["id"]] if tag == "section" and "id" in given else []
        self.loaded += [given[key] for key in ("src", "href") if key in given and tag != "a"]


def text(folder):
    return (folder / "report.html").read_text(encoding="utf-8")


def words(folder):
    """What is said, without scripts and styles."""
    plain = re.sub(r"<(script|style)\b.*?</\1>", "", text(folder), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", plain).split())


def test_all_parts_are_there_and_nothing_is_loaded(whole):
    page = _Ids(text(whole))
    assert page.ids == ["map", "scores", "clusters", "outliers", "reconstruction", "frames", "encoder", "timing", "cite"]
    assert page.loaded == ["data:,"]


def test_headline_and_notes(whole):
    said = words(whole)
    assert "Shapes of 30 neurons" in said and "28 skeletons, 2 point clouds" in said
    assert "3 clusters stability 0.91" in said
    assert "0.84 cell type: balanced accuracy, by the 5 nearest chance 0.33; morphometrics 0.61" in said
    assert "4 numbers per neuron by the encoder a-shape-encoder" in said
    assert "2 files were left out: a.swc, b.swc" in said


def test_the_sentence_is_no_surer_than_the_intervals(whole):
    said = words(whole)
    assert (
        "The learned embedding tells cell type apart better than chance: 0.84 (95 % interval 0.75 to 0.91), chance is 0.33."
        in said
    )
    assert "It is better than the best hand-made features, morphometrics (0.61)." in said
    assert (
        "The learned embedding does not tell layer apart: it reaches 0.52 (95 % interval 0.41 to 0.63), and chance is 0.50."
        in said
    )


def test_colours_that_are_asked_for_come_first_and_what_tells_nothing_is_not_offered(whole, page_data):
    data = page_data(whole)
    assert [column["name"] for column in data["columns"]][:3] == ["layer", "cell_type", "cluster"]
    names = {column["name"] for column in data["columns"]}
    assert {"kind", "length_um", "outlier_score"} <= names and not {"source", "trees", "clipped_fraction"} & names
    assert {"source", "trees"} <= {one["title"] for one in data["told"]}
    assert data["label"] == "layer"


def test_neighbours_and_places_are_those_of_the_table(whole, page_data):
    from neurotome.io.feature_table import read_feature_table

    data, table = page_data(whole), read_feature_table(whole / "embedding.h5ad")
    assert data["ids"] == list(table.obs_names) and [one["key"] for one in data["maps"]] == ["umap", "tsne", "pca"]
    assert data["maps"][2]["x"] == pytest.approx(table.obsm["X_pca"][:, 0], rel=1e-4)
    assert data["neighbours"]["rows"][0] == table.obsm["neighbours"][0].tolist()
    assert "trustworthiness 0.93" in data["maps"][0]["note"]


def test_clusters_show_members_stability_and_the_medoid(whole):
    said, html = words(whole), text(whole)
    assert re.search(r"0 10 33 % 0\.97 deep 50 % of 10", said) and "0.42 doubtful" in said
    # Row 7 is named as the medoid of cluster 0 in clusters.csv.
    assert re.search(r'class="examples"><button[^>]* data-row="7"', html)


def test_what_the_table_holds_needs_no_file(whole, tmp_path):
    from neurotome.io.feature_table import read_feature_table, write_feature_table

    table = read_feature_table(whole / "embedding.h5ad")
    table.uns["clusters"] = pd.DataFrame(
        {"cluster": [0, 1, 2], "medoid": [7, 12, 25], "jaccard": [0.97, 0.9, 0.42], "stable": [True, True, False]}
    )
    table.uns["cluster"] = {"reason": "the largest silhouette of 3 stable numbers"}
    effects = {"effect": [2.0, -3.0, 9.0], "low": [1.0, -4.0, -1.0], "high": [3.0, -2.0, 20.0]}
    table.uns["profiles"] = pd.DataFrame({"cluster": [0, 0, 0], "feature": ["tips", "path_length", "unsure"], **effects})
    write_feature_table(tmp_path / "embedding.h5ad", table)
    (tmp_path / "run.json").write_text((whole / "run.json").read_text())
    write_shape_report(tmp_path)
    said = words(tmp_path)
    assert "The largest silhouette of 3 stable numbers." in said and "0.42 doubtful" in said
    assert "less path length, more tips" in said and "unsure" not in said


def test_outliers_keep_their_ids_as_text(whole):
    assert 'aria-label="outlier 0009"' in text(whole) and "a branch ends in the air" in words(whole)


def test_maps_are_pictures_with_their_numbers_beside_them(whole):
    from PIL import Image

    with Image.open(whole / "maps" / "umap-cell_type.png") as picture:
        assert picture.size == (1600, 1100)
        # The clearest colour of a group is there, in legend and points.
        shown = np.asarray(picture.convert("RGB")).reshape(-1, 3)
        assert (np.abs(shown.astype(int) - (0x00, 0x72, 0xB2)).max(1) < 8).sum() > 200
    beside = json.loads((whole / "maps" / "umap-cell_type.json").read_text())
    assert beside["groups"]["A"] == {"colour": "#0072b2", "symbol": "circle", "neurons": 10}
    assert len(beside["x"]) == len(beside["values"]) == 30 and beside["values"][:2] == ["A", "A"]
    numbers = json.loads((whole / "maps" / "pca-length_um.json").read_text())
    assert numbers["values"][3] is None and numbers["range"][0] < numbers["range"][1]


def test_reconstruction_says_which_threshold_and_which_would_be_best(whole):
    said = words(whole)
    assert "0.55, the threshold of the encoder, was used. On these neurons F1 is highest at 0.5 (0.840)." in said
    assert "Median of 30 neurons" in said and "F1 0.810 0.800 to 0.820" in said


def test_two_runs_give_the_same_bytes(tmp_path, shape_run):
    first = shape_run(tmp_path / "out", neurons=6, whole=False, measured=False)
    write_shape_report(first)
    before = {path.name: path.read_bytes() for path in [first / "report.html", *(first / "maps").iterdir()]}
    write_shape_report(first)
    assert before == {path.name: path.read_bytes() for path in [first / "report.html", *(first / "maps").iterdir()]}


@pytest.mark.parametrize("neurons", [1, 2])
def test_few_neurons_and_none_of_the_files_that_may_be_missing(tmp_path, neurons, shape_run, page_data):
    folder = shape_run(tmp_path / "out", neurons=neurons, whole=False, labels=False)
    write_shape_report(folder)
    assert _Ids(text(folder)).ids == ["map", "frames", "cite"]
    data = page_data(folder)
    assert data["label"] is None and data["drawings"]["offsets"] == [0] * (neurons + 1)
    assert "Shapes of 1 neuron " in words(folder) if neurons == 1 else "Shapes of 2 neurons" in words(folder)


def test_a_table_without_maps(tmp_path, shape_run):
    folder = shape_run(tmp_path / "out", neurons=3, whole=False, measured=False, maps=False)
    write_shape_report(folder)
    assert 'id="plot"' not in text(folder) and not (folder / "maps").exists()


def test_one_cloud_is_said_to_be_no_clusters(tmp_path, shape_run):
    folder = shape_run(tmp_path / "out", neurons=5, whole=False, measured=False)
    (folder / "choice.csv").write_text(
        "k,silhouette,inertia,stability,chosen\n1,,10,,True\n2,0.2,6,0.4,False\n3,0.1,5,0.3,False\n"
    )
    write_shape_report(folder)
    assert "none clusters no groups beyond chance" in words(folder)


def test_text_from_outside_is_text(tmp_path, shape_run):
    folder = shape_run(tmp_path / "out", neurons=4, whole=False, measured=False)
    table = pd.DataFrame({"neuron": ["0001"], "score": [2.0], "reason": ["</script><img src=x onerror=alert(1)>"]})
    table.to_csv(folder / "outliers.csv", index=False)
    record = json.loads((folder / "run.json").read_text())
    atomic_write_json(folder / "run.json", {**record, "facts": {"notes": ["<b>bold</b>"]}})
    write_shape_report(folder)
    assert "<img src=x" not in text(folder) and "<b>bold" not in text(folder)


def test_group_names_cannot_leave_the_script(tmp_path, shape_run, page_data):
    folder = shape_run(tmp_path / "out", neurons=4, whole=False, measured=False, names=("</script><b>", "B"))
    write_shape_report(folder)
    assert "</script><b>" not in text(folder)
    assert page_data(folder)["columns"][0]["groups"] == ["</script><b>", "B"]


def test_what_cannot_be_shown_is_refused_in_a_line(tmp_path, shape_run):
    with pytest.raises(RunFolderError, match=r"holds no run\.json"):
        write_shape_report(tmp_path)
    atomic_write_json(tmp_path / "run.json", {"command": "reconstruct", "config": {}})
    with pytest.raises(MissingFileError, match=r"embedding\.h5ad.*morphology embed"):
        write_shape_report(tmp_path)
    folder = shape_run(tmp_path / "out", neurons=3, whole=False, measured=False)
    with pytest.raises(UnknownNameError, match=r"Unknown column 'cel_type'.*did you mean 'cell_type'"):
        write_shape_report(folder, colour=["cel_type"])
    save_arrays(folder / "previews.npz", segments=np.zeros((2, 4), np.float16), offsets=np.array([0, 1, 2]))
    with pytest.raises(FormatError, match="does not fit the table of 3 neurons"):
        write_shape_report(folder)


def test_a_thousand_neurons_fit_a_page(tmp_path, rng, shape_run):
    folder = shape_run(tmp_path / "out", neurons=1000, whole=False, measured=False)
    steps = np.cumsum(rng.normal(0, 0.02, (700_000, 2)), axis=0) % 2 - 1
    segments = np.hstack([steps, np.roll(steps, 1, axis=0)]).astype(np.float16)
    save_arrays(folder / "previews.npz", segments=segments, offsets=np.arange(0, 700_001, 700))
    write_shape_report(folder)
    size = (folder / "report.html").stat().st_size
    assert 10e6 < size < 18e6
    assert "report.html" not in [path.name for path in folder.glob("maps/*")]
