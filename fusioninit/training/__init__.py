"""Training and measuring landmark networks with Lightning, on one processor or many machines.

The nouns: `TrainingConfig` (config), a case and its random changes (augment), batches as a
function of the step (data), `DetectorModule` (module), `Measurements` (measure), calibration,
export, tables (evaluation). `run.train` and `run.evaluate` are what the command line calls. Needs
the `train` extra.
"""
