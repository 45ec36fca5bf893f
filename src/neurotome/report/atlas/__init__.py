"""report.atlas: the map to walk on, which pages of tables share: columns to colour by, its data, its pictures, the choice of k.

Used by: morphology/, synapses/. The script is `../atlas.js`, its place in a page the macro `atlas_of` of `../parts.html`.
"""
