"""What landmark networks and registrations are worth, as tables, CSV and plots.

The nouns: `ComparisonConfig` (config), a `PairCase` with its truth and the `Source` it comes from
(pair_cases, phantom_pairs, label_folder), a `Method`'s networks (detecting), a `Way` to register
(records, registering), `Comparison` that measures, `Table` that is written. `evaluate` is what the
command line calls; a training's own configuration is measured by `one_network`.
"""

from fusioninit.training.evaluation.entry import evaluate
from fusioninit.training.evaluation.one_network import evaluate_config

__all__ = ["evaluate", "evaluate_config"]
