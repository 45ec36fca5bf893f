"""What to cite: the methods this page rests on. Data and networks are cited by their own cards."""

__all__ = ["METHODS"]

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
