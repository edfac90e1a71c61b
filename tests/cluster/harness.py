"""Clusters of real processes, under the name that puts a test file with the others that use them.

`tests/conftest.py` gives all files that import this to one worker.
"""

from trilithon.cli.embedded import Cluster, running_cluster

__all__ = ["Cluster", "running_cluster"]
