"""The static report: tables of a workspace -> plain view model -> one self-contained HTML file."""
