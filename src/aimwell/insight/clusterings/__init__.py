"""Clusterings: groups of alike customers with names in words, kept, judged, and usable in rules.

The verbs take a definition, a workshop (warehouse, features, folder) and an instant, and return frozen results whose
`to_dict` holds everything that a page or report shows. Each group is a segment: `segment: ways_of_shopping.g1`.
"""

from aimwell.insight.clusterings.assigning import Assigned, assign, refresh
from aimwell.insight.clusterings.definition import Clustering
from aimwell.insight.clusterings.fitting import Proposal, fit, propose, publish
from aimwell.insight.clusterings.members import recorded_groups, runs
from aimwell.insight.clusterings.result import ClusteringResult, Group
from aimwell.insight.clusterings.shelf import current, read_result, segment_name, versions

__all__ = [
    "Assigned",
    "Clustering",
    "ClusteringResult",
    "Group",
    "Proposal",
    "assign",
    "current",
    "fit",
    "propose",
    "publish",
    "read_result",
    "recorded_groups",
    "refresh",
    "runs",
    "segment_name",
    "versions",
]
