"""From files to table and page: what is found, what is told, what is refused, and how an interrupted run goes on."""

import json
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from neurotome.core import InputError, Mesh, NeurotomeError, RunFolderError, UnitError, UnknownNameError, ValueRangeError
from neurotome.flows.shapes import EmbedJob, embed_shapes, report_shapes
from neurotome.io import read_feature_table
from neurotome.io.mesh_files import write_mesh


def few(folder, *names):
    return tuple(str(folder / f"{name}.swc") for name in names)


@pytest.fixture
def run_copy(embedded, tmp_path):
    return shutil.copytree(embedded[0], tmp_path / "copy")


def test_the_table_has_a_row_per_neuron_with_labels_features_maps_and_groups(embedded):
    table = read_feature_table(embedded[0] / "embedding.h5ad")
    assert table.n_obs == 16 and list(table.obs_names) == sorted(table.obs_names)
    assert table.X.dtype == np.float32 and np.isfinite(table.X).all() and table.X.std(0).min() > 0
    assert table.obs["cell_type"].value_counts().to_dict() == {"basket": 5, "bipolar": 5, "granule": 5}
    assert table.obs["centre"].value_counts().to_dict() == {"soma": 15, "mean": 1}
    assert table.obs.loc["pieces", "trees"] == 2 and pd.isna(table.obs.loc["pieces", "cell_type"])
    assert set(table.obsm) >= {"morphometrics", "persistence", "sholl", "density", "X_pca", "X_umap", "X_tsne", "neighbours"}
    assert table.obs["cluster"].nunique() == 3 and table.obsm["neighbours"].shape == (16, 10)
    assert table.obs.loc["basket-0000", "nodes"] > 1  # counted, whatever the labels say
    assert (table.obs["clipped_fraction"] == 0).all()


def test_every_set_of_features_is_tested_on_the_labels(embedded):
    scores = read_feature_table(embedded[0] / "embedding.h5ad").uns["scores"]
    assert (scores["n"] == 15).all() and (scores["classes"] == 3).all()
    value = scores.set_index(["features", "measure"])["value"]
    assert set(value.index.get_level_values(0)) == {"embedding", "morphometrics", "persistence", "sholl", "density"}
    # Of fifteen neurons only a feature made for the purpose can be sure; how good the encoder is, the benchmark says.
    assert value["morphometrics", "linear_balanced_accuracy"] > 0.6 > scores["chance"].max()


def test_what_a_person_should_know_is_told(embedded):
    _, _, facts = embedded
    notes = "\n".join(facts["notes"])
    assert facts["neurons"] == 16 and facts["clusters"] == "3 groups (k was given)"
    assert "broken.swc' is left out" in notes
    assert "1 of 16 neurons have no soma: centred on the mean of the shape" in notes
    assert "1 of 16 neurons are of several trees" in notes
    assert "labels: nodes left out" in notes and "1 of 16 neurons have no labels: pieces" in notes
    assert any(line.startswith("cell_type, knn5_balanced_accuracy: ") and "chance" in line for line in facts["headline"])


def test_files_for_other_programs_and_a_page_lie_beside_it(embedded):
    out, _, _ = embedded
    names = {path.name for path in out.iterdir()}
    assert names >= {"neurons.csv", "neighbours.csv", "scores.csv", "quality.csv", "outliers.csv", "report.html", "run.json"}
    assert "choice.csv" not in names  # the number of groups was given
    rows = pd.read_csv(out / "neighbours.csv")
    assert len(rows) == 160 and list(rows.columns) == ["neuron", "rank", "neighbour", "distance"]
    assert len(pd.read_csv(out / "reconstruction" / "scores.csv")) == 16
    record = json.loads((out / "run.json").read_text())
    assert record["status"] == "done" and next(iter(record["seconds"])) == "embed"
    assert record["config"]["encoder"]["model"] == "neuron-shape-64"


def test_the_same_again_changes_nothing(embedded):
    out, job, facts = embedded
    before = (out / "embedding.h5ad").stat().st_mtime_ns
    assert embed_shapes(job, out, colour=("cell_type",)) == facts
    assert (out / "embedding.h5ad").stat().st_mtime_ns == before


