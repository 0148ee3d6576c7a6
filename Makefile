# Two commands do all the set-up on a fresh machine with Python 3.11+ and make: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test test-diffusion check benchmark evaluate evaluate-templates evaluate-gallery soak install-service \
	uninstall-service blender dataset dataset-check dataset-sheet plates train export solids train-solid export-solid evaluate-solids evaluate-truth evaluate-plates evaluate-judge \
	evaluate-raytraced light-truth evaluate-light evaluate-knobs evaluate-diffusion lock clean

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.core: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@ $(VENV)/.core

demo: $(VENV)/.core  ## the main job: photos dropped into inbox folders become finished pictures
	$(BIN)/vitrine demo

check: $(VENV)/.dev  ## style, types, import direction
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

test: check  ## everything a change must pass
	$(BIN)/python -m pytest

# torch is heavy and only the extra `diffusion` needs it, so what uses it is tested in an environment of its own.
DIFFUSION := .venv-diffusion
$(DIFFUSION)/.done: requirements-diffusion.lock requirements-dev.lock pyproject.toml
	$(PYTHON) -m venv $(DIFFUSION)
	$(DIFFUSION)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-diffusion.lock -r requirements-dev.lock
	$(DIFFUSION)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

test-diffusion: $(DIFFUSION)/.done  ## what needs torch: captions by a language model, painted backgrounds (about 1 GB to install)
	$(DIFFUSION)/bin/python -m pytest -m diffusion

benchmark: $(VENV)/.dev  ## seconds by step, renders per hour, memory, latency
	$(BIN)/python -m tests.benchmarks

PHOTOS ?= presets/samples
evaluate: $(VENV)/.dev  ## a folder of photos through the whole program, photo by photo: make evaluate PHOTOS=folder
	$(BIN)/python -m tests.benchmarks.evaluate "$(PHOTOS)"

evaluate-templates: $(VENV)/.dev  ## how different the templates look, and which pairs are closest
	$(BIN)/python -m tests.benchmarks.templates

evaluate-gallery: $(VENV)/.dev  ## ten photos of PHOTOS on every template: crashes, bands, clipping, verdicts; goes on where it was cut off
	$(BIN)/python -m tests.benchmarks.gallery "$(PHOTOS)"

evaluate-judge: $(VENV)/.dev  ## broken light, planted and caught: make evaluate-judge PIECES=dataset (default: the few samples)
	$(BIN)/python -m tests.benchmarks.light_judge $(PIECES)

SHARE ?= 1
soak: $(VENV)/.dev  ## the long proofs that nothing is lost; PROOFS=names for some, SHARE=0.01 for a look
	$(BIN)/python -m tests.soak $(PROOFS) --share $(SHARE)

PLACES = PYTHON="$(PYTHON)" PREFIX="$(PREFIX)" STUDIO="$(STUDIO)" DESTDIR="$(DESTDIR)" GPU="$(GPU)" TORCH="$(TORCH)" PROGRAM="$(PROGRAM)" INSTAGRAM="$(INSTAGRAM)"
install-service:  ## the systemd service, as root; systemd/install.sh says what can be set (PREFIX=/opt/vitrine, GPU=yes, ...)
	$(PLACES) systemd/install.sh

uninstall-service:  ## takes it away again; studio and pictures stay
	$(PLACES) systemd/install.sh --remove

# Blender wants its own Python and numpy, so it has an environment of its own. The samples never enter the repository.
BLENDER_PYTHON ?= python3.11
BLENDER := .venv-blender
N ?= 1000
START ?= 0
OUT ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitrine/dataset

$(BLENDER)/.done: weights/train/requirements.txt
	$(BLENDER_PYTHON) -m venv $(BLENDER)
	$(BLENDER)/bin/python -m pip install --quiet --disable-pip-version-check -r weights/train/requirements.txt
	touch $@

blender: $(BLENDER)/.done  ## Blender, for path-traced pictures, plates and training pictures (about 1 GB)

dataset: $(BLENDER)/.done  ## N training samples into OUT; ends when they are there, goes on where it was cut off
	nice -n 19 $(BLENDER)/bin/python -m weights.train.dataset --count $(N) --start $(START) --out "$(OUT)"

dataset-check: $(BLENDER)/.done  ## whether every sample in OUT keeps its promises
	$(BLENDER)/bin/python -m weights.train.verify "$(OUT)"

SHEET ?= dataset-sheet.png
dataset-sheet: $(BLENDER)/.done  ## the first samples in OUT side by side, as the picture SHEET
	$(BLENDER)/bin/python -m weights.train.sheet "$(OUT)" "$(SHEET)"

ONLY ?=
plates: $(VENV)/.core $(BLENDER)/.done  ## the path-traced backgrounds that are missing; ONLY="velvet marble.table" for some
	nice -n 10 $(BIN)/python -m presets.bake.make $(ONLY) --blender $(BLENDER)/bin/python

