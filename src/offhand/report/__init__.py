"""The static report: tables of a workspace -> plain view model -> one self-contained HTML file."""

from offhand.report.page import write_report

__all__ = ["write_report"]
