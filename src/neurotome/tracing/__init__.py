"""tracing: where does this neuron run?

Question: which path does each neurite take through the volume, how thick is it, and how sure are we?
Takes: Image, Probability or Labels. Gives: Skeletons (trees of nodes with radii), and the bridges a person should look at.
May import: nn, blocks, measure, datasets, io, core. Never another room.
Read first: `trace.py`, then `scooping/scoop.py`.
"""
