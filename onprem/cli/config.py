"""`onprem config`: check, show and example."""

import typer

from onprem.cli.options import Config, Json
from onprem.cli.output import emit_json
from onprem.config.load import load_settings
from onprem.config.render import example as example_file, shown, toml_value
from onprem.wiring import metrics_token, network_policies

app = typer.Typer(name="config", help="Check and show the configuration.", no_args_is_help=True)


@app.command()
def check(config: Config = None, json: Json = False) -> None:
    """Read the file and the environment, and name every fault at once.

    \b
    EXAMPLES
      onprem config check
      onprem config check --config /etc/onprem/onprem.toml --json

    \b
    EXIT STATUS
      0 when it is sound; 3 with the faults on stderr.
    """
    settings = load_settings(config)
    network_policies(settings)
    metrics_token(settings)
    source = str(settings.source) if settings.source else None
    if json:
        emit_json({"ok": True, "config": source})
    else:
        typer.echo(f"{source or 'defaults, no file found'}: no faults")


@app.command()
def show(config: Config = None, json: Json = False) -> None:
    """Print the values that hold, from file, environment and defaults.

    Secrets are not among them: the configuration names their files only.

    \b
    EXAMPLES
      onprem config show
      ONPREM_SERVER__PORT=9000 onprem config show --json

    \b
    EXIT STATUS
      0; 3 when the configuration has faults.
    """
    values = shown(load_settings(config))
    if json:
        emit_json(values)
        return
    for section, options in values.items():
        typer.echo(f"[{section}]")
        for name, value in options.items():
            typer.echo(f"#{name} =" if value is None else f"{name} = {toml_value(value)}")
        typer.echo("")


@app.command()
def example(json: Json = False) -> None:
    """Print a configuration file with every option, its default and what it does.

    \b
    EXAMPLES
      onprem config example > onprem.toml

    \b
    EXIT STATUS
      0.
    """
    if json:
        emit_json({"example": example_file()})
    else:
        typer.echo(example_file(), nl=False)
