"""The options that say who does the work."""

import pytest

from neurotome.cli.workers import parsed_slurm
from neurotome.core import InputError


def test_slurm_options_by_name():
    assert parsed_slurm(None) is None
    assert parsed_slurm("partition=cpu,walltime=04:00:00, job_extra_directives=--qos=low") == {
        "partition": "cpu",
        "walltime": "04:00:00",
        "job_extra_directives": "--qos=low",
    }


@pytest.mark.parametrize("text", ["", "cpu", "partition=", "=cpu", "partition=cpu,"])
def test_words_that_are_no_options(text):
    with pytest.raises(InputError, match="NAME=VALUE"):
        parsed_slurm(text)
