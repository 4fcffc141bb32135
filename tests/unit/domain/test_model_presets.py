"""What is known about models: by which names, how much memory, what fits where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.domain.model_presets import PRESETS, Machine, Preset, Thinking, best_for, is_known, preset_of


@pytest.mark.parametrize(
    ("name", "preset"),
    [
        ("deepseek-coder-v2:16b", "deepseek-coder-v2:16b"),
        ("deepseek-coder-v2", "deepseek-coder-v2:16b"),
        ("deepseek-coder-v2:16b-lite-instruct-q8_0", "deepseek-coder-v2:16b"),
        ("deepseek-coder", "deepseek-coder:1.3b"),
        ("deepseek-r1", "deepseek-r1:8b"),
        ("deepseek-r1:14b-qwen-distill-q4_K_M", "deepseek-r1:14b"),
        ("deepseek-ai/DeepSeek-V3.1", "deepseek-v3"),
        ("deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct", "deepseek-coder-v2:16b"),
        ("deepseek-ai/DeepSeek-Coder-V2-Instruct", "deepseek-coder-v2:236b"),
        ("deepseek-ai/DeepSeek-R1-Distill-Llama-70B", "deepseek-r1:70b"),
        ("BAAI/bge-m3", "bge-m3"),
        ("embeddinggemma:300m", "embeddinggemma"),
    ],
)
def test_names_of_the_same_model_have_one_preset(name: str, preset: str):
    """Tags, quantisations, and the names that other servers use."""
    assert preset_of(name).name == preset


@pytest.mark.parametrize(
    "name", ["llama3:8b", "deepseek-coder-v20:16b", "my/deepseek-r1", "deepseek-coder:6.7bx"]
)
def test_an_unknown_model_works_with_defaults(name: str):
    """Nobody has to wait for us to know a model."""
    preset = preset_of(name)

    assert (preset.name, preset.window_tokens, preset.thinking) == (name, 16_384, Thinking.never)
    assert not is_known(preset)
    assert preset.needs_gb() is None
    assert Machine(64).fits(preset) is None


@given(st.text(max_size=80))
def test_any_name_has_a_preset(name: str):
    """Names come from people."""
    assert preset_of(name).window_tokens > 0


def test_presets_are_complete():
    """Each has a size and says whom it is for; those that think all say so."""
    assert len({preset.name for preset in PRESETS}) == len(PRESETS)
    for preset in PRESETS:
        assert preset.weights_gb
        assert preset.remark
        assert preset_of(preset.name) is preset
        assert preset.embeds or (preset.context_kib and preset.active_billions)
        assert ("r1" in preset.name) == (preset.thinking is Thinking.always)


@pytest.mark.parametrize(
    ("machine", "best"),
    [
        (Machine(4), None),
        (Machine(16), "deepseek-coder:1.3b"),
        (Machine(32), "deepseek-coder-v2:16b"),
        (Machine(512), "deepseek-coder-v2:16b"),
        (Machine(64, (24,)), "deepseek-coder-v2:16b"),
        (Machine(64, (80,)), "deepseek-coder-v2:16b"),
        (Machine(256, (80,) * 4), "deepseek-coder-v2:236b"),
        (Machine(512, (141,) * 4), "deepseek-v3"),
    ],
)
def test_a_machine_gets_what_fits_and_is_quick_there(machine: Machine, best: str | None):
    """Without cards memory is not the limit, the speed is."""
    found = best_for(machine)

    assert (found.name if found else None) == best


def test_more_places_and_a_larger_window_need_more_memory():
    """Each place has a context of its own."""
    preset = preset_of("deepseek-coder:6.7b")

    assert preset.needs_gb(16_384, 1) == pytest.approx(3.8 + 8 + 1)
    assert preset.needs_gb(16_384, 4) == pytest.approx(3.8 + 32 + 1)
    assert preset.needs_gb(8_192, 1) == pytest.approx(3.8 + 4 + 1)
    assert Machine(64, (24,)).fits(preset)
    assert not Machine(64, (24,)).fits(preset, parallel=4)


def test_a_preset_of_ones_own_is_possible():
    """Everything but the name has a default."""
    assert Preset("mine").options == {"temperature": 0.1}
