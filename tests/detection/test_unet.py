import pytest
import torch

from fusioninit.detection.unet import LandmarkNetwork, UNetConfig, _unshuffle


@pytest.mark.parametrize(
    ("config", "heatmap"),
    [
        (UNetConfig(channels=(16, 16, 16)), (8, 12, 16)),
        (UNetConfig(design="plain", channels=(16, 16)), (16, 24, 32)),
    ],
)
def test_heatmaps_and_gland_cover_the_input(config, heatmap):
    output = LandmarkNetwork(config)(torch.rand(2, 1, 16, 24, 32))
    assert output.heatmap_logits.shape == (2, 10, *heatmap)
    assert output.gland_logit.shape == (2, 16, 24, 32)
    assert output.position_norm is None


def test_the_direct_head_gives_coordinates():
    config = UNetConfig(channels=(16, 16, 16), head="direct", grid=(16, 24, 32))
    output = LandmarkNetwork(config)(torch.rand(2, 1, 16, 24, 32))
    assert output.position_norm.shape == (2, 10, 3)
    assert output.heatmap_logits is None


def test_the_plain_network_has_the_papers_size():
    # VoxelMorph with three heatmaps: about 300 k parameters
    config = UNetConfig(design="plain", channels=(16, 32, 32, 32), landmarks=3, gland=False)
    count = sum(parameter.numel() for parameter in LandmarkNetwork(config).parameters())
    assert 270_000 < count < 330_000


def test_fine_voxels_return_to_their_coarse_voxel():
    cells = torch.arange(8.0).reshape(1, 8, 1, 1, 1).expand(1, 8, 2, 3, 4)
    fine = _unshuffle(cells, 2)
    assert fine.shape == (1, 4, 6, 8)
    assert fine[0, :2, :2, :2].flatten().tolist() == list(range(8))
    assert torch.equal(fine[0, :2, :2, :2], fine[0, 2:, 4:, 6:])


def test_every_parameter_of_the_shipped_network_learns():
    network = LandmarkNetwork(UNetConfig(channels=(16, 16, 16)))
    output = network(torch.rand(1, 1, 16, 16, 16))
    (output.heatmap_logits.square().mean() + output.gland_logit.square().mean()).backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in network.parameters())
