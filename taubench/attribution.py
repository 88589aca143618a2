"""The world's name, and where its texts are from."""

NAME = "tau-retail"
ATTRIBUTION = (
    "τ-bench retail (https://github.com/sierra-research/tau-bench), MIT licence, copyright 2024 Sierra; its tasks,"
    " policy and records."
)
