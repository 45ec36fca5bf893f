import json
import shutil
from pathlib import Path

from neurotome.core import ModelCard
from neurotome.report import read_results
from neurotome.report.facts import card_of_run, headline, score_lines, settings, timing, training_overlap

CARD = ModelCard("a-network", "unet2d", {}, ("membrane",), (30, 6, 6), "section", (0, 8, 8), trained_on=("tissue sections 0:60",))


def test_headline_counts_neurons_and_tissue(finished_run: Path) -> None:
    facts = {f.name: f.value for f in headline(read_results(finished_run))}
    assert facts["neurons and pieces"] == "16"
    assert facts["of tissue"] == "0.106 µm³"
    assert 0 < float(facts["adapted Rand error"]) < 0.2
    assert facts["of computing"] == "1 min 4 s"


def test_settings_name_units_and_hashes(finished_run: Path) -> None:
    facts = {f.name: f for f in settings(read_results(finished_run))}
    assert facts["voxel size"].value == "30 x 6 x 8 nm" and facts["voxel size"].note == "z, y, x"
    assert facts["image"].note == "sha256 abababababab"
    assert facts["threshold"].value == "0.4"


def test_scores_keep_convention_and_only_the_first_leads() -> None:
    row = {"metric": "adapted_rand_error", "unit": "", "better": "lower", "support": "full"}
    lines = score_lines([{**row, "value": 0.125, "convention": "isbi"}, {**row, "value": None, "convention": "snemi"}])
    assert [(line.value, line.convention, line.leads) for line in lines] == [("0.1250", "isbi", True), ("-", "snemi", False)]


def test_timing_shares_sum_to_the_whole(finished_run: Path) -> None:
    rows = timing(read_results(finished_run))
    assert [row[0] for row in rows] == ["predict", "segment"]
    assert abs(sum(row[2] for row in rows) - 100) < 1e-9


def test_a_card_kept_in_the_run_is_found_and_overlap_is_said(finished_run: Path, tmp_path: Path) -> None:
    run = Path(shutil.copytree(finished_run, tmp_path / "run"))
    assert card_of_run(read_results(run)) is None
    record = json.loads((run / "run.json").read_text())
    record["facts"]["model_card"] = CARD.to_json()
    (run / "run.json").write_text(json.dumps(record))
    results = read_results(run)
    card = card_of_run(results)
    assert card is not None and card.name == "a-network"
    text, warn = training_overlap(results, card)
    assert warn and "not held-out" in text
