import pytest

from fusioninit.errors import InputError
from fusioninit.training.config import read_config

GOOD = 'space = "mr"\noutput = "out"\n'


def write(tmp_path, text):
    path = tmp_path / "mine.toml"
    path.write_text(text)
    return path


def test_a_short_file_is_completed_by_defaults_and_its_paths_are_relative_to_it(tmp_path):
    config = read_config(write(tmp_path, GOOD + 'warm_start = "start.safetensors"\n'))
    assert config.output == tmp_path / "out"
    assert config.warm_start == tmp_path / "start.safetensors"
    assert config.method == "expected-distance"
    assert config.input_grid.half_extent_mm == (64, 64, 64)


@pytest.mark.parametrize("method", ["direct", "heatmap", "dsnt", "variance", "distance"])
def test_the_papers_five_methods_are_configurations(tmp_path, method):
    config = read_config(write(tmp_path, GOOD + f'method = "{method}"\n'))
    assert config.unet.head == ("direct" if method == "direct" else "heatmap")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('output = "out"', "mine.toml: the key 'space' is missing"),
        ('space = "ct"\noutput = "o"', "space: input should be 'mr' or 'us', found 'ct'"),
        (GOOD + "sped = 3", "unknown key 'sped'; known ones: space, method, output"),
        (
            GOOD + "[optimiser]\nlearning_rat = 1e-3",
            "unknown key 'optimiser.learning_rat'; known ones: learning_rate, weight_decay",
        ),
        (
            GOOD + "[optimiser]\nlearning_rate = -1",
            "optimiser.learning_rate: input should be greater than 0, found -1",
        ),
        (
            GOOD + "[data]\nbatch_size = 2\nfresh_per_batch = 3",
            "data.fresh_per_batch cannot exceed data.batch_size",
        ),
        (
            GOOD + "[network]\nlandmarks = 4",
            "network.landmarks: choose one of 3, 5, 6, 8, 10",
        ),
        ("space = mr", "mine.toml: not valid TOML"),
    ],
)
def test_a_wrong_file_is_refused_in_one_sentence_that_names_the_key(tmp_path, text, sentence):
    with pytest.raises(InputError) as caught:
        read_config(write(tmp_path, text))
    assert sentence in str(caught.value)
    assert "\n" not in str(caught.value).removesuffix("\n")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"none.toml: the configuration cannot be read"):
        read_config(tmp_path / "none.toml")
