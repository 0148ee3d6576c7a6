"""The studio's settings, from `vitrine.toml` and `VITRINE_*`. Owns the model and its loading; refuses to act on them."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

from pydantic import AfterValidator, BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from pipeline.errors import Misconfigured
from rules.plan import Output, Watermark, Window
from rules.ruleset import ALL_OUTPUTS, Choices, Rule, Rules, Seed, Side

SETTINGS_NAME = "vitrine.toml"


def _two_sides(value: object) -> object:
    """`size_px = 1080` means a square."""
    return (value, value) if isinstance(value, int) else value


def _known_zone(value: str) -> str:
    if value and value not in available_timezones():
        raise ValueError(
            'a time zone such as "Asia/Kolkata" or "Europe/Berlin", or "" for this machine\'s own'
        )
    return value


class Settings(BaseSettings):
    """All that the owner can set. Every field has a default, so that a studio without a settings file works.

    workers: render processes; worker_threads: threads inside each; memory_mb: cap per worker; job_deadline_s: a
    render that takes longer is stopped and tried again; settle_s: a file must have been unchanged for this long;
    incomplete_after_s: a file that never becomes complete is reported after this; scan_s: time between full scans;
    max_pixels: larger photos are refused before they are decoded; time_zone: of the overnight window, "" = machine's.
    """

    model_config = SettingsConfigDict(
        env_prefix="VITRINE_", env_nested_delimiter="__", extra="forbid", frozen=True, case_sensitive=False
    )

    workers: Annotated[int, Field(ge=1, le=64)] = 1
    worker_threads: Annotated[int, Field(ge=1, le=64)] = 2
    memory_mb: Annotated[int, Field(ge=256, le=1_048_576)] = 2048
    job_deadline_s: Annotated[float, Field(ge=1, le=86_400)] = 120.0
    settle_s: Annotated[float, Field(ge=0, le=3600)] = 1.0
    incomplete_after_s: Annotated[float, Field(ge=1, le=604_800)] = 600.0
    scan_s: Annotated[float, Field(ge=0.05, le=3600)] = 10.0
    max_pixels: Annotated[int, Field(ge=10_000, le=1_000_000_000)] = 120_000_000
    size_px: Annotated[tuple[Side, Side], BeforeValidator(_two_sides)] = (1080, 1080)
    outputs: Annotated[tuple[Output, ...], Field(min_length=1)] = ALL_OUTPUTS
    seed: Seed = 0
    time_zone: Annotated[str, AfterValidator(_known_zone)] = ""
    watermark: Watermark = Watermark()
    overnight: Window = Window()
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
    def rules(self) -> Rules:
        """What `rules.route` needs."""
        return Rules(
            rule=self.rule,
            defaults=self.defaults,
            outputs=self.outputs,
            size_px=self.size_px,
            seed=self.seed,
            watermark=self.watermark,
            overnight=self.overnight,
        )


def load_settings(studio: Path) -> Settings:
    """Settings of the studio folder; the defaults when it has no `vitrine.toml`.

    Raises Misconfigured that lists every mistake with file, line, key and accepted values.
    """
    path = studio / SETTINGS_NAME
    try:
        data = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
        return Settings(**data)
    except (tomllib.TOMLDecodeError, ValidationError) as error:
        raise Misconfigured(f"{os.fsdecode(path)}: {error}") from error


def starter_toml() -> str:
    """A commented `vitrine.toml` for a new studio."""
    return "# Vitrine settings.\n"
