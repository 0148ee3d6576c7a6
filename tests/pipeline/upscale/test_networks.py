"""The networks themselves: real files, real torch. Run by `make test-diffusion`."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [pytest.mark.diffusion, pytest.mark.filterwarnings("ignore")]

from safetensors.torch import save_file  # noqa: E402

from pipeline.errors import Misconfigured  # noqa: E402
from pipeline.upscale.network_upscaler import find_upscaler  # noqa: E402
from pipeline.upscale.upscaler import in_eight_bits  # noqa: E402
from tests.pipeline.upscale import official, recomputed  # noqa: E402

SMALL_RRDB = {"blocks": 2, "features": 8, "growth": 4}
SMALL_COMPACT = {"convolutions": 3, "features": 8}


def picture(height=20, width=28, seed=3):
    rng = np.random.default_rng(seed)
    return rng.random((height, width, 3), np.float32)


def put(folder, weights, name="net", root="params_ema"):
    torch.save({root: weights} if root else weights, folder / f"{name}.pth")
    return find_upscaler(folder, name, device="cpu")


def mirrored(image, margin):
    return np.pad(image, ((margin, margin), (margin, margin), (0, 0)), mode="reflect")


def expected(weights, image, margin, times, how, **more):
    """What the network must make of the picture with its mirror image around it, cut to the picture."""
    made = how(weights, mirrored(image, margin), **more)
    return np.clip(made[margin * times : -margin * times, margin * times : -margin * times], 0, 1)


@pytest.mark.parametrize(
    ("inputs", "ups", "fold", "scale"), [(3, 2, 1, 4), (12, 2, 2, 2), (3, 1, 1, 2), (48, 2, 4, 1)]
)
def test_rrdbnet_is_what_was_published(tmp_path, inputs, ups, fold, scale):
    weights = official.weights(official.rrdb(**SMALL_RRDB, inputs=inputs, ups=ups))
    image = picture()
    made = put(tmp_path, weights).enlarged(image)
    wanted = expected(weights, image, 40, scale, recomputed.rrdb, fold=fold, ups=ups)
    assert made.shape == (20 * scale, 28 * scale, 3)
    assert wanted.std() > 0.01
    assert np.abs(made - wanted).max() < 1e-5


@pytest.mark.parametrize("scale", [2, 4])
def test_compact_is_what_was_published(tmp_path, scale):
    weights = official.weights(official.compact(**SMALL_COMPACT, scale=scale))
    image = picture()
    made = put(tmp_path, weights).enlarged(image)
    wanted = expected(weights, image, 13, scale, recomputed.compact, scale=scale)
    assert np.abs(made - wanted).max() < 1e-5


@pytest.mark.parametrize("name", official.OFFICIAL)
def test_every_official_layout_is_read_whole(tmp_path, name):
    weights = official.weights(official.OFFICIAL[name])
    upscaler = put(tmp_path, weights, name)
    made = upscaler.enlarged(picture(4, 6))
    assert made.shape == ((8, 12, 3) if "x2" in name else (16, 24, 3))
    loaded = upscaler._engine.network.state_dict()
    assert set(loaded) == set(weights)
    assert all(torch.equal(loaded[key], weights[key]) for key in weights)


@pytest.mark.parametrize("ups", [1, 2])
def test_older_names_are_the_same_network(tmp_path, ups):
    weights = official.weights(official.rrdb(**SMALL_RRDB, ups=ups))
    today = put(tmp_path, weights).enlarged(picture())
    older = {official.bsrgan(name): tensor for name, tensor in weights.items()}
    oldest = {official.esrgan(name, 2, ups): tensor for name, tensor in weights.items()}
    for at, named in enumerate(
        (older, oldest, {f"module.{name}": tensor for name, tensor in oldest.items()})
    ):
        assert np.array_equal(put(tmp_path, named, f"old{at}", root="").enlarged(picture()), today)


def test_roots_and_containers(tmp_path):
    good, other = (official.weights(official.compact(**SMALL_COMPACT), seed) for seed in (1, 2))
    torch.save({"params": other, "params_ema": good}, tmp_path / "both.pth")
    torch.save({"params": good}, tmp_path / "plain.pth")
    save_file(good, tmp_path / "safe.safetensors")
    made = [
        find_upscaler(tmp_path, name, device="cpu").enlarged(picture()) for name in ("both", "plain", "safe")
    ]
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2])


def test_denoising_mixes_the_weights(tmp_path):
    strong, mild = (official.weights(official.compact(**SMALL_COMPACT), seed) for seed in (1, 2))
    torch.save({"params": strong}, tmp_path / "realesr-general-x4v3.pth")
    with pytest.raises(Misconfigured, match=r"realesr-general-wdn-x4v3\.pth: the upscaler is not there"):
        find_upscaler(tmp_path, "realesr-general-x4v3:0.3")
    torch.save({"params": mild}, tmp_path / "realesr-general-wdn-x4v3.pth")
    made = find_upscaler(tmp_path, "realesr-general-x4v3:0.3", "cpu").enlarged(picture())
    mixed = {name: 0.3 * strong[name] + 0.7 * mild[name] for name in strong}
    assert np.abs(made - expected(mixed, picture(), 13, 4, recomputed.compact)).max() < 1e-5
    other = official.weights(official.compact(convolutions=2, features=8))
    torch.save({"params": other}, tmp_path / "realesr-general-wdn-x4v3.pth")
    with pytest.raises(Misconfigured, match="not the same network"):
        find_upscaler(tmp_path, "realesr-general-x4v3:0.3", "cpu").enlarged(picture())


@pytest.mark.parametrize("name", ["RealESRGAN_x4plus_anime_6B", "realesr-animevideov3", "RealESRGAN_x2plus"])
def test_tiles_leave_no_seam(tmp_path, name):
    shapes = (
        official.rrdb(blocks=6, features=16, growth=8, inputs=12) if "x2" in name else official.OFFICIAL[name]
    )
    upscaler = put(tmp_path, official.weights(shapes), name)
    image = picture(90, 61)
    whole, tiles = upscaler.enlarged(image, 512), upscaler.enlarged(image, 48)
    assert whole.std() > 0.02
    assert np.abs(whole - tiles).max() < 1 / 255


def test_any_size_is_reached(tmp_path):
    upscaler = put(tmp_path, official.weights(official.compact(**SMALL_COMPACT)))
    for size in ((28, 20), (10, 15), (50, 41), (300, 200)):
        made = upscaler(picture(), size)
        assert made.shape == (size[1], size[0], 3)
        assert made.dtype == np.float32
        assert made.min() >= 0
        assert made.max() <= 1


def test_what_overflows_in_half_the_digits_is_done_with_all(tmp_path):
    """As on a graphics card: 16-bit numbers end at 65504."""
    weights = official.weights(official.compact(**SMALL_COMPACT))
    whole = put(tmp_path, weights).enlarged(picture())
    big = {name: tensor.clone() for name, tensor in weights.items()}
    for part in ("weight", "bias"):
        big[f"body.0.{part}"] *= 1e6
    big["body.2.weight"] /= 1e6
    upscaler = put(tmp_path, big, "big")
    upscaler.enlarged(picture())
    upscaler._engine.half = True
    tile = upscaler._engine._made(torch.from_numpy(picture().transpose(2, 0, 1))[None])
    assert not torch.isfinite(tile).all()
    assert np.abs(upscaler.enlarged(picture()) - whole).max() < 2e-3
    assert not upscaler._engine.half


class Evil:
    def __reduce__(self):
        return (print, ("code was run",))


def _cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def spoiled(weights, how):
    weights = dict(weights)
    if how == "lacks":
        weights.pop("body.3.weight")
    elif how == "nan":
        weights["body.2.bias"] = weights["body.2.bias"] * float("nan")
    elif how == "other":
        weights = {"encoder.weight": torch.zeros(3)}
    elif how == "grey":
        weights["body.8.weight"] = torch.zeros(5, 8, 3, 3)
    elif how == "odd":
        weights["body.1.weight"] = "text"
    return weights


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("lacks", "not a whole network"), ("nan", "are no numbers"), ("other", "neither RRDBNet nor"),
        ("grey", "not a number of colour pictures"), ("odd", "something else than the weights"),
    ],
)  # fmt: skip
def test_unfit_files_are_named(tmp_path, how, said):
    with pytest.raises(Misconfigured, match=said) as caught:
        put(tmp_path, spoiled(official.weights(official.compact(**SMALL_COMPACT)), how)).enlarged(picture())
    assert str(tmp_path / "net.pth") in str(caught.value)
    assert "Put a file" in caught.value.advice


@pytest.mark.parametrize("end", ["pth", "safetensors"])
def test_a_file_cut_short_is_named(tmp_path, end):
    weights = official.weights(official.compact(**SMALL_COMPACT))
    path = tmp_path / f"net.{end}"
    torch.save(weights, path) if end == "pth" else save_file(weights, path)
    _cut(path)
    with pytest.raises(Misconfigured, match="damaged, cut short"):
        find_upscaler(tmp_path, "net").enlarged(picture())


def test_code_in_a_file_is_not_run(tmp_path, capsys):
    (tmp_path / "net.pth").write_bytes(pickle.dumps({"params": Evil()}))
    with pytest.raises(Misconfigured, match="more than weights"):
        find_upscaler(tmp_path, "net").enlarged(picture())
    assert "code was run" not in capsys.readouterr().out


def test_a_small_photo_in_a_studio_is_enlarged_by_its_network(tmp_path):
    """A network whose own part is nothing shows the photo's pixels as they are: a true enlargement."""
    from PIL import Image

    from daemon.darkroom import develop, upscalers_of
    from daemon.settings import Settings
    from daemon.studio import Studio
    from presets.library import recipe

    home = tmp_path / "weights" / "upscale"
    home.mkdir(parents=True)
    nothing = {name: torch.zeros(shape) for name, shape in official.OFFICIAL["realesr-animevideov3"].items()}
    put(home, nothing, "realesr-animevideov3")
    with Image.open("presets/samples/ring_solitaire.jpg") as image:
        image.resize((300, 300)).save(tmp_path / "small.png")
    upscalers = upscalers_of(Settings(), Studio(tmp_path))
    made = [
        develop(
            tmp_path / "small.png",
            recipe("minimal-dove-studio", "ring", size_px=(512, 512), enlarge=name),
            10**6,
            "small.png",
            upscalers=upscalers,
        )
        for name in ("", "realesr-animevideov3")
    ]
    assert "not-upscaled" not in [note.code for note in made[1].notes]
    assert not np.array_equal(made[0].srgb, made[1].srgb)
    assert made[1].verdict.figures["growth_px"] == 0
    assert made[1].verdict.figures["psnr_db"] > 45


def test_a_small_painted_background_is_enlarged_by_the_network_of_the_settings(tmp_path):
    from daemon.darkroom import library_of
    from daemon.settings import Settings
    from daemon.studio import Studio

    home = tmp_path / "weights" / "upscale"
    home.mkdir(parents=True)
    weights = official.weights(official.compact(**SMALL_COMPACT))
    put(home, weights, "small")
    library = library_of(Settings(upscaling={"background": "small"}), Studio(tmp_path))
    srgb = np.rint(picture() * 255).astype(np.uint8)
    made = in_eight_bits(library.upscalers("small"), srgb, (112, 80))
    wanted = expected(weights, srgb.astype(np.float32) / 255, 13, 4, recomputed.compact)
    assert made.dtype == np.uint8
    assert np.abs(made - wanted * 255).max() < 0.51
