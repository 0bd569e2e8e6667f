"""onprem: the speech server that runs inside your own walls."""

__version__ = "0.1.0"
