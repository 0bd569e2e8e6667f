"""A checkpoint that would run code is refused by name, and nothing of it runs."""

import os
import pickle
import tarfile
import zipfile
from collections import Counter, OrderedDict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from onprem.engine.checkpoints import (
    PYANNOTE_SAFE_GLOBALS,
    TORCH_SAFE_GLOBALS,
    require_safe_checkpoint,
)
from onprem.errors import ModelUncheckable, ModelUnsafe
from tests.support.model_folders import CallsOnLoad, checkpoint

FILE = "pytorch_model.bin"


def check(path: Path) -> None:
    require_safe_checkpoint(path, model="m", file=FILE)


def test_plain_weights_are_accepted(tmp_path: Path) -> None:
    check(checkpoint(tmp_path / FILE, OrderedDict(a=[1, 2.5, "x"], b=Counter("ab"), c={1, 2})))


@pytest.mark.parametrize("name", sorted(PYANNOTE_SAFE_GLOBALS))
def test_what_pyannote_needs_is_accepted(tmp_path: Path, name: str) -> None:
    module, _, cls = name.rpartition(".")
    with zipfile.ZipFile(tmp_path / FILE, "w") as archive:
        archive.writestr("archive/data.pkl", f"\x80\x02c{module}\n{cls}\n)\x81.".encode("latin-1"))
    check(tmp_path / FILE)


@pytest.mark.parametrize("protocol", [0, 1, 2, 3, 4, 5])
def test_a_call_of_the_shell_is_refused_by_name_and_not_executed(
    tmp_path: Path, protocol: int
) -> None:
    proof = tmp_path / "executed"
    evil = OrderedDict(weight=CallsOnLoad(os.system, f"touch {proof}"))
    with pytest.raises(ModelUnsafe, match=rf"{FILE} of the model m .*posix\.system"):
        check(checkpoint(tmp_path / FILE, evil, protocol))
    assert not proof.exists()


def test_all_unsafe_names_are_told(tmp_path: Path) -> None:
    evil = [CallsOnLoad(eval, "1"), CallsOnLoad(os.unlink, "x")]
    with pytest.raises(ModelUnsafe, match=r"builtins\.eval, posix\.unlink"):
        check(checkpoint(tmp_path / FILE, evil))


@pytest.mark.parametrize(
    "instructions",
    [
        b"\x80\x02(S'true'\niposix\nsystem\n.",  # INST
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94h\x00h\x01\x93.",  # STACK_GLOBAL from memo
        b"\x80\x02\x82\x01.",  # EXT1
    ],
)
def test_instructions_that_hide_a_name_are_refused(tmp_path: Path, instructions: bytes) -> None:
    with zipfile.ZipFile(tmp_path / FILE, "w") as archive:
        archive.writestr("archive/data.pkl", instructions)
    with pytest.raises(ModelUnsafe, match="something found by"):
        check(tmp_path / FILE)


