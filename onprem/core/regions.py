"""Processing regions: where a job may run, and whether a node is such a place."""

from collections.abc import Collection

ANY_REGION = "any"
REGION_NAME = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
"""What a node's region, and so a project's, can be called."""
EU_REGION = "eu"
"""Every region that the operator has named as one of the European Economic Area."""


def served_by(node_region: str, eu_regions: Collection[str]) -> list[str]:
    """The required regions that a node in `node_region` satisfies."""
    served = [ANY_REGION, node_region]
    if node_region in eu_regions and node_region != EU_REGION:
        served.append(EU_REGION)
    return served
