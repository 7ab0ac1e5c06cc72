import pytest
import torch

from fusioninit.detection.unet import LandmarkNetwork, UNetConfig
from fusioninit.training.warm_start import with_more_landmarks


def network(landmarks, seed, **changes):
    torch.manual_seed(seed)
    config = UNetConfig(channels=(16, 16, 16), landmarks=landmarks, **changes)
    return LandmarkNetwork(config).eval()


@pytest.mark.parametrize("gland", [True, False])
@pytest.mark.parametrize("before", [3, 5])
def test_what_the_smaller_network_knew_is_answered_as_before(before, gland):
    old, new = network(before, 0, gland=gland), network(10, 1, gland=gland)
    fresh = new.state_dict()["head.bias"].clone()
    new.load_state_dict(with_more_landmarks(old.state_dict(), new))
    image = torch.rand(1, 1, 32, 32, 32)
    with torch.inference_mode():
        was, now = old(image), new(image)
    torch.testing.assert_close(now.heatmap_logits[:, :before], was.heatmap_logits)
    if gland:
        torch.testing.assert_close(now.gland_logit, was.gland_logit)
    # the new landmarks start from the network's own random weights
    assert torch.equal(new.state_dict()["head.bias"][before:10], fresh[before:10])


def test_weights_of_another_network_stay_as_they_are_for_the_caller_to_refuse():
    old, new = network(5, 0), network(10, 1)
    narrow = {k: v[:, :8] if k == "head.weight" else v for k, v in old.state_dict().items()}
    assert with_more_landmarks(narrow, new)["head.weight"].shape == narrow["head.weight"].shape
    larger = network(10, 0).state_dict()
    assert all(v is larger[k] for k, v in with_more_landmarks(larger, network(5, 1)).items())
