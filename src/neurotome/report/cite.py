"""What to cite: the methods this page rests on. Data and networks are cited by their own cards."""

__all__ = ["METHODS", "TRACING_METHODS"]

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
