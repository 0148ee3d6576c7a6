"""A small Stable Diffusion and a small SDXL really learn, on the processor, without a network. Run by `make test-diffusion`."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the extra diffusion is not installed: make test-diffusion")
pytest.importorskip("diffusers", reason="the extra diffusion is not installed: make test-diffusion")
pytestmark = [
    pytest.mark.diffusion,
    pytest.mark.filterwarnings("ignore"),
    pytest.mark.usefixtures("no_network"),
]

from daemon.cli.train import _write as write  # noqa: E402
from pipeline.diffusion.files import LORA_FILE, model_at  # noqa: E402
from pipeline.diffusion.finetune.checkpoint import Checkpoints  # noqa: E402
from pipeline.diffusion.finetune.plan import Wish  # noqa: E402
from pipeline.diffusion.finetune.run import Run, train  # noqa: E402
from pipeline.diffusion.finetune.student import Student  # noqa: E402
from pipeline.diffusion.load import Machine, open_model, wear  # noqa: E402
from pipeline.diffusion.shelf import Shelf  # noqa: E402
from pipeline.errors import Misconfigured  # noqa: E402

SHORT = Wish(steps=4, rank=4, rate=2e-3, batch=2, accumulate=2)


def run_of(tiny, data, place, sort="sd", wish=SHORT, **more):
    model = model_at(tiny / "diffusion" / f"tiny-{sort}")
    asked = {"checkpoint_every": 2, "sheet_every": 0, "sheet_steps": 2} | more
    return Run("shop", place / "work", place / "lora", model, "digest", data, "plaster wall", wish, **asked)


def learned(run):
    return (run.home / run.name / LORA_FILE).read_bytes()


@pytest.mark.parametrize("sort", ["sd", "sdxl"])
def test_a_model_learns_and_paints_otherwise(tiny, data, tmp_path, sort):
    wish = Wish(steps=36, rank=8, rate=1e-2, batch=3, accumulate=1)
    run = run_of(tiny, data, tmp_path, sort, wish, checkpoint_every=18, sheet_every=36)
    progress = train(run, write)
    held = [loss for _, loss in progress.held]
    assert len(progress.losses) == 36
    assert held[-1] < 0.97 * held[0]
    home = tmp_path / "lora" / "shop"
    assert {path.name for path in home.iterdir()} == {LORA_FILE, "card.json", "sheet.png", "curve.png"}
    lora = Shelf(tmp_path).lora("shop")
    assert lora.cross == run.model.cross
    plain, worn, weak = (
        painted(run.model, []),
        painted(run.model, [(lora, 1.0)]),
        painted(run.model, [(lora, 0.2)]),
    )
    assert np.abs(worn - plain).mean() > 0.01
    assert 0 < np.abs(weak - plain).mean() < np.abs(worn - plain).mean()
    told = json.loads((home / "card.json").read_text())
    assert told["base"] == {"name": f"tiny-{sort}", "family": run.model.family, "digest": "digest"}
    assert (told["steps"], told["words"]) == (36, "plaster wall")
    assert sorted(told["photos"]["learned"]) == sorted(item.digest for item in data.train)


def painted(model, loras):
    pipe = open_model(model)
    wear(pipe, loras, model)
    made = pipe(
        prompt="plaster wall", num_inference_steps=4, width=64, height=64, output_type="np",
        generator=[torch.Generator().manual_seed(3)],
    )  # fmt: skip
    return made.images[0]


class Stopped(Exception):  # noqa: N818
    pass


def stop_at(step):
    def told(done, _loss):
        if done == step:
            raise Stopped

    return told


@pytest.mark.parametrize("sort", ["sd", "sdxl"])
def test_a_run_goes_on_to_the_last_bit(tiny, data, tmp_path, sort):
    whole, broken = (run_of(tiny, data, tmp_path / place, sort) for place in ("whole", "broken"))
    uninterrupted = train(whole, write)
    with pytest.raises(Stopped):
        train(broken, write, stop_at(3))  # what was learned after step 2 is lost
    heard = []
    resumed = train(broken, write, lambda step, _loss: heard.append(step))
    assert heard == [3, 4]
    assert resumed == uninterrupted
    assert learned(broken) == learned(whole)
    other = run_of(tiny, data, tmp_path / "other", sort, dataclasses.replace(SHORT, seed=1))
    train(other, write)
    assert learned(other) != learned(whole)


def test_a_damaged_checkpoint_is_passed_over(tiny, data, tmp_path):
    whole, broken = (
        run_of(tiny, data, tmp_path / place, checkpoint_every=1) for place in ("whole", "broken")
    )
    train(whole, write)
    with pytest.raises(Stopped):
        train(broken, write, stop_at(3))
    newest = broken.work / "checkpoints" / "step-000003.pt"
    newest.write_bytes(newest.read_bytes()[:-1000])
    assert Checkpoints(broken.work / "checkpoints", write).newest()[0] == 2
    train(broken, write)
    assert learned(broken) == learned(whole)


def test_another_run_of_that_name_is_not_mixed_in(tiny, data, tmp_path):
    with pytest.raises(Stopped):
        train(run_of(tiny, data, tmp_path), write, stop_at(3))
    with pytest.raises(Misconfigured, match="a run named shop was begun with other") as caught:
        train(run_of(tiny, data, tmp_path, wish=dataclasses.replace(SHORT, rate=1e-3)), write)
    assert "--again" in caught.value.advice


@pytest.fixture
def student(tiny, data):
    return Student(model_at(tiny / "diffusion" / "tiny-sd"), Machine(), SHORT, data)


def test_only_the_ground_counts(student):
    """The loss, computed anew from what the model said, and with another answer where the piece was."""
    seen = student._train[0]
    inside = seen.weight == 0
    assert 0.02 < inside.float().mean() < 0.9
    draw = (2, 0, 0)
    unet, said = student.pipe.unet, []

    class Liar(torch.nn.Module):
        """Says something else where the piece was."""

        def forward(self, *arguments, **more):
            answer = unet(*arguments, **more)
            said.append(answer.sample.clone())
            answer.sample = torch.where(inside, torch.full_like(answer.sample, 77.0), answer.sample)
            return answer

    with torch.no_grad():
        honest = float(student._loss([seen], SHORT.chance(*draw), level=0.5))
        student.pipe.unet = Liar()
        lied = float(student._loss([seen], SHORT.chance(*draw), level=0.5))
    noise = SHORT.chance(*draw).standard_normal(seen.latent.shape, np.float32)
    error = ((said[0].numpy() - noise) ** 2).mean(1)[0][~inside.numpy()[0, 0]].mean()
    alpha = float(student.schedule.alphas_cumprod[500])
    snr = alpha / (1 - alpha)
    assert lied == honest
    assert honest == pytest.approx(error * min(snr, 5.0) / snr, rel=1e-5)


def test_a_picture_that_is_all_piece_teaches_nothing(student):
    gone = dataclasses.replace(student._train[0], weight=torch.zeros_like(student._train[0].weight))
    loss = student._loss([gone], SHORT.chance(1))
    loss.backward()
    assert float(loss) == 0
    assert all(one.grad is None or not one.grad.any() for one in student.trained)


def test_only_the_lora_learns(student):
    before = {name: one.detach().clone() for name, one in student.pipe.unet.named_parameters()}
    student.step(0)
    changed = {
        name for name, one in student.pipe.unet.named_parameters() if not torch.equal(one, before[name])
    }
    assert changed
    assert all("lora" in name for name in changed)


def test_saving_memory_changes_nothing_but_rounding(tiny, data, tmp_path):
    runs = {
        "plain": run_of(tiny, data, tmp_path / "plain"),
        "saving": run_of(tiny, data, tmp_path / "saving", checkpointing=True),
        "half": run_of(tiny, data, tmp_path / "half", wish=dataclasses.replace(SHORT, precision="bfloat16")),
    }
    losses = {name: train(run, write).losses for name, run in runs.items()}
    assert losses["saving"] == pytest.approx(losses["plain"], abs=1e-5)
    assert losses["half"] == pytest.approx(losses["plain"], rel=0.03)
    assert losses["half"] != losses["plain"]


def test_pictures_can_be_painted_meanwhile_without_a_trace(tiny, data, tmp_path):
    quiet, painting = (
        run_of(tiny, data, tmp_path / "quiet"),
        run_of(tiny, data, tmp_path / "painting", sheet_every=2),
    )
    train(quiet, write)
    train(painting, write)
    sheets = sorted((painting.work / "sheets").iterdir())
    assert [path.name for path in sheets] == [f"step-00000{step}.png" for step in (0, 2, 4)]
    assert len({path.read_bytes() for path in sheets}) == 3
    assert learned(quiet) == learned(painting)


def test_flux_is_refused(data, tmp_path):
    from tests.pipeline.diffusion import tiny_diffusion

    tiny_diffusion.flux(tmp_path / "diffusion" / "tiny-flux", schnell=True)
    with pytest.raises(Misconfigured, match="family flux-schnell cannot be trained"):
        train(run_of(tmp_path, data, tmp_path, "flux"), write)


def test_a_distilled_model_is_refused(tiny, data, tmp_path):
    with pytest.raises(Misconfigured, match="family sdxl-turbo cannot be trained") as caught:
        train(run_of(tiny, data, tmp_path, "sdxl-turbo"), write)
    assert "Train on SDXL" in caught.value.advice


def test_the_eight_bit_optimiser_is_not_made_up(tiny, data, tmp_path):
    import importlib.util

    if importlib.util.find_spec("bitsandbytes"):
        pytest.skip("bitsandbytes is installed")
    with pytest.raises(Misconfigured, match="needs bitsandbytes"):
        train(run_of(tiny, data, tmp_path, wish=dataclasses.replace(SHORT, eight_bit=True)), write)


def test_numbers_that_grow_beyond_all_bounds_end_the_run(tiny, data, tmp_path):
    run = run_of(tiny, data, tmp_path, wish=dataclasses.replace(SHORT, rate=1e30, steps=40))
    with pytest.raises(Misconfigured, match="is no number any more") as caught:
        train(run, write)
    assert "--rate" in caught.value.advice


STEPS = [
    "--steps",
    "6",
    "--rank",
    "4",
    "--rate",
    "2e-3",
    "--batch",
    "2",
    "--accumulate",
    "1",
    "--save-every",
    "1",
    "--sheet-every",
    "0",
]


def vitrine(studio, shop, *more, **options):
    program = [sys.executable, "-c", "from daemon.cli import main; main()", "train", "style", *map(str, shop)]
    words = [
        *program,
        "--studio",
        str(studio),
        "-n",
        "shop",
        "-m",
        "tiny-sd",
        "--words",
        "plaster wall",
        *STEPS,
        *more,
    ]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("VITRINE_")}
    return subprocess.Popen(
        words,
        env=environment | {"COLUMNS": "200"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def test_a_killed_run_is_taken_up_by_the_same_command(tiny, data, shop, tmp_path):
    """SIGKILL in the middle; what comes out is what comes out undisturbed."""
    studio = tmp_path / "studio"
    studio.mkdir()
    (studio / "weights").symlink_to(tiny)
    work = studio / ".vitrine" / "finetune" / "shop"
    shutil.copytree(data.folder, work / "pictures")
    runs = []
    try:
        runs.append(first := vitrine(studio, shop))
        third = work / "checkpoints" / "step-000003.pt"
        deadline = time.monotonic() + 600  # for machines that do much else
        while not third.exists() and first.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        first.send_signal(signal.SIGKILL)
        _, said = first.communicate()
        assert first.returncode == -signal.SIGKILL, said
        made = tiny / "lora" / "shop" / LORA_FILE
        assert not made.exists()
        runs.append(second := vitrine(studio, shop))
        told, said = second.communicate(timeout=600)
        assert second.returncode == 0, said
        assert "step 1 of 6" not in told
        assert "13 pictures to learn from, 1 kept apart" in told
        wish = Wish(steps=6, rank=4, rate=2e-3, batch=2, accumulate=1)
        undisturbed = run_of(tiny, data, tmp_path / "whole", wish=wish, checkpoint_every=50)
        train(undisturbed, write)
        assert made.read_bytes() == learned(undisturbed)
    finally:
        for one in runs:
            one.kill()
            one.communicate()
        shutil.rmtree(tiny / "lora" / "shop", ignore_errors=True)


def test_a_full_drive_is_said_and_the_same_command_goes_on(tiny, data, shop, tmp_path):
    from daemon.cli.train import command
    from daemon.studio import Unwritable
    from tests.daemon.drives import Drives, fill

    studio, drives = tmp_path / "studio", Drives()
    weights = studio / "weights"
    (weights / "lora").mkdir(parents=True)
    (weights / "diffusion").symlink_to(tiny / "diffusion")
    asked = {"name": "shop", "model": "tiny-sd", "words": "plaster wall", "steps": 2, "rank": 4, "batch": 2}
    asked |= {"accumulate": 1, "save_every": 1, "sheet_every": 0, "studio": studio}
    try:
        private = drives.small(studio / ".vitrine", 8)
        shutil.copytree(data.folder, private / "finetune" / "shop" / "pictures")
        ballast = fill(private, leave_kb=40)
        with pytest.raises(Unwritable, match=r"nothing can be written .*No space left") as caught:
            command("style", shop, **asked)
        assert "start again" in caught.value.advice
        assert not (weights / "lora" / "shop").exists()
        ballast.unlink()
        command("style", shop, **asked)
        assert (weights / "lora" / "shop" / LORA_FILE).exists()
    except PermissionError as error:
        pytest.skip(f"no drive can be mounted here: {error}")
    finally:
        drives.release()
