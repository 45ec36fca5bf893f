"""The shapes of the phantom table, for every test of tracing."""

import importlib.util
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shapes():
    """The module `shapes.py` beside this file."""
    spec = importlib.util.spec_from_file_location("tracing_shapes", Path(__file__).with_name("shapes.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