# Training wants torch, which nothing else here needs, so it has an environment of its own, too.
TRAIN := .venv-train
RUN ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitrine/run
MINUTES ?= 120
FROM ?=
$(TRAIN)/.done: requirements-train.lock
	$(PYTHON) -m venv $(TRAIN)
	$(TRAIN)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-train.lock
	touch $@

train: $(TRAIN)/.done  ## the network on the samples in OUT for MINUTES, checkpoints in RUN; goes on where it was cut off; FROM=weights/piece.onnx begins with what ships
	nice -n 10 $(TRAIN)/bin/python -m weights.train.fit --data "$(OUT)" --run "$(RUN)" --minutes $(MINUTES) $(if $(FROM),--from "$(FROM)")

export: $(TRAIN)/.done  ## the network of RUN into weights/, checked against the original
	$(TRAIN)/bin/python -m weights.train.export --run "$(RUN)"

# How thick jewelry is behind its outline needs no pictures: meshes tell, and a small network learns it in minutes.
SOLIDS ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitrine/solids
SOLID_RUN ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitrine/solid-run

solids: $(BLENDER)/.done  ## N pieces measured from a few sides into SOLIDS, for the shape network; goes on where it was cut off
	nice -n 19 $(BLENDER)/bin/python -m weights.train.solid.dataset --count $(N) --start $(START) --out "$(SOLIDS)"

train-solid: $(TRAIN)/.done  ## the shape network on SOLIDS for MINUTES, checkpoints in SOLID_RUN; goes on where it was cut off
	nice -n 10 $(TRAIN)/bin/python -m weights.train.solid.fit --data "$(SOLIDS)" --run "$(SOLID_RUN)" --minutes $(MINUTES)

export-solid: $(TRAIN)/.done  ## the shape network of SOLID_RUN into weights/, checked against the original
	$(TRAIN)/bin/python -m weights.train.solid.export --run "$(SOLID_RUN)"

evaluate-solids: $(VENV)/.dev  ## the shape network on measured pieces that training never saw, from SOLIDS
	$(BIN)/python -m tests.benchmarks.solids "$(SOLIDS)"

ENGINE ?= network
evaluate-truth: $(VENV)/.dev  ## the network against rendered photos that training never saw, from OUT
	$(BIN)/python -m tests.benchmarks.truth "$(OUT)" --engine $(ENGINE)
	$(BIN)/python -m tests.benchmarks.heads "$(OUT)"

FRESH ?=
evaluate-plates: $(VENV)/.dev  ## the plates' size, speed and banding; FRESH="velvet.table" path-traces one anew to compare
	$(BIN)/python -m tests.benchmarks.plates --fresh $(FRESH)

STYLE ?= velvet-navy-moody
evaluate-raytraced: $(VENV)/.dev $(BLENDER)/.done  ## path-traced pictures of PHOTOS beside ordinary ones: seconds, shadows, into out/raytraced
	$(BIN)/python -m tests.benchmarks.raytraced "$(PHOTOS)" --style $(STYLE) --out out/raytraced

# What only the comparison with the path tracer needs: FLIP and CIEDE2000.
$(VENV)/.evaluate: requirements-evaluate.lock | $(VENV)/.dev
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-evaluate.lock
	touch $@

TRUTH ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/vitrine/light-truth
light-truth: $(VENV)/.dev $(BLENDER)/.done  ## 38 pieces path-traced as photo, geometry and on their sets (40 minutes), into TRUTH
	nice -n 10 $(BIN)/python -m tests.truth.make "$(TRUTH)"

evaluate-light: light-truth $(VENV)/.evaluate  ## our shadows, mirror images, normals and edges beside the path tracer's; pictures into out/light
	$(BIN)/python -m tests.benchmarks.light "$(TRUTH)" --out out/light

evaluate-knobs: $(VENV)/.dev  ## every knob of the key light against its own measure
	$(BIN)/python -m tests.benchmarks.knobs

PART ?=
evaluate-diffusion: $(DIFFUSION)/.done  ## painted backgrounds on small models: families, the piece, shadows, a night, a card; PART="night" for some
	$(DIFFUSION)/bin/python -m tests.benchmarks.diffusion $(PART)

lock: $(VENV)/.dev  ## refresh the pinned dependencies
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra instagram --output-file requirements-instagram.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra dev --extra instagram --extra rembg --output-file requirements-dev.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra train --output-file requirements-train.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra diffusion --constraint requirements-dev.lock --output-file requirements-diffusion.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --no-emit-index-url --no-emit-find-links --no-header --extra evaluate --constraint requirements-dev.lock --output-file requirements-evaluate.lock pyproject.toml
	sed -i "s/+cpu$$//" requirements-train.lock requirements-diffusion.lock

clean:  ## the environment and all caches
	rm -rf $(VENV) $(BLENDER) $(TRAIN) $(DIFFUSION) .mypy_cache .ruff_cache .pytest_cache
