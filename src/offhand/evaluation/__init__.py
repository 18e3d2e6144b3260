"""Judging clusterings: label-free figures, controls, and agreement with ground truth."""
