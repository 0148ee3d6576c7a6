"""The studio's settings, from `vitrine.toml` and `VITRINE_*`. Owns the model and its loading; refuses to act on them."""

from __future__ import annotations

import os
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, SettingsError

from daemon.alerts import AlertSettings
from daemon.instagram.settings import InstagramSettings
from pipeline.errors import Misconfigured
from pipeline.format import FORMATS
from pipeline.rig import Frozen
from presets.library import Library, adopting, shipped, with_own
from presets.mistakes import Mistake, explain, misconfigured, parse
from presets.painting import Brush, Upscaling
from presets.toml_lines import Lines, key_lines
from rules.accept import Policy
from rules.plan import Watermark, Window
from rules.ruleset import ALL_OUTPUTS, Choices, Outputs, Rule, Rules, Seed, Side
from rules.vocabulary import FOLDER_WORDS

SETTINGS_NAME = "vitrine.toml"
TEMPLATES_NAME = "templates"  # folder of the studio's own templates
PREFIX = "VITRINE_"
_MB_A_MEGAPIXEL, _S_A_MEGAPIXEL = (
    200,
    8,
)  # of a picture beyond the usual size: a third more memory than measured; twice the time


def _two_sides(value: object) -> object:
    """`size_px = 1080` means a square."""
    return (value, value) if isinstance(value, int) and not isinstance(value, bool) else value


def _known_zone(value: str) -> str:
    if value and value not in available_timezones():
        raise ValueError(
            f'"{value}" is not a time zone (accepted: a name such as "Asia/Kolkata" or "Europe/Berlin", '
            'or "" for this machine\'s own)'
        )
    return value


class RaytracingSettings(Frozen):
    """Where Blender's Python is, "" = `.venv-blender` beside the program, and how long one picture may take there."""

    blender: str = ""
    timeout_s: Annotated[float, Field(ge=1, le=86_400)] = 1800.0


class UpscalingSettings(Upscaling):
    """For networks in weights/upscale; see `Upscaling`. device: "" = what is there."""

    device: Literal["", "cpu", "cuda"] = ""


class DiffusionSettings(Brush):
    """Painted backgrounds: beside the `Brush`, what paints and how long.

    weights: folder of the models, below the studio or anywhere. device, dtype, offload, attention: see
    `pipeline.diffusion.load.Machine`; batch: pictures at a time, 0 = by the machine. idle_s: after so long without work the
    model is let go. timeout_s: for one order of pictures. keep_mb: of backgrounds that are not pinned.
    """

    weights: Annotated[str, Field(min_length=1)] = "weights"
    device: Literal["auto", "cuda", "cpu"] = "auto"
    dtype: Literal["auto", "float16", "bfloat16", "float32"] = "auto"
    offload: Literal["auto", "none", "model", "sequential"] = "auto"
    attention: Literal["auto", "sdpa", "sliced"] = "auto"
    batch: Annotated[int, Field(ge=0, le=64)] = 0
    idle_s: Annotated[float, Field(ge=1, le=86_400)] = 300.0
    timeout_s: Annotated[float, Field(ge=1, le=86_400)] = 900.0
    keep_mb: Annotated[int, Field(ge=16, le=10_485_760)] = 4096


