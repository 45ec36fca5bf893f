import multiprocessing
import warnings
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pytest

from neurotome.core import Image
from neurotome.io import open_image, save


def first_section(image: Image, answer: Connection) -> None:
    try:
        answer.send(int(np.asarray(image.data[0]).sum()))
    except RuntimeError as error:
        answer.send(str(error))


def asked_of_a_worker(image: Image, method: str) -> object:
    context = multiprocessing.get_context(method)
    ours, theirs = context.Pipe(duplex=False)
    with warnings.catch_warnings():
        # Newer Pythons warn of fork beside threads, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        worker = context.Process(target=first_section, args=(image, theirs), daemon=True)
        worker.start()
    answer = ours.recv() if ours.poll(30) else "no answer"
    worker.kill()
    worker.join()
    return answer


@pytest.mark.parametrize("suffix", [".zarr", ".precomputed"])
def test_a_forked_worker_says_what_to_do_instead_of_hanging(tmp_path: Path, image: Image, suffix: str) -> None:
    save(image, tmp_path / f"a{suffix}")
    assert "'spawn'" in str(asked_of_a_worker(open_image(tmp_path / f"a{suffix}"), "fork"))


@pytest.mark.parametrize("suffix", [".tif", ".h5"])
def test_forked_workers_read_the_other_formats(tmp_path: Path, image: Image, suffix: str) -> None:
    save(image, tmp_path / f"a{suffix}")
    opened = open_image(tmp_path / f"a{suffix}")
    opened.read()
    assert asked_of_a_worker(opened, "fork") == int(image.read()[0].sum())