def test_another_run_in_the_folder_is_refused(embedded, neuron_files):
    out, job, _ = embedded
    with pytest.raises(RunFolderError, match=r"config.clusters is 3 there and 2 now"):
        embed_shapes(replace(job, clusters=2), out)
    path = neuron_files / "basket-0003.swc"
    before = path.read_text()
    try:
        path.write_text(before + "100000 3 0 0 0 1 1\n")
        with pytest.raises(RunFolderError, match="shapes_sha256"):
            embed_shapes(job, out)
    finally:
        path.write_text(before)


def test_neurons_in_the_folder_to_be_emptied_are_kept(embedded, neuron_files):
    with pytest.raises(InputError, match="which is to be overwritten"):
        embed_shapes(EmbedJob(shapes=(str(neuron_files / "pieces.swc"),)), neuron_files, overwrite=True)
    assert (neuron_files / "pieces.swc").is_file()


@pytest.mark.parametrize(
    ("changed", "error", "said"),
    [
        ({"pooling": "sum"}, UnknownNameError, "pooling 'sum'.*bottleneck"),
        ({"pooling": "sum", "train_minutes": 1.0}, UnknownNameError, "pooling 'sum'.*bottleneck"),
        ({"options": {"size": 128}}, InputError, "size 128.*size 64, as model 'neuron-shape-64' was trained"),
        ({"options": {"scale": "fixed_extent", "extent_nm": 1e5}}, InputError, "scale fixed_extent"),
        ({"model": "nothing"}, NeurotomeError, "nothing"),
        ({"clusters": 0}, ValueRangeError, "--clusters 0 for 17 neurons.*1 to 16"),
        ({"clusters": 17}, ValueRangeError, "--clusters 17"),
        ({"labels": "other.csv"}, InputError, "labels are of other neurons: stranger"),
        ({"somata": "other.csv"}, UnknownNameError, "soma_z"),
        ({"split": "other.csv", "train_minutes": 1.0}, NeurotomeError, "split"),
        ({"skip_bad": False}, NeurotomeError, "broken.swc"),
    ],
    ids=lambda value: str(next(iter(value.items()))) if isinstance(value, dict) else "",
)
def test_what_cannot_be_done_is_refused_before_anything_is_written(neuron_files, tmp_path, changed, error, said):
    table = tmp_path / "other.csv"
    table.write_text("neuron_id,kind_of\nstranger,a\n")
    changed = {key: table if value == "other.csv" else value for key, value in changed.items()}
    job = EmbedJob(**{"shapes": (str(neuron_files),), "skip_bad": True, **changed})
    with pytest.raises(error, match=said):
        embed_shapes(job, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_colour_that_is_no_column_is_refused_first(neuron_files, tmp_path):
    with pytest.raises(UnknownNameError, match=r"column to colour by 'layer'.*cell_type"):
        embed_shapes(EmbedJob(shapes=(str(neuron_files),)), tmp_path / "out", colour=("layer",))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "wrong",
    [{"model": "a", "train_minutes": 1.0}, {"split": "s.csv"}, {"train_minutes": 0.0}],
    ids=["model and train", "split without train", "no minutes"],
)
def test_jobs_that_contradict_themselves(wrong):
    with pytest.raises(InputError):
        EmbedJob(shapes=("a.swc",), **wrong)