class Settings(BaseSettings):
    """All that the owner can set. Every field has a default, so that a studio without a settings file works.

    workers: render processes; worker_threads: threads inside each; memory_mb: cap per worker; job_deadline_s: a
    render that takes longer is stopped and tried again (both grow by themselves with size_px); settle_s: a file must have been unchanged for this long;
    settle_network_s: the same on a network drive, where nobody can tell who still writes;
    incomplete_after_s: a file that never becomes complete is reported after this; scan_s: time between full scans;
    min_free_mb: with less room on a drive, work pauses until there is more;
    max_pixels: larger photos are refused before they are decoded; time_zone: of the overnight window, "" = machine's;
    catch_up: overnight work that was missed because the machine was off or asleep is done as soon as it is back.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    worker_threads: Annotated[int, Field(ge=1, le=64)] = 2
    memory_mb: Annotated[int, Field(ge=256, le=1_048_576)] = 2048
    job_deadline_s: Annotated[float, Field(ge=1, le=86_400)] = 120.0
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    settle_network_s: Annotated[float, Field(ge=0, le=3600)] = 10.0
    incomplete_after_s: Annotated[float, Field(ge=1, le=604_800)] = 600.0
    scan_s: Annotated[float, Field(ge=0.05, le=3600)] = 10.0
    min_free_mb: Annotated[int, Field(ge=0, le=1_048_576)] = 200
    max_pixels: Annotated[int, Field(ge=10_000, le=1_000_000_000)] = 120_000_000
    size_px: Annotated[tuple[Side, Side], BeforeValidator(_two_sides)] = (1080, 1080)
    outputs: Outputs = ALL_OUTPUTS
    seed: Seed = 0
    time_zone: Annotated[str, AfterValidator(_known_zone)] = ""
    catch_up: bool = True
    watermark: Watermark = Watermark()
    overnight: Window = Window()
    accept: Policy = Policy()
    alerts: AlertSettings = AlertSettings()
    instagram: InstagramSettings = InstagramSettings()
    raytracing: RaytracingSettings = RaytracingSettings()
    upscaling: UpscalingSettings = UpscalingSettings()
    diffusion: DiffusionSettings = DiffusionSettings()
    defaults: Choices = Choices()
    rule: tuple[Rule, ...] = ()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, whose content arrives as arguments."""
        return env_settings, init_settings

    @property
    def worker_memory_mb(self) -> int:
        """The cap of a worker: `memory_mb`, and more for a picture that is larger than usual."""
        return self.memory_mb + round(_MB_A_MEGAPIXEL * self._further_megapixels)

    @property
    def longest_job_s(self) -> float:
        """What a picture may take on which everything slow is done."""
        return self.deadline_s(raytraced=True, painted=True)

    def deadline_s(self, *, raytraced: bool, painted: bool) -> float:
        """What a picture may take: all of Blender's time, all of the painter's, and an ordinary render's, longer for a larger picture."""
        slow = self.raytracing.timeout_s if raytraced else 0.0
        # Another worker may be painting first, and the model be loaded and painting then; and so again for the last touch.
        turns = 4 if self.diffusion.settle else 2
        slow += turns * self.diffusion.timeout_s if painted else 0.0
        return self.job_deadline_s + _S_A_MEGAPIXEL * self._further_megapixels + slow

    @property
    def _further_megapixels(self) -> float:
        width, height = FORMATS["square"].size_px
        return max(self.size_px[0] * self.size_px[1] - width * height, 0) / 1e6

    @property
    def rules(self) -> Rules:
        """What `rules.route` needs."""
        return Rules(**{name: getattr(self, name) for name in Rules.model_fields})


def load_settings(studio: Path) -> Settings:
    """Settings of the studio folder; the defaults when it has no `vitrine.toml`.

    Reads the file anew at every call, and before it the studio's own templates, which it may name: they are in force in
    this process from then on. Raises Misconfigured that lists every mistake in the file and the environment with file,
    line, key and accepted values; then the templates from before stay in force.
    """
    path = studio / SETTINGS_NAME
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as error:
        advice = "The file must be readable and saved as UTF-8 text."
        raise Misconfigured(f"{path}: cannot be read: {error}", advice) from error
    with adopting(own_templates(studio)):
        return _settings(text, str(path))


def own_templates(studio: Path) -> Library:
    """The presets with the templates that the studio has of its own, in `templates/*.toml`. Raises Misconfigured."""
    return with_own(shipped(), studio / TEMPLATES_NAME, FOLDER_WORDS)


def _settings(text: str, file: str) -> Settings:
    data, wrong = parse(text, file)
    if wrong:
        raise misconfigured(wrong)
    lines = key_lines(text)
    # Arguments with a leading underscore would steer pydantic-settings itself instead of being refused as unknown.
    hidden = {
        key: data.pop(key) for key in list(data) if key.startswith("_") or key not in Settings.model_fields
    }
    mistakes = _unknown(hidden, file, lines)
    try:
        found = Settings(**data)
    except ValidationError as error:
        mistakes += [_from_environment(one) for one in explain(error, Settings, file, lines)]
    except SettingsError as error:
        name = str(error).partition('"')[2].partition('"')[0]
        variable = f"environment variable {PREFIX}{name.upper()}"
        mistakes.append(Mistake(variable, None, name, "is not JSON", "JSON, such as [1080, 1080]"))
    if mistakes:
        raise misconfigured(sorted(mistakes, key=lambda one: (one.line or 0, one.key)))
    return found


def _unknown(hidden: dict[str, Any], file: str, lines: Lines) -> list[Mistake]:
    """Keys that no setting has."""

    class Nothing(BaseModel, extra="forbid"):
        """Refuses every key."""

    try:
        Nothing.model_validate(hidden)
    except ValidationError as error:
        return explain(error, Settings, file, lines)
    return []


def _from_environment(mistake: Mistake) -> Mistake:
    """The mistake, placed at the environment variable when that is where the value came from."""
    names = {name.upper() for name in os.environ}
    keys = mistake.key.split("[")[0].split(".")
    for depth in range(len(keys), 0, -1):
        variable = PREFIX + "__".join(keys[:depth]).upper()
        if variable in names:
            return replace(mistake, file=f"environment variable {variable}", line=None)
    return mistake


def starter_toml() -> str:
    """A commented `vitrine.toml` for a new studio; it loads, and sets nothing but the defaults."""
    return resources.files("daemon").joinpath("starter.toml").read_text("utf-8")
