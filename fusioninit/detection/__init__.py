"""Finding landmarks and the gland with a network: shapes, losses, weights, and the predictor.

The nouns: `UNetConfig` and `LandmarkNetwork` (unet), heatmap to coordinate (dsnt), losses, the way
a volume becomes an input (normalise), `ModelCard` (weights), `LandmarkPredictor` and `Detection`
(predict), what is doubtful about a volume or an answer (quality). Imports torch; Lightning lives in
`fusioninit.training` only.
"""

from fusioninit.detection.predict import Detection, DetectionCancelledError, LandmarkPredictor
from fusioninit.detection.weights import ModelCard

__all__ = ["Detection", "DetectionCancelledError", "LandmarkPredictor", "ModelCard"]
