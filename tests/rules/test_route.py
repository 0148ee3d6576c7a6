"""Who decides what: sidecar over rule over folder over defaults, with the reasons said in order."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from presets.painting import Brush, Upscaling
from rules.facts import Facts
from rules.plan import Plan, Watermark
from rules.route import route
from rules.ruleset import Choices, Rule, Rules
from rules.sidecar import BadSidecar


def plan(
    folder: str, rules: Rules | None = None, sidecar: str | None = None, name: str = "IMG_0001.jpg"
) -> Plan:
    return route(Facts(folder=folder, name=name), rules or Rules(), sidecar)


def test_defaults_give_a_picture_whatever_the_folder_says():
    made = plan("zzz qqq")
    assert made.jewelry_type == "auto"
    assert len(made.recipes[0].pool) >= 4
    assert made.outputs == ("export", "watermark", "instagram")
    assert made.findings[0].code == "unknown-word"


@pytest.mark.parametrize(
    ("folder", "view", "pose"),
    [
        ("rings", "table", "upright"),
        ("bangles", "table", "flat"),
        ("bracelets", "table", "flat"),
        ("watches", "flat", "flat"),
        ("earrings", "flat", "flat"),
        ("sets", "flat", "flat"),
        ("auto", "auto", "auto"),
    ],
)
def test_the_kind_decides_how_a_piece_stands(folder: str, view: str, pose: str):
    recipe = plan(folder).recipes[0]
    assert (recipe.view, recipe.pose) == (view, pose)


def test_sidecar_over_rule_over_folder_over_defaults():
    rules = Rules(
        rule=(Rule(match="rings*", template="marble-white-studio", fill=0.5),),
        defaults=Choices(template="minimal", look="film-soft", hashtags=("mine",)),
    )
    folder = "rings--festive--x2"
    assert plan("sets", rules).recipes[0].surface.material == "minimal"
    assert plan("sets", rules).recipes[0].look.name == "film-soft"
    assert plan("sets--festive", rules).recipes[0].surface.material == "festive"
    by_rule = plan(folder, rules)
    assert by_rule.recipes[0].template == "marble-white-studio"
    assert len(by_rule.recipes) == 2, "what the rule leaves open the folder decides"
    assert by_rule.recipes[0].fill == 0.5
    by_sidecar = plan(folder, rules, 'template = "velvet-black-moody"\ntype = "pendant"\nseed = 9')
    assert by_sidecar.recipes[0].template == "velvet-black-moody"
    assert by_sidecar.jewelry_type == "pendant"
    assert [one.seed for one in by_sidecar.recipes] == [9, 10]
    assert by_sidecar.post.hashtags == ("#mine",)


def test_who_cuts_the_piece_out_may_be_chosen_by_rule_and_by_photo():
    rules = Rules(rule=(Rule(match="rings*", segmenter="classical"),))
    assert plan("pendants", rules).recipes[0].segmenter == "network"
    assert plan("rings", rules).recipes[0].segmenter == "classical"
    assert plan("rings", rules, 'segmenter = "rembg:u2net"').recipes[0].segmenter == "rembg:u2net"


def test_who_draws_the_shadow_may_be_chosen_by_folder_rule_and_photo():
    def renderer(*asked):
        return plan(*asked).recipes[0].renderer

    assert renderer("rings", Rules()) == "fast"
    assert renderer("rings--raytraced", Rules(defaults=Choices(renderer="fast"))) == "blender"
    rules = Rules(rule=(Rule(match="rings*", renderer="fast"),), defaults=Choices(renderer="blender"))
    assert renderer("pendants", rules) == "blender"
    assert renderer("rings--raytraced", rules) == "fast"
    assert renderer("rings", rules, 'renderer = "blender"') == "blender"


def test_a_painted_set_is_asked_for_by_sidecar_rule_folder_or_defaults():
    def painting(*asked):
        made = plan(*asked)
        return made.recipes[0].pool[0].painting if made.recipes[0].pool else made.recipes[0].painting

    assert painting("rings", Rules()) is None
    assert painting("rings--diffusion", Rules()) is not None
    assert painting("rings--velvet-navy-moody--Stable Diffusion", Rules()) is not None
    rules = Rules(
        rule=(
            Rule(match="rings*", backdrop="plate"),
            Rule(match="sets", backdrop="diffusion", prompt="slate", lora=("ours",)),
        ),
        diffusion=Brush(model="xl", backgrounds=5, lora=("house",)),
    )
    assert painting("rings--diffusion", rules) is None
    assert painting("rings", rules, 'backdrop = "diffusion"').loras[0].name == "house"
    told = painting("sets", rules)
    assert (told.prompt, told.model, told.loras[0].name, told.backgrounds) == ("slate", "xl", "ours", 5)
    assert painting("sets", rules, 'diffusion_model = "sd"').model == "sd"
    assert painting("sets", rules, 'prompt = "silk, {light}"').prompt.startswith("silk, ")


def test_a_photo_always_gets_the_same_of_a_templates_backgrounds_and_photos_are_spread():
    rules = Rules(diffusion=Brush(backgrounds=4))

    def take(digest, rules=rules):
        made = route(Facts(folder="rings--velvet-navy-moody--diffusion", name="a.jpg", digest=digest), rules)
        return made.recipes[0].painting.take

    takes = [take(f"{number:064x}") for number in range(40)]
    assert takes == [take(f"{number:064x}") for number in range(40)]
    assert set(takes) == {0, 1, 2, 3}


def test_a_named_template_keeps_its_own_light_against_the_defaults():
    rules = Rules(defaults=Choices(lighting="studio"))
    assert plan("rings--velvet-navy-moody", rules).recipes[0].rig.name == "moody"
    assert plan("rings--marble", rules).recipes[0].rig.name == "studio"


def test_light_in_the_folder_replaces_the_templates_own():
    recipe = plan("rings--velvet-navy-moody--spotlight").recipes[0]
    assert (recipe.template, recipe.rig.name) == ("velvet-navy-moody", "spotlight")


def test_reasons_name_the_rule_and_its_number():
    rules = Rules(rule=(Rule(match="nothing"), Rule(match="bangles-*", template="marble", overnight=True)))
    made = plan("bangles--velvet", rules)
    text = "\n".join(made.reasons)
    assert made.reasons[0] == 'Rule 2 (match = "bangles-*") applies to bangles--velvet.'
    assert "Type bangle: from the folder name bangles--velvet." in made.reasons
    assert (
        "Template: left open by rule 2 and the folder name bangles--velvet, so the piece's own colours decide"
        in text
    )
    assert {one.surface.material for one in made.recipes[0].pool} == {"marble"}
    assert "overnight, 22:00 to 06:00" in text
    assert made.window is not None


def test_the_first_rule_that_matches_wins_and_reaches_folders_inside():
    rules = Rules(rule=(Rule(match="Rings", seed=1), Rule(match="*", seed=2)))
    assert plan("rings/monday", rules).recipes[0].seed == 1
    assert plan("ringsx", rules).recipes[0].seed == 2


def test_urgent_wins_over_overnight_and_says_so():
    made = plan("rings--overnight--urgent")
    assert (made.urgency, made.window) == ("urgent", None)
    assert [one.code for one in made.findings] == ["urgent-and-overnight"]


def test_no_instagram_is_obeyed_and_something_is_always_made():
    assert plan("rings--no-instagram").outputs == ("export", "watermark")
    only = Rules(outputs=("instagram",))
    made = plan("rings--no-instagram", only)
    assert made.outputs == ("export",)
    assert made.watermark is None
    assert [one.code for one in made.findings] == ["no-output"]


def test_watermark_size_and_seed_come_from_the_settings():
    rules = Rules(size_px=(1080, 1350), seed=7, watermark=Watermark(text="Rao & Sons"))
    made = plan("rings--x3", rules)
    assert made.watermark is not None
    assert made.watermark.text == "Rao & Sons"
    assert [(one.width_px, one.height_px, one.seed) for one in made.recipes] == [
        (1080, 1350, s) for s in (7, 8, 9)
    ]
    assert len({one.digest for one in made.recipes}) == 3


@pytest.mark.parametrize(
    ("name", "title", "kind"),
    [
        ("gold_ring-22k.jpg", "Gold ring 22k", "ring"),
        ("IMG_20260514_101112.jpg", "", "auto"),
        ("DSC0001.JPG", "", "auto"),
        ("PXL_20260101_120000000.jpg", "", "auto"),
        ("WhatsApp Image 2026-05-14 at 10.11.12.jpeg", "", "auto"),
        ("pendant_chain.jpg", "Pendant chain", "pendant"),
        ("Earrings and ring.jpg", "Earrings and ring", "auto"),
    ],
)
def test_file_name_gives_title_and_kind_when_nobody_else_does(name: str, title: str, kind: str):
    made = plan("", name=name)
    assert made.post.title == title
    assert made.jewelry_type == kind


def test_sidecar_words_reach_the_post():
    made = plan(
        "rings",
        sidecar='sku = "R-17"\ntitle = "Lotus"\nprice_line = "Rs 9,500"\nhashtags = ["lotus", "#gold"]',
    )
    assert made.post.sku == "R-17"
    assert made.post.caption == "Lotus\nRs 9,500"
    assert made.post.hashtags == ("#lotus", "#gold")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            'sku = "a"\ntemplte = "velvet"',
            ["ring.toml, line 2, templte", 'did you mean "template"?', "price_line"],
        ),
        ('\n\ntemplate = "velvett"', ["ring.toml, line 3, template", 'did you mean "velvet"?', '"marble"']),
        ('type = "rings"', ["ring.toml, line 1, type", 'did you mean "ring"?', '"earrings"']),
        ('renderer = "blend"', ["ring.toml, line 1, renderer", "blender"]),
        ('segmenter = "u2net"', ["ring.toml, line 1, segmenter", '"rembg:u2net"']),
        ("fill = 3", ["ring.toml, line 1, fill", "a number from 0.2 to 0.9"]),
        ('hashtags = ["ok", "not ok"]', ["ring.toml, line 1, hashtags[2]", "without blanks"]),
        ("title = Lotus", ["ring.toml, line 1", 'text in "quotes"']),
        ("seed = 1\nseed = 2", ["ring.toml, line 2"]),
    ],
)
def test_a_mistake_in_the_sidecar_names_line_key_and_accepted_values(text: str, words: list[str]):
    with pytest.raises(BadSidecar) as caught:
        plan("rings", sidecar=text, name="ring.jpg")
    for word in words:
        assert word in str(caught.value)
    assert "ring.toml" in caught.value.advice


def test_a_plan_survives_json_even_with_bytes_in_the_name_that_are_no_text():
    made = route(Facts(folder="rings\udcff", name="a\udcff.jpg"), Rules(), None)
    assert Plan.model_validate_json(made.model_dump_json()) == made
    assert "\\xff" in made.reasons[0]


def test_deciding_needs_no_imaging_library():
    code = (
        "import sys, rules.route, rules.accept, daemon.settings; "
        "print(sorted({'numpy', 'cv2', 'PIL', 'scipy'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_positions_of_a_mark_are_those_that_can_be_printed():
    from pipeline.finish.watermark import Position as Printed
    from rules.plan import Position

    assert get_args(Position) == get_args(Printed)


def test_each_variant_is_made_in_every_format_and_the_feed_gets_it_once():
    rules = Rules(rule=(Rule(match="rings*", formats=("square", "story", "portrait", "story")),))
    made = plan("rings--x2", rules)
    assert [(one.format, one.width_px, one.height_px) for one in made.recipes] == [
        ("square", 1080, 1080), ("story", 1080, 1920), ("portrait", 1080, 1350),
    ] * 2  # fmt: skip
    assert len({one.digest for one in made.recipes}) == 6
    assert [made.variant_of(at) for at in range(6)] == [0, 0, 0, 1, 1, 1]
    assert [made.recipes[at].seed for at in (0, 1, 2, 3)] == [0, 0, 0, 1]
    assert ["instagram" in made.outputs_of(at) for at in range(3)] == [False, True, True]
    assert made.outputs_of(0) == ("export", "watermark")
    assert any("portrait takes the square's place" in reason for reason in made.reasons)
    own = plan("rings", rules, 'formats = ["portrait"]')
    assert [one.format for one in own.recipes] == ["portrait"]
    assert plan("watches", rules).recipes[0].format == "square"
    only = Rules(outputs=("instagram",), defaults=Choices(formats=("square", "portrait")))
    assert [one.format for one in plan("rings", only).recipes] == ["portrait"]


def test_a_format_that_there_is_not_is_told_with_those_that_there_are():
    with pytest.raises(BadSidecar, match=r"formats.*\"reel\".*square.*portrait.*story"):
        plan("rings", Rules(), 'formats = ["reel"]')


def test_who_says_what_enlarges_small_pieces_is_told():
    rules = Rules(defaults=Choices(enlarge="realesr-general-x4v3"))
    made = plan("rings", rules)
    assert made.recipes[0].enlarge == "realesr-general-x4v3"
    assert any("enlarged by realesr-general-x4v3: from [defaults]" in reason for reason in made.reasons)
    assert plan("rings", rules, 'enlarge = ""').recipes[0].enlarge == ""
    assert plan("rings", Rules()).recipes[0].enlarge == ""
    with pytest.raises(BadSidecar, match="enlarge"):
        plan("rings", rules, 'enlarge = "../elsewhere"')


def test_upscalers_of_the_settings_are_part_of_the_recipe():
    """Another network, or another strength of denoising, is another picture."""
    painted = {
        "defaults": Choices(
            backdrop="diffusion", enlarge="realesr-general-x4v3", template="velvet-navy-moody"
        )
    }
    settings = (
        Upscaling(),
        Upscaling(background="RealESRGAN_x4plus"),
        Upscaling(background="realesr-general-x4v3"),
        Upscaling(background="realesr-general-x4v3", denoise=0.5),
        Upscaling(denoise=0.5),
    )
    recipes = [plan("rings", Rules(upscaling=one, **painted)).recipes[0] for one in settings]
    assert len({one.digest for one in recipes}) == len(settings)
    assert recipes[3].painting.upscaler == recipes[3].enlarge == "realesr-general-x4v3:0.5"
    plain = Rules(upscaling=Upscaling(denoise=0.5), defaults=Choices(enlarge="RealESRGAN_x4plus"))
    assert plan("rings", plain).recipes[0].enlarge == "RealESRGAN_x4plus"  # it has no second file
