"""The generator for real: two small samples through Blender, where its environment exists (`make blender`)."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLENDER = ROOT / ".venv-blender/bin/python"
pytestmark = pytest.mark.skipif(not BLENDER.exists(), reason="no Blender environment: make blender")
SEEDS = ("000003", "000007")  # one of each split


def _run(*words: str) -> str:
    done = subprocess.run(
        [BLENDER, "-m", *words], cwd=ROOT, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _make(folder: Path) -> str:
    return "".join(
        _run(
            "weights.train.dataset",
            "--out",
            str(folder),
            "--start",
            seed,
            "--count",
            "1",
            "--side",
            "96",
            "--rays",
            "4",
        )
        for seed in SEEDS
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dataset")
    _make(out)
    return out


def test_samples_keep_every_promise(folder: Path) -> None:
    assert "2 of 2 samples keep every promise" in _run("weights.train.verify", str(folder))


def test_a_broken_promise_is_found(folder: Path, tmp_path: Path) -> None:
    for name in folder.glob(f"{SEEDS[0]}.*"):
        (tmp_path / name.name).write_bytes(name.read_bytes())
    (tmp_path / f"{SEEDS[0]}.alpha.png").write_bytes((folder / f"{SEEDS[1]}.alpha.png").read_bytes())
    done = subprocess.run(
        [BLENDER, "-m", "weights.train.verify", str(tmp_path)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1


def test_the_same_seed_gives_the_same_bytes_and_only_what_is_missing_is_made(folder: Path) -> None:
    first = {p.name: p.read_bytes() for p in folder.iterdir()}
    for name in folder.glob(f"{SEEDS[0]}.*"):
        name.unlink()
    kept = {p.name: p.stat().st_mtime_ns for p in folder.iterdir()}
    said = _make(folder)
    assert said.count("made 3 ") == 1
    assert "made 7 " not in said
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == first
    assert {n: (folder / n).stat().st_mtime_ns for n in kept} == kept
