import inspect
import pickle

import pytest

from neurotome.core import errors

ALL = [getattr(errors, name) for name in errors.__all__]


def example(kind):
    if kind is errors.UnknownNameError:
        return kind("model", "unet3", ["unet2d", "rsunet3d"])
    if kind is errors.MissingExtraError:
        return kind("wandb", "wandb")
    if kind is errors.BlocksFailedError:
        return kind("fragments", [("0:8, 0:64, 0:64", "OSError: gone")], 2, 27, "out/failed_blocks.csv")
    return kind("Given this", "that", "do so")


@pytest.mark.parametrize("kind", ALL)
def test_every_error_says_given_expected_remedy_in_one_line(kind):
    text = str(example(kind))
    assert "Expected: " in text and "Remedy: " in text and "\n" not in text


@pytest.mark.parametrize("kind", ALL)
def test_errors_survive_the_way_between_processes(kind):
    error = example(kind)
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind and str(again) == str(error)


def test_exit_codes_and_builtin_parents():
    assert {k.__name__ for k in ALL if k.exit_code == 1} == {"NeurotomeError", "RunFailedError", "BlocksFailedError"}
    assert issubclass(errors.MissingFileError, FileNotFoundError) and issubclass(errors.UnknownNameError, KeyError)


def test_the_tree_in_the_docstring_is_complete():
    drawn = inspect.getdoc(errors)
    assert all(kind.__name__ in drawn for kind in ALL)
