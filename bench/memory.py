"""How much memory a process, or the largest of its children, has used at most."""

from __future__ import annotations

import resource


def peak_mb() -> float:
    """The larger of this process's peak and its largest ended child's, in MB (resident set)."""
    kinds = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return max(resource.getrusage(kind).ru_maxrss for kind in kinds) / 1024
