"""Options that commands share."""

from pathlib import Path
from typing import Annotated

import typer

Config = Annotated[Path | None, typer.Option("--config", help="The configuration file.")]
Json = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
