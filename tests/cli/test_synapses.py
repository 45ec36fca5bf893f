"""`neurotome synapses`, as a user calls it: a small study from sites to pages, every question asked of it, bad input."""

import json
import shutil

import pandas as pd
import pytest
import yaml

from neurotome.datasets.sce_layout import write_sce_layout
from neurotome.datasets.synapse_phantoms import StudySpec, make_study, p1, write_study
from neurotome.io import read_feature_table

SPEC = StudySpec(n_per_type=3, volumes=2, types=3, seed=4)
KEPT = 18


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """Eighteen synapses of three kinds in two volumes, as files; the look of the network wants the presynapse."""
    folder = tmp_path_factory.mktemp("synapses")
    path = write_study(folder / "study", make_study(SPEC))
    truth = pd.read_csv(path.parent / "truth.csv", index_col="key")
    truth[["kind"]].to_csv(path.parent / "labels.csv", index_label="key")
    return path


@pytest.fixture(scope="module")
def run(study, tmp_path_factory):
    """What `synapses run` leaves, with a site outside its volume among the others."""
    from neurotome.flows.synapses import StudyJob, run_study

    sites = pd.read_csv(study.parent / "sites.csv", dtype={"synapse_id": str})
    sites.loc[len(sites)] = {**sites.iloc[0].to_dict(), "synapse_id": "outside", "center_z": 5000}
    sites.to_csv(study.parent / "more.csv", index=False)
    out = tmp_path_factory.mktemp("run") / "out"
    changes = {"sites": "more.csv", "clusters.k": 3, "attention.sites": 2, "report.masks": ["11c"], "labels": "labels.csv"}
    return out, run_study(study, out, StudyJob(), changes=changes)


def test_every_site_is_in_the_table_or_discarded_with_a_reason(run):
    out, facts = run
    table, discarded = read_feature_table(out / "features.h5ad"), pd.read_csv(out / "discarded.csv")
    assert facts["sites"] == KEPT + 1 == table.n_obs + len(discarded) and facts["kept"] == table.n_obs
    assert discarded[["key", "step", "reason"]].values.tolist() == [["phantom/v1/outside", "sites", "outside_volume"]]
    assert set(table.var["family"]) == {"morphometry", "contrastive"} and (table.var["family"] == "morphometry").sum() >= 25
    assert facts["clusters"] == 3 and len(facts["descriptions"]) == 3
    for name in ("crops.zarr", "clusters.csv", "presynapses.csv", "presynapse_graph.graphml", "sizes.csv", "attention.zarr"):
        assert (out / name).exists(), name


def test_labels_that_people_gave_are_compared_with_the_clusters(run):
    rows = pd.read_csv(run[0] / "manual_agreement.csv")
    assert set(rows["attribute"]) == {"kind"}
    assert rows.set_index("measure").loc["adjusted_rand", "value"] > 0.5


def test_attention_lies_on_the_grid_of_the_crops_and_is_compared_with_structures(run):
    rows = pd.read_csv(run[0] / "attention.csv")
    assert rows["key"].nunique() == 2 and {"vesicles", "clefts", "pre"} <= set(rows["operand"])
    assert rows["auc"].between(0, 1).all() and rows["layer"].nunique() == 3
    assert json.loads((run[0] / "attention.zarr" / "zarr.json").read_text())["attributes"]["target"] == "towards its own cluster"


def test_the_pages_are_where_they_are_expected(run):
    out, facts = run
    assert (out / "report.html").is_file()
    reports, stamp = out / "comprehensive_reports", facts["report_stamp"]
    assert (reports / f"report_{stamp}" / "index.html").is_file()
    assert (reports / f"presynapse_summary_{stamp}" / "presynapse_summary.html").is_file()
    assert (out / "views" / "11c_alpha1" / "features.h5ad").is_file()


def test_the_same_command_again_does_nothing_and_another_study_is_refused(cli, run, study):
    out, _ = run
    before = (out / "features.h5ad").stat().st_mtime_ns
    words = ["--set", "sites=more.csv", "--set", "clusters.k=3", "--set", "attention.sites=2", "--set", "labels=labels.csv"]
    code, printed, err = cli("synapses", "run", study, "-o", out, *words, "--set", 'report.masks=["11c"]')
    assert code == 0, err
    assert "19 sites, 18 kept, 1 discarded" in printed and f"Look at it: open {out / 'report.html'}" in printed
    assert (out / "features.h5ad").stat().st_mtime_ns == before
    code, _, err = cli("synapses", "run", study, "-o", out)
    assert code == 2 and "holds another run" in err and err.count("\n") == 1


