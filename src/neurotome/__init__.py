"""neurotome: from microscope volumes to neurons, synapses and their shapes."""

__version__ = "0.1.0"
