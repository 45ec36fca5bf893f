"""on_blocks: the work that is done block by block, by any process that sees the files.

values.py gathers what is not background, predict_block.py asks the network, labelled.py traces the objects of a label volume,
projection.py looks at a stack from three sides.
"""
