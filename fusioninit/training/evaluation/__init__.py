"""What landmark networks and registrations are worth, as tables, CSV and plots."""

from fusioninit.training.evaluation.one_network import evaluate, evaluate_config

__all__ = ["evaluate", "evaluate_config"]
