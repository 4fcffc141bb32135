"""Cloister: code review for self-hosted GitLab that never lets code leave the building."""

__version__ = "0.1.0"
