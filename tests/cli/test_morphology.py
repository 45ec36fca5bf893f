"""`neurotome morphology`, as a user calls it: what is printed, exit codes, one clear line for an error."""

import re
import shutil

import pytest

COMMANDS = ("embed", "report", "train", "rebuild", "classify", "search")


@pytest.fixture(scope="module")
def run_copy(embedded, tmp_path_factory):
    return shutil.copytree(embedded[0], tmp_path_factory.mktemp("cli") / "run")


def test_the_commands_are_listed_and_each_has_an_example(cli):
    assert all(name in cli("morphology", "--help")[1] for name in COMMANDS)
    for name in COMMANDS:
        code, out, _ = cli("morphology", name, "--help")
        assert code == 0 and f"neurotome morphology {name}" in out


def test_one_neuron_is_embedded_and_told_of(cli, neuron_files, tmp_path):
    words = ("morphology", "embed", neuron_files / "pieces.swc", neuron_files / "broken.swc", "-o", tmp_path / "out")
    code, out, err = cli(*words, "--color", "centre")
    assert code == 2 and err.count("\n") == 1 and "broken.swc" in err and not (tmp_path / "out").exists()
    code, out, err = cli(*words, "--color", "centre", "--labels", neuron_files / "labels.csv", "--skip-bad")
    assert code == 2 and "labels are of other neurons" in err and not (tmp_path / "out").exists()
    (tmp_path / "own.csv").write_text("name,side\npieces,left\n")
    code, out, err = cli(*words, "--skip-bad", "--labels", tmp_path / "own.csv")
    assert code == 0, err
    lines = out.splitlines()
    assert "1 neurons, no groups" in lines
    assert any("broken.swc' is left out" in line for line in lines)
    assert "  1 of 1 neurons have no soma: centred on the mean of the shape" in lines
    assert lines[-1] == f"Look at it: open {tmp_path / 'out' / 'report.html'}"


def test_the_page_in_other_colours_and_with_other_labels(cli, run_copy, tmp_path):
    code, out, err = cli("morphology", "report", run_copy, "--color", "cell_type")
    assert code == 0 and out.splitlines()[-1] == f"Look at it: open {run_copy / 'report.html'}", err
    code, _, err = cli("morphology", "report", run_copy, "--color", "cell_typ")
    assert code == 2 and "did you mean 'cell_type'" in err
    (tmp_path / "strangers.csv").write_text("name,layer\nx,1\n")
    before = (run_copy / "embedding.h5ad").read_bytes()
    code, _, err = cli("morphology", "report", run_copy, "--labels", tmp_path / "strangers.csv")
    assert code == 2 and "labels are of other neurons: x" in err
    assert (run_copy / "embedding.h5ad").read_bytes() == before
    assert cli("morphology", "report", tmp_path)[0] == 2


def test_search_prints_a_table(cli, run_copy, neuron_files):
    code, out, err = cli("morphology", "search", run_copy, "granule-0002", "--top", 3)
    lines = out.splitlines()
    assert code == 0 and lines[0].split() == ["rank", "neuron", "distance", "cell_type"] and len(lines) == 4, err
    assert [line.split()[0] for line in lines[1:]] == ["1", "2", "3"] and "granule-0002" not in out
    assert len(cli("morphology", "search", run_copy, neuron_files / "granule-0002.swc", "--top", 2)[1].splitlines()) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("search", "RUN", "granule-2"), "did you mean 'granule-000"),
        (("search", "RUN", "granule-0002", "--top", 99), "1 to 15"),
        (("classify", "RUN", "--by", "layer"), "Unknown column 'layer'"),
        (("classify", "RUN", "--by", "cell_type", "--quick"), "cell_type|members|folds"),
        (("classify", "NOWHERE", "--by", "cell_type"), "does not exist"),
        (("embed", "NOWHERE", "-o", "OUT"), "does not exist"),
        (("embed", "NEURONS", "-o", "OUT", "--set", "centre=soma"), "Unknown grid setting 'centre'.*did you mean 'centring'"),
        (("embed", "NEURONS", "-o", "RUN", "--skip-bad"), "holds another run"),
        (("rebuild", "NEURONS", "-o", "RUN", "--skip-bad"), "holds another run"),
        (("train", "NEURONS", "-o", "OUT"), "broken.swc"),
        (("train", "NEURONS", "-o", "OUT", "--network", "sparse"), "cubes"),
    ],
    ids=lambda value: " ".join(map(str, value)) if isinstance(value, tuple) else "",
)
def test_an_error_is_one_line_and_exit_code_2(cli, run_copy, neuron_files, tmp_path, words, said):
    places = {"RUN": run_copy, "NEURONS": neuron_files, "OUT": tmp_path / "out", "NOWHERE": tmp_path / "nowhere"}
    before = (run_copy / "run.json").read_bytes()
    code, _, err = cli("morphology", *(places.get(word, word) for word in words))
    assert code == 2 and err.startswith("neurotome: ") and err.count("\n") == 1 and "Expected: " in err
    assert re.search(said, err), err
    assert not (tmp_path / "out").exists() and (run_copy / "run.json").read_bytes() == before


def test_classify_says_how_well_and_against_what(cli, embedded):
    # In the folder that tests/flows/shapes/test_classify.py works in: its finished folds are not made twice.
    words = ("--by", "cell_type", "--features", "morphometrics", "--quick", "--folds", 2)
    code, out, err = cli("morphology", "classify", embedded[0], *words)
    assert code == 0, err
    *_, result, written = out.splitlines()
    assert result.startswith("balanced accuracy ") and "over 2 folds; chance 0." in result
    assert result.endswith("15 neurons, 3 types") and written == f"written: {embedded[0] / 'classifiers'}"


def test_rebuild_says_how_much_came_back(cli, neuron_files, tmp_path):
    code, out, err = cli("morphology", "rebuild", neuron_files / "bipolar-0000.swc", "-o", tmp_path / "r")
    assert code == 0 and out.startswith(f"1 neurons in {tmp_path / 'r'}: F1 0."), err
    assert {p.name for p in (tmp_path / "r" / "decoded").iterdir()} == {"bipolar-0000.swc", "bipolar-0000.obj"}
