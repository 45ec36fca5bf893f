"""Networks answer as they do after training, whatever mode they are in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from torch import nn

__all__ = ["evaluating"]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Evaluation mode of all modules, and afterwards each in the mode it was in. Without it crops of one batch would explain each
    other. Captum's warning that an input was made to require gradients, which is what it is for, is not shown.
    """
    training = [module for module in network.modules() if module.training]
    network.eval()
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", category=UserWarning, module="captum")
            yield
    finally:
        for module in training:
            module.training = True
