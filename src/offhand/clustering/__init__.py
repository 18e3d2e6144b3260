"""Clustering feature rows."""