def test_an_interrupted_run_goes_on_and_ends_the_same(neuron_files, tmp_path):
    job = EmbedJob(shapes=few(neuron_files, "basket-0000", "granule-0001"))

    def stop(what, done, total):
        if what.startswith("described"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_shapes(job, tmp_path / "a", progress=stop)
    record = json.loads((tmp_path / "a" / "run.json").read_text())
    assert record["status"] == "interrupted" and record["done"] == ["embed"]
    facts = embed_shapes(job, tmp_path / "a")
    assert facts == embed_shapes(job, tmp_path / "b")
    assert facts["neurons"] == 2 and facts["clusters"] == "no groups"
    assert "2 neurons: too few for maps, groups and neighbours" in facts["notes"]
    a, b = (read_feature_table(tmp_path / name / "embedding.h5ad") for name in "ab")
    assert a.X.tobytes() == b.X.tobytes() and a.obs.equals(b.obs)


def test_points_and_meshes_and_one_node(tmp_path, rng):
    points = rng.normal(size=(300, 3)) * (40_000, 9_000, 9_000)
    np.savez(tmp_path / "cloud.npz", points_nm=points)
    corners = 30_000.0 * np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    write_mesh(tmp_path / "mesh.obj", Mesh(corners, np.array([[0, 2, 1], [0, 1, 3], [0, 3, 2], [1, 2, 3]])))
    (tmp_path / "node.swc").write_text("# unit: um\n1 1 5 5 5 4 -1\n")
    job = EmbedJob(shapes=tuple(str(tmp_path / name) for name in ("cloud.npz", "mesh.obj", "node.swc")), unit="nm")
    embed_shapes(replace(job, shapes=job.shapes[:2]), tmp_path / "out")
    table = read_feature_table(tmp_path / "out" / "embedding.h5ad")
    assert list(table.obs["kind"]) == ["points", "mesh"] and list(table.obs["centre"]) == ["mean", "mean"]
    assert table.obs["length_um"].isna().all() and np.isfinite(table.X).all()
    facts = embed_shapes(EmbedJob(shapes=job.shapes[2:]), tmp_path / "one")
    one = read_feature_table(tmp_path / "one" / "embedding.h5ad")
    assert facts["neurons"] == 1 and one.obs.loc["node", "nodes"] == 1 and np.isfinite(one.X).all()
    assert (tmp_path / "one" / "report.html").stat().st_size > 10_000


def test_clouds_with_holes_or_in_other_units_are_refused(tmp_path, rng):
    points = rng.random((50, 3)) * 1e5
    np.savez(tmp_path / "um.npz", points=points)
    np.savez(tmp_path / "tiny.npz", points_nm=points / 1e5)
    points[7, 1] = np.nan
    np.savez(tmp_path / "hole.npz", points_nm=points)
    for name, unit, error, said in (
        ("um", None, UnitError, "unit"),
        ("um", "um", UnitError, "99.*mm long.*1 um to 50 mm"),
        ("tiny", None, UnitError, "nm long"),
        ("hole", None, InputError, "nan|finite"),
    ):
        with pytest.raises(error, match=said):
            embed_shapes(EmbedJob(shapes=(str(tmp_path / f"{name}.npz"),), unit=unit), tmp_path / "out")
        assert not (tmp_path / "out").exists()


def test_an_encoder_trained_on_these_neurons_first(neuron_files, tmp_path):
    names = [f"{kind}-{k:04d}" for kind in ("basket", "granule") for k in range(3)]
    split = tmp_path / "split.csv"
    split.write_text("neuron_id,split\n" + "".join(f"{n},{'val' if n.endswith('2') else 'train'}\n" for n in names))
    job = EmbedJob(shapes=few(neuron_files, *names), train_minutes=0.01, split=split, labels=neuron_files / "labels.csv")
    facts = embed_shapes(job, tmp_path / "out")
    card = json.loads((tmp_path / "out" / "model" / "card.json").read_text())
    assert facts["model_card"]["weights_sha256"] == card["weights_sha256"]
    assert set(card["validated_on"]) == {"basket-0002", "granule-0002"}
    table = read_feature_table(tmp_path / "out" / "embedding.h5ad")
    assert table.uns["morphology"]["weights_sha256"] == card["weights_sha256"] and table.n_obs == 6


def test_labels_that_come_later_are_tested_and_earlier_ones_stay(run_copy, tmp_path):
    labels = pd.DataFrame({"layer": [f"L{k % 2}" for k in range(16)], "depth": np.arange(16.0)})
    labels.index = pd.Index(read_feature_table(run_copy / "embedding.h5ad").obs_names, name="neuron_id")
    labels.to_csv(tmp_path / "layers.csv")
    page, notes = report_shapes(run_copy, colour=("layer",), labels=tmp_path / "layers.csv")
    assert page == run_copy / "report.html" and "layer" in page.read_text()
    table = read_feature_table(run_copy / "embedding.h5ad")
    assert list(table.uns["label_columns"]) == ["cell_type", "layer", "depth"]
    assert set(table.uns["scores"]["target"]) == {"cell_type", "layer"}
    assert not any("layer" in note for note in notes)
    with pytest.raises(UnknownNameError, match="nope"):
        report_shapes(run_copy, colour=("nope",))
