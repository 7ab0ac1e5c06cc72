import pytest

from fusioninit.bundled import model_path
from fusioninit.errors import InputError
from fusioninit.training.evaluation.config import PAIRS_SEED, read_comparison


def read(tmp_path, text):
    path = tmp_path / "evaluate.toml"
    path.write_text(text)
    return read_comparison(path)


def test_a_short_file_measures_the_bundled_weights_on_the_whole_benchmark(tmp_path):
    config = read(tmp_path, 'output = "tables"\n[phantom]\n')
    assert config.output == tmp_path / "tables"
    assert config.phantom.count == 263
    assert [(method.mr, method.us) for method in config.methods] == [("bundled", "bundled")]


def test_paths_are_relative_to_the_file(tmp_path):
    config = read(
        tmp_path,
        'output = "t"\n[[methods]]\nname = "a"\nmr = "w/mr.safetensors"\n'
        'second_mr = "w/second.safetensors"\n'
        '[[pairs]]\nname = "p"\nfolder = "data"\n',
    )
    assert config.methods[0].mr == str(tmp_path / "w/mr.safetensors")
    assert config.methods[0].us is config.methods[0].second_us is None
    assert config.methods[0].second_mr == str(tmp_path / "w/second.safetensors")
    assert config.pairs[0].folder == tmp_path / "data"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            'output = "t"',
            "add a [phantom], [[pairs]] or [[images]] table",
        ),
        ("[phantom]", "the key 'output' is missing"),
        (
            'output = "t"\n[phantom]\npairs = 3',
            "unknown key 'phantom.pairs'; known ones: count, coarsening, max_minutes",
        ),
        (
            'output = "t"\n[phantom]\n[[methods]]\nname = "a"\nus = "b"\nfile = "c"',
            "unknown key 'methods.0.file'; known ones: name, mr, us",
        ),
        (
            'output = "t"\n[phantom]\n[[methods]]\nname = "a"',
            "methods.0: the method 'a' needs weights: set mr, us or both",
        ),
        (
            'output = "t"\nbaseline = "dsnt"\n[phantom]',
            "baseline = 'dsnt' is no method; known ones: bundled",
        ),
        (
            'output = "t"\nestimators = ["svd", "best"]\n[phantom]',
            "estimators: choose among svd, auto, map, robust, anisotropic, weighted, translation",
        ),
        ('output = "t"\n[phantom]\ncount = 0', "phantom.count: input should be greater than"),
        (
            'output = "t"\n[[pairs]]\nname = "a"\nfolder = "b"\n'
            '[[pairs]]\nname = "a"\nfolder = "c"',
            "pairs and images: each needs its own name, found a, a",
        ),
        ("output = ", "not valid TOML"),
    ],
)
def test_errors_name_the_file_the_key_and_the_remedy(tmp_path, text, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, text)
    assert message in str(caught.value)
    assert str(caught.value).startswith("evaluate.toml: ")


def test_the_shipped_comparison_of_two_networks_stays_outside_the_benchmark():
    config = read_comparison(model_path("landmarks-mr.json").parent / "two-models.toml")
    assert config.phantom.first_seed >= PAIRS_SEED + 263
    assert config.methods[0].mr == "bundled"


def test_the_shipped_file_measures_the_bundled_weights():
    config = read_comparison(model_path("landmarks-mr.json").parent / "evaluate.toml")
    assert config.phantom.count == 263
    assert config.methods[0].mr == "bundled"
