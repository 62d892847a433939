"""Skileez Sessions: session management for coaching marketplaces."""

__version__ = "0.1.0"
