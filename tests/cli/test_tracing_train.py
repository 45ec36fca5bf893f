"""`neurotome tracing train`: what it is given decides, and what does not go together is refused."""

import pytest
from typer.testing import CliRunner

from neurotome.cli.main import app
from neurotome.core import InputError


def run(*words):
    return CliRunner().invoke(app, ["tracing", "train", *map(str, words)])


def test_help_names_the_ways_in():
    said = run("--help").output
    assert "--init" in said and "--labels" in said and "--freeze" in said


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), "Neither a recipe nor --image was given"),
        (("a.yaml", "--patch", 64), "A recipe and --patch were given"),
        (("--image", "a"), "--image without --labels"),
        (("--image", "a", "--labels", "b", "--freeze", "stage1"), "--freeze stage1 without --init"),
        (("--image", "a", "--labels", "b", "--init", "x", "--freeze", "stage7"), "--freeze stage7"),
        (("--image", "a", "--labels", "b"), "'a' does not exist"),
        (("none.yaml",), "Recipe 'none.yaml' does not exist"),
    ],
)
def test_what_does_not_go_together(words, expected, tmp_path):
    result = run(*words, "-o", tmp_path / "out")
    assert isinstance(result.exception, InputError) and expected in str(result.exception)


def test_a_recipe_trains(tmp_path):
    (tmp_path / "r.yaml").write_text(
        "name: tiny\nimages: [{phantoms: {count: 3, seed: 1, shape: [16, 48, 48]}}]\nnetwork: {widths: [2, 3]}\n"
        "patch: 16\nleast_foreground: 1\npatches_per_image: 2\nfit: {steps: 1, validate_every: 1, batch: 1, precision: 32-true}\n"
    )
    result = run(tmp_path / "r.yaml", "-o", tmp_path / "out", "--device", "cpu", "--logger", "csv")
    assert result.exit_code == 0 and "Model 'tiny'" in result.output
    assert (tmp_path / "out" / "weights.safetensors").is_file() and (tmp_path / "out" / "history.csv").is_file()
