"""schemathesis over the whole OpenAPI document: examples, edge cases, random data, sequences."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.support.server import Running

pytestmark = pytest.mark.ci

CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
LEFT_OUT = ("positive_data_acceptance", "use_after_free")
"""Why: docs/adr/0009-schemathesis-without-two-checks.md"""


async def test_the_server_does_what_its_openapi_document_says(
    server: Running, tmp_path: Path
) -> None:
    run = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("schemathesis"),
        *("--config-file", CONFIGURATION),
        *("run", f"{server.client.base_url}/openapi.json"),
        *("--header", f"Authorization: {server.client.headers['authorization']}"),
        *("--checks", "all", "--exclude-checks", ",".join(LEFT_OUT)),
        *("--max-examples", "10", "--seed", "1", "--no-color"),
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await run.communicate()
    assert run.returncode == 0, output.decode()[-5000:]
