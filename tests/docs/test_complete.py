"""Whatever a user can meet has its place in the documentation, and its links lead somewhere."""

import io
import re
import shlex
from enum import Enum
from pathlib import Path

import msgspec
import pytest

from onprem.cli import main
from onprem.cli.exit_codes import EXIT_CODES
from onprem.config.render import options
from onprem.core.act import ActKind
from onprem.core.edits import Edits, TextEdit
from onprem.core.fieldwise import convert_fields
from onprem.core.job import JobStatus
from onprem.core.merge import TranscribedTurn
from onprem.core.output import DiarizationOutput, FailedOutput
from onprem.core.receipt import ArtefactKind, DeletionMethod, DeletionReason
from onprem.core.requests import DiarizeRequest, TranscriptionConfig
from onprem.core.speech import FrameScores, Turn
from onprem.errors import JobFailure
from onprem.http.app import ROUTES
from onprem.http.errors import ApiError, ValidationErrorResponse
from onprem.http.views import EditsView, JobCreated, JobView, ReceiptView
from onprem.runner.progress import Progress
from onprem.services.keys import Scope
from onprem.services.metric_table import EVERY, PREFIX
from onprem.services.model_choice import HOSTED_DIARIZATION, HOSTED_TRANSCRIPTION
from scripts.docs import commands, error_classes

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
API = "\n".join(
    page.read_text() for page in [ROOT / "docs/api.md", *sorted((ROOT / "docs/api").glob("*.md"))]
)
CLI = (ROOT / "docs" / "cli.md").read_text()
CONFIGURATION = (ROOT / "docs" / "configuration.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()
QUICKSTART = (ROOT / "docs" / "quickstart.md").read_text()

SHOWN_TO_CLIENTS = (
    *(DiarizeRequest, TranscriptionConfig, JobCreated, JobView, Progress, ReceiptView),
    *(DiarizationOutput, FailedOutput, Turn, TranscribedTurn, FrameScores),
    *(EditsView, TextEdit),
    *(ApiError, ValidationErrorResponse),
)


def test_every_option() -> None:
    missing = [
        f"{option.section}.{option.name}"
        for option in options()
        if f"| `{option.section}.{option.name}` |" not in CONFIGURATION
    ]
    assert not missing


def test_every_route_and_no_other() -> None:
    served = {
        (method, re.sub(r"\{\w+:\w+\}", "{}", path))
        for route in ROUTES
        for path in route.paths
        for method in route.http_methods
        if method not in ("HEAD", "OPTIONS")
    }
    headings = re.findall(r"^### `([A-Z]+) ([^`]+)`$", API, re.MULTILINE)
    assert {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in headings} == served


@pytest.mark.parametrize("kind", SHOWN_TO_CLIENTS, ids=lambda kind: kind.__name__)
def test_every_field(kind: type[msgspec.Struct]) -> None:
    names = [field.encode_name for field in msgspec.structs.fields(kind)]
    assert not [name for name in names if not re.search(rf"[`\"]{name}[`\"]", API)]


@pytest.mark.parametrize(
    "kind", [JobStatus, Scope, ArtefactKind, DeletionReason, DeletionMethod], ids=str
)
def test_every_value(kind: type[Enum]) -> None:
    assert not [each.value for each in kind if f"`{each.value}`" not in API]


def test_every_hosted_model_name() -> None:
    assert not [
        name for name in HOSTED_DIARIZATION | HOSTED_TRANSCRIPTION if f"`{name}`" not in API
    ]


def test_every_error_code_where_it_is_met() -> None:
    def page(kind: type) -> str:
        return API if issubclass(kind, JobFailure) else API + CLI

    assert not [kind.code for kind in error_classes() if f"| `{kind.code}` |" not in page(kind)]


def test_metrics_are_named_as_they_are() -> None:
    named = set(re.findall(rf"\b{PREFIX}\w+", OPERATIONS))
    assert named == {metric.full_name for metric in EVERY}
    alarms = re.findall(r"^ +expr: (.+)$", OPERATIONS, re.MULTILINE)
    assert alarms
    assert all(PREFIX in alarm for alarm in alarms)


def test_every_command() -> None:
    assert not [name for name, _ in commands() if f"### `{name}`" not in CLI]


def test_every_exit_code() -> None:
    assert not [code for code in {0, 1, 2, *EXIT_CODES.values()} if f"\n| {code} |" not in CLI]


def test_every_decision_is_listed() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text()
    names = [path.name for path in (ROOT / "docs" / "adr").glob("*.md")]
    assert not [name for name in names if f"(adr/{name})" not in text]


def test_every_file_named_on_the_road_of_a_job_exists() -> None:
    for page in ("architecture.md", "security.md"):
        text = (ROOT / "docs" / page).read_text()
        named = re.findall(
            r"`((?:cli|http|services|runner|store|media|engine|core)/[\w/]+\.py)`", text
        )
        assert len(named) > 10
        assert not [name for name in named if not (ROOT / "onprem" / name).is_file()]


def test_every_act() -> None:
    text = (ROOT / "docs" / "security.md").read_text()
    table = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text.partition("**Acts**")[2], re.MULTILINE)
    named = {name for cell in table for name in re.findall(r"`(\w+)`", cell)}
    assert {kind.value for kind in ActKind} <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        other = (page.parent / path).resolve() if path else page
        assert other.exists(), target
        if anchor:
            assert anchor in _anchors(other), target


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_example_requests_are_what_the_api_takes() -> None:
    examples = [
        msgspec.json.decode(block)
        for block in re.findall(r"```json\n(.*?)```", API, re.DOTALL)
        if '"transcriptionConfig"' in block
    ]
    assert examples
    for example in examples:
        converted = convert_fields(DiarizeRequest, example)
        assert (converted.faults, converted.unknown) == ([], [])


def test_example_edits_are_what_the_api_takes() -> None:
    blocks = re.findall(r"```json\n(.*?)```", API, re.DOTALL)
    examples = [block for block in blocks if '"index"' in block]
    assert examples
    for example in examples:
        edits = msgspec.json.decode(example, type=Edits)
        read = msgspec.to_builtins(edits)
        assert read | msgspec.json.decode(example) == read


def test_example_configuration_has_no_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block = re.search(r"```toml\n(.*?)```", CONFIGURATION, re.DOTALL)
    assert block is not None
    monkeypatch.chdir(tmp_path)
    Path("onprem.toml").write_text(block[1])
    assert _run("onprem config check") == 0


def test_quickstart_commands_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that neither download nor serve, in the order in which they stand."""
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"```sh\n(.*?)```", QUICKSTART, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    feasible = [
        line for line in lines if re.match(r"onprem (init|config|keys|projects|version)\b", line)
    ]
    assert len(feasible) >= 4
    assert [_run(line) for line in feasible] == [0] * len(feasible)


def _run(line: str) -> int:
    out, err = io.StringIO(), io.StringIO()
    code = main.run(shlex.split(line, comments=True)[1:], out, err)
    assert not err.getvalue(), err.getvalue()
    return code