def test_the_like_of_a_synapse(cli, run):
    code, printed, err = cli("synapses", "nearest", run[0], "phantom/v1/s001", "--top", 4)
    lines = printed.splitlines()
    assert code == 0 and len(lines) == 5 and lines[0].split()[:2] == ["key", "distance"], err
    distances = [float(line.split()[1]) for line in lines[1:]]
    assert distances == sorted(distances) and "phantom/v1/s001" not in printed
    code, _, err = cli("synapses", "nearest", run[0], "phantom/v1/0001")
    assert code == 2 and "Unknown synapse" in err


def test_a_table_agrees_with_itself(cli, run, tmp_path):
    code, _, err = cli("synapses", "compare", run[0], run[0] / "features.h5ad", "-o", tmp_path / "same")
    assert code == 0, err
    scores = json.loads((tmp_path / "same" / "comparison.json").read_text())
    assert scores["mantel"] == pytest.approx(1) and scores["cka"] == pytest.approx(1) and scores["rand"] == 1


def test_two_people(cli, run, study, tmp_path):
    labels = pd.read_csv(study.parent / "labels.csv")
    labels["kind"] = labels["kind"].iloc[0]
    labels.to_csv(tmp_path / "other.csv", index=False)
    copy = shutil.copytree(run[0], tmp_path / "run", ignore=shutil.ignore_patterns("*.zarr", "pages", "gifs", "figures"))
    code, printed, err = cli("synapses", "manual", copy, study.parent / "labels.csv", "--other", tmp_path / "other.csv")
    assert code == 0 and "adjusted_rand" in printed and "cohen_kappa" in printed, err


def test_links_count_from_the_corner_of_the_data_set(cli, run, study, tmp_path):
    copy = shutil.copytree(run[0], tmp_path / "run", ignore=shutil.ignore_patterns("attention.zarr", "pages", "gifs", "figures"))
    code, _, err = cli("synapses", "links", copy, "--base", "https://wk.example", "--nml")
    assert code == 0 and (copy / "sites.nml").is_file(), err
    first = pd.read_csv(copy / "links.csv").iloc[0]
    site = pd.read_csv(study.parent / "sites.csv").iloc[0]
    assert first["link"] == f"https://wk.example#{site['center_x']},{site['center_y']},{site['center_z']},0,0.905"


def test_labels_of_a_few_are_given_to_all(cli, run, study, tmp_path):
    copy = shutil.copytree(run[0], tmp_path / "run", ignore=shutil.ignore_patterns("*.zarr", "pages", "gifs", "figures"))
    labels = pd.read_csv(study.parent / "labels.csv")
    labels.groupby("kind").head(2).to_csv(tmp_path / "few.csv", index=False)
    code, printed, err = cli("synapses", "label", copy, "kind", "--labels", tmp_path / "few.csv")
    assert code == 0 and "6 labels given to 18 synapses" in printed and "label next: phantom/" in printed, err
    found = pd.read_csv(copy / "kind_propagated.csv", index_col="key")
    truth = labels.set_index("key")["kind"].loc[found.index]
    assert (found["kind_propagated"] == truth).mean() > 0.6 and found["kind_confidence"].between(0, 1).all()


def test_the_commands_are_listed_and_each_has_an_example(cli):
    listed = cli("synapses", "--help")[1]
    for name in ("run", "demo", "contrast", "nearest", "compare", "manual", "links", "label", "report"):
        code, out, _ = cli("synapses", name, "--help")
        assert code == 0 and name in listed and f"neurotome synapses {name}" in out