@pytest.mark.parametrize("hidden", ["archive/data.pkl", "archive/DATA.PKL", "other/data.pkl"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_second_pickle_in_the_archive_is_read_too(tmp_path: Path, hidden: str) -> None:
    checkpoint(tmp_path / FILE, OrderedDict())
    with zipfile.ZipFile(tmp_path / FILE, "a") as archive:
        archive.writestr(hidden, pickle.dumps(CallsOnLoad(os.system, "true"), 2))
    with pytest.raises(ModelUnsafe, match="posix.system"):
        check(tmp_path / FILE)


def test_an_evil_bare_pickle_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(pickle.dumps(CallsOnLoad(os.system, "true")))
    with pytest.raises(ModelUnsafe, match="posix.system"):
        check(tmp_path / FILE)


def test_a_bare_pickle_that_ends_as_a_harmless_zip_is_read_as_torch_reads_it(
    tmp_path: Path,
) -> None:
    harmless = checkpoint(tmp_path / "harmless", OrderedDict()).read_bytes()
    evil = pickle.dumps(CallsOnLoad(os.system, "true"), 2)
    (tmp_path / FILE).write_bytes(evil + harmless)
    with pytest.raises(ModelUnsafe, match="posix.system"):
        check(tmp_path / FILE)


def test_a_harmless_file_of_the_old_format_is_refused_as_uncheckable(tmp_path: Path) -> None:
    magic, version, machine = 0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}
    parts: list[object] = [magic, version, machine, OrderedDict(a=1), []]
    (tmp_path / FILE).write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(ModelUncheckable, match="not in the zip format"):
        check(tmp_path / FILE)


def test_an_evil_object_further_on_in_the_old_format_is_named(tmp_path: Path) -> None:
    parts: list[object] = [1, 1001, {}, CallsOnLoad(os.system, "true"), []]
    (tmp_path / FILE).write_bytes(b"".join(pickle.dumps(part, 2) for part in parts))
    with pytest.raises(ModelUnsafe, match="posix.system"):
        check(tmp_path / FILE)


def test_a_tar_of_the_oldest_format_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / FILE, "w") as archive:
        archive.add(checkpoint(tmp_path / "inner", OrderedDict()), "pickle")
    with pytest.raises(ModelUncheckable):
        check(tmp_path / FILE)


@pytest.mark.parametrize("member", ["archive/constants.pkl", "archive/notes.txt"])
def test_torchscript_and_archives_without_weights_are_refused(tmp_path: Path, member: str) -> None:
    with zipfile.ZipFile(tmp_path / FILE, "w") as archive:
        archive.writestr(member, pickle.dumps({}, 2))
    with pytest.raises(ModelUncheckable):
        check(tmp_path / FILE)


def test_a_compressed_pickle_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / FILE, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("archive/data.pkl", bytes(1 << 20))
    with pytest.raises(ModelUncheckable, match="compressed"):
        check(tmp_path / FILE)


@settings(max_examples=200, deadline=None, suppress_health_check=[*HealthCheck])
@given(
    damage=st.lists(st.tuples(st.integers(0), st.integers(0, 255)), max_size=4), cut=st.floats(0, 1)
)
def test_damage_never_ends_in_another_error(
    tmp_path: Path, damage: list[tuple[int, int]], cut: float
) -> None:
    content = bytearray(checkpoint(tmp_path / FILE, OrderedDict(a=1)).read_bytes())
    for place, value in damage:
        content[place % len(content)] = value
    (tmp_path / FILE).write_bytes(content[: int(len(content) * cut)] if cut < 0.5 else content)
    try:
        check(tmp_path / FILE)
    except ModelUnsafe:
        pass


def test_the_list_is_a_part_of_torchs_own() -> None:
    from torch._weights_only_unpickler import _get_allowed_globals

    assert TORCH_SAFE_GLOBALS <= _get_allowed_globals().keys()


def test_a_checkpoint_of_pyannote_loads_with_the_four_classes_only(tmp_path: Path) -> None:
    import torch

    from onprem.engine.safe_loading import PYANNOTE_CLASSES, allow_pyannote_globals

    allow_pyannote_globals()
    saved = {
        "specifications": PYANNOTE_CLASSES[0](
            problem=PYANNOTE_CLASSES[1].MONO_LABEL_CLASSIFICATION,
            resolution=PYANNOTE_CLASSES[2].FRAME,
            duration=10.0,
            classes=["a"],
        ),
        "versions": {"torch": torch.__version__},
        "state_dict": OrderedDict(weight=torch.ones(3)),
    }
    torch.save(saved, tmp_path / FILE)
    check(tmp_path / FILE)
    loaded = torch.load(tmp_path / FILE, weights_only=True)
    assert loaded["specifications"].classes == ["a"]
    names = {f"{cls.__module__}.{cls.__qualname__}" for cls in PYANNOTE_CLASSES}
    assert names == PYANNOTE_SAFE_GLOBALS
