"""What to cite: the methods this page rests on. Data and networks are cited by their own cards."""

from collections.abc import Collection

__all__ = ["METHODS", "SHAPE_METHODS", "SYNAPSE_METHODS", "TRACING_METHODS", "shape_methods", "synapse_methods"]

METHODS = (
    (
        "Affinities, loss and mean-affinity agglomeration",
        (
            "Lee, Zung, Li, Jain, Seung (2017). Superhuman accuracy on the SNEMI3D connectomics challenge. arXiv:1706.00120.",
            "Funke, Tschopp, Grisaitis, Sheridan, Singh, Saalfeld, Turaga (2018). Large scale image segmentation with structured "
            "loss based deep learning for connectome reconstruction. IEEE TPAMI 41(7), 1669-1680.",
        ),
    ),
    (
        "Watershed fragments",
        (
            "Zlateski, Seung (2015). Image segmentation by size-dependent single linkage clustering of a watershed basin graph. "
            "arXiv:1505.00249.",
        ),
    ),
    (
        "Adapted Rand error",
        (
            "Arganda-Carreras, Turaga, Berger, et al. (2015). Crowdsourcing the creation of image segmentation algorithms for "
            "connectomics. Frontiers in Neuroanatomy 9, 142.",
        ),
    ),
    (
        "Variation of information",
        ("Meilă (2007). Comparing clusterings: an information based distance. Journal of Multivariate Analysis 98(5), 873-895.",),
    ),
)

TRACING_METHODS = (
    (
        "Voxel Scooping",
        (
            "Rodriguez, Ehlenberger, Hof, Wearne (2009). Three-dimensional neuron tracing by voxel scooping. Journal of "
            "Neuroscience Methods 184(1), 169-175.",
        ),
    ),
    (
        "Radii: Rayburst sampling",
        (
            "Rodriguez, Ehlenberger, Hof, Wearne (2006). Rayburst sampling, an algorithm for automated three-dimensional shape "
            "analysis from laser scanning microscopy images. Nature Protocols 1, 2152-2161.",
        ),
    ),
    (
        "Network",
        (
            "Chen, Dou, Yu, Qin, Heng (2018). VoxResNet: deep voxelwise residual networks for brain segmentation from 3D MR "
            "images. NeuroImage 170, 446-455.",
        ),
    ),
    (
        "Distances between trees",
        (
            "Peng, Ruan, Long, Simpson, Myers (2010). V3D enables real-time 3D visualization and quantitative analysis of "
            "large-scale biological image data sets. Nature Biotechnology 28, 348-353.",
            "Manubens-Gil, Zhou, Chen, et al. (2023). BigNeuron: a resource to benchmark and predict performance of algorithms "
            "for automated tracing of neurons in light microscopy datasets. Nature Methods 20, 824-835.",
        ),
    ),
)

SHAPE_METHODS = (
    (
        "umap",
        "UMAP",
        (
            "McInnes, Healy, Melville (2018). UMAP: uniform manifold approximation and projection for dimension reduction. "
            "arXiv:1802.03426.",
        ),
    ),
    (
        "tsne",
        "t-SNE",
        (
            "van der Maaten, Hinton (2008). Visualizing data using t-SNE. Journal of Machine Learning Research 9, 2579-2605.",
            "Poličar, Stražar, Zupan (2024). openTSNE: a modular Python library for t-SNE dimensionality reduction and "
            "embedding. Journal of Statistical Software 109(3), 1-30.",
        ),
    ),
    (
        "quality",
        "Trustworthiness of maps",
        (
            "Venna, Kaski (2001). Neighborhood preservation in nonlinear projection methods: an experimental study. ICANN 2001, "
            "Lecture Notes in Computer Science 2130, 485-491.",
        ),
    ),
    (
        "clusters",
        "Number and stability of clusters",
        (
            "Rousseeuw (1987). Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. Journal of "
            "Computational and Applied Mathematics 20, 53-65.",
            "Ben-Hur, Elisseeff, Guyon (2002). A stability based method for discovering structure in clustered data. Pacific "
            "Symposium on Biocomputing 7, 6-17.",
            "Hennig (2007). Cluster-wise assessment of cluster stability. Computational Statistics and Data Analysis 52(1), "
            "258-271.",
            "Hubert, Arabie (1985). Comparing partitions. Journal of Classification 2, 193-218.",
        ),
    ),
    (
        "morphometrics",
        "Morphometrics",
        (
            "Scorcioni, Polavaram, Ascoli (2008). L-Measure: a web-accessible tool for the analysis, comparison and search of "
            "digital reconstructions of neuronal morphologies. Nature Protocols 3, 866-876.",
        ),
    ),
    (
        "persistence",
        "Persistence of branches",
        (
            "Kanari, Dłotko, Scolamiero, Levi, Shillcock, Hess, Markram (2018). A topological representation of branching "
            "neuronal morphologies. Neuroinformatics 16, 3-13.",
        ),
    ),
    (
        "sholl",
        "Sholl profile",
        (
            "Sholl (1953). Dendritic organization in the neurons of the visual and motor cortices of the cat. Journal of Anatomy "
            "87, 387-406.",
        ),
    ),
)
"""What a page of shapes rests on: the part of the page that uses it, its name, the papers."""


SYNAPSE_METHODS = (
    (
        "volume",
        "Effect of the volume",
        (
            "Anderson (2001). A new method for non-parametric multivariate analysis of variance. Austral Ecology 26, 32-46.",
            "Bergsma (2013). A bias-correction for Cramér's V and Tschuprow's T. Journal of the Korean Statistical Society 42, "
            "323-328.",
        ),
    ),
    (
        "vgg3d",
        "Features of a classifier of synapses",
        (
            "Eckstein, Bates, Champion, et al. (2024). Neurotransmitter classification from electron microscopy images at "
            "synaptic sites in Drosophila melanogaster. Cell 187(10), 2574-2594.",
        ),
    ),
    (
        "contrastive",
        "Contrastive features",
        (
            "Chen, Kornblith, Norouzi, Hinton (2020). A simple framework for contrastive learning of visual representations. "
            "ICML 2020.",
        ),
    ),
    (
        "attention",
        "Attention",
        (
            "Selvaraju, Cogswell, Das, Vedantam, Parikh, Batra (2017). Grad-CAM: visual explanations from deep networks via "
            "gradient-based localization. ICCV 2017, 618-626.",
        ),
    ),
)
"""What a page of synapses rests on beside maps and clusters, in the same form."""


def shape_methods(used: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The methods of the parts that are used, in the order of SHAPE_METHODS.

    >>> [name for name, _ in shape_methods({"tsne", "sholl"})]
    ['t-SNE', 'Sholl profile']
    """
    return tuple((name, papers) for part, name, papers in SHAPE_METHODS if part in used)


def synapse_methods(used: Collection[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The same for a page of synapses."""
    return tuple((name, papers) for part, name, papers in (*SHAPE_METHODS, *SYNAPSE_METHODS) if part in used)