def _changed(study, tmp_path, **changes):
    """The study with other keys, in a file beside it."""
    told = {**yaml.safe_load(study.read_text()), **changes}
    path = study.with_name(f"{tmp_path.name}.yaml")
    path.write_text(yaml.safe_dump(told))
    return path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"legend": {"v1": {"vesicles": 2}}}, ("v2", "v1")),
        ({"crops": {"size": 81}}, ("Crops of 81 voxels", "even")),
        ({"look": {"mask": "clef | pre"}}, ("clef", "cleft")),
        ({"look": {"alpha": 2}}, ("alpha 2", "0 to 1")),
        ({"sights": "sites.csv"}, ("sights",)),
        ({"sites": "absent.csv"}, ("absent.csv", "does not exist")),
        ({"features": {"families": ["vgg3d"]}, "clusters": {"families": ["vgg3d"]}}, ("checkpoint", "random_weights")),
        ({"features": {"families": ["contrastive"]}}, ("clusters.families has morphometry",)),
        ({"clusters": {"method": "kmean"}}, ("kmeans",)),
    ],
)
def test_a_wrong_study_is_one_clear_line_and_nothing_is_written(cli, study, tmp_path, changes, words):
    code, _, err = cli("synapses", "run", _changed(study, tmp_path, **changes), "-o", tmp_path / "out")
    assert code == 2 and not (tmp_path / "out").exists()
    assert all(word in err for word in words), err
    assert err.count("\n") == 1 or "^" in err


@pytest.mark.parametrize("words", [("--only", "crop"), ("--only", "sites", "--skip", "report"), ("--set", "clusters.kk=3")])
def test_wrong_options_are_refused(cli, study, tmp_path, words):
    assert cli("synapses", "run", study, "-o", tmp_path / "out", *words)[0] == 2
    assert not (tmp_path / "out").exists()


def test_a_step_before_its_time_says_which_is_missing(cli, study, tmp_path):
    code, _, err = cli("synapses", "cluster", study, "-o", tmp_path / "out")
    assert code == 2 and "needs features.h5ad" in err and "step 'features' done" in err


@pytest.mark.parametrize("content", [b"", b"not a network"])
def test_a_broken_checkpoint_never_passes_as_random_weights(cli, study, tmp_path, content):
    (tmp_path / "broken.pth").write_bytes(content)
    families = {
        "features": {"families": ["vgg3d"], "checkpoint": str(tmp_path / "broken.pth")},
        "clusters": {"families": ["vgg3d"]},
    }
    code, _, err = cli("synapses", "run", _changed(study, tmp_path, **families), "-o", tmp_path / "out")
    assert code == 2 and "broken.pth" in err and not (tmp_path / "out" / "features.h5ad").exists()


def test_more_clusters_than_synapses(cli, study, tmp_path):
    sites = pd.read_csv(study.parent / "sites.csv", dtype={"synapse_id": str}).head(3)
    sites.to_csv(study.parent / "three.csv", index=False)
    told = {"sites": "three.csv", "features": {"families": ["morphometry"]}, "clusters": {"k": 4}}
    code, _, err = cli("synapses", "run", _changed(study, tmp_path, **told), "-o", tmp_path / "out", "--skip", "report")
    assert code == 2 and "4" in err and "3" in err and (tmp_path / "out" / "features.h5ad").is_file()


def test_the_folders_of_the_reference_are_a_study(cli, tmp_path):
    fixture = p1()
    write_sce_layout(tmp_path / "data", [fixture.volume], fixture.sites)
    layout = {"kind": "sce", "raw": "data/raw", "seg": "data/seg", "mask": "data/mask", "voxel_nm": [8, 8, 8]}
    told = {"layout": layout, "legend": "sce", "sites": "data/excel", "columns": "sce", "features": {"families": ["morphometry"]}}
    (tmp_path / "study.yaml").write_text(yaml.safe_dump(told))
    words = ("synapses", "run", tmp_path / "study.yaml", "-o", tmp_path / "out", "--only", "sites,crops,features")
    code, printed, err = cli(*words)
    assert code == 0 and "1 sites, 1 kept, 0 discarded" in printed, err
    table = read_feature_table(tmp_path / "out" / "features.h5ad")
    assert table.obs[["pre_id", "post_id"]].iloc[0].tolist() == ["bbox7_11", "bbox7_22"]
    assert table[:, "vesicle_percent_crop"].X.item() == pytest.approx(3.4328125)
    next((tmp_path / "data" / "mask" / "bbox_7").glob("slice_*50.tif")).unlink()
    code, _, err = cli(*words, "--overwrite")
    assert code == 2 and "119" in err and err.count("\n") == 1
