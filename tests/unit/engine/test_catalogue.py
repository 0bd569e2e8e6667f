"""The catalogue is consistent in itself and says honestly what is not established."""

import re

from onprem.engine.catalogue import CATALOGUE, RECIPES, STARTER_MODELS, STARTER_RECIPE
from onprem.engine.library import is_model_id
from onprem.engine.starter_wheels import STARTER_PACK


def test_every_id_can_name_a_folder_and_is_its_own_key() -> None:
    assert all(is_model_id(key) and key == model.id for key, model in CATALOGUE.items())


def test_no_model_has_the_id_of_a_recipe() -> None:
    assert not CATALOGUE.keys() & RECIPES.keys()


def test_every_model_names_its_licence_and_where_it_comes_from() -> None:
    for model in CATALOGUE.values():
        assert model.licence in {"MIT", "Apache-2.0", "CC-BY-4.0"}
        assert model.source.startswith("https://")


def test_the_starter_recipe_is_made_of_a_segmentation_and_an_embedding_model() -> None:
    assert CATALOGUE[STARTER_RECIPE.segmentation].kind == "segmentation"
    assert CATALOGUE[STARTER_RECIPE.embedding].kind == "embedding"


def test_starter_digests_are_established_and_all_others_are_recorded_at_import() -> None:
    established = {model.id for model in CATALOGUE.values() if model.digests == "established"}
    assert established == {model.id for model in STARTER_MODELS}


def test_each_starter_file_has_a_digest_a_size_and_a_place_in_a_wheel() -> None:
    for entry in STARTER_PACK:
        assert entry.members.keys() == entry.model.files.keys()
        for record in entry.model.files.values():
            assert re.fullmatch(r"[0-9a-f]{64}", record.sha256)
            assert record.size > 0


def test_no_code_is_taken_out_of_a_wheel() -> None:
    paths = [m.path for entry in STARTER_PACK for parts in entry.members.values() for m in parts]
    assert not [path for path in paths if path.endswith((".py", ".so"))]
