"""What there is to say of a backup, as text."""

from collections.abc import Callable
from pathlib import Path

from onprem.cli.output import date
from onprem.core.backup import Manifest
from onprem.services.backup.create import Created
from onprem.services.backup.restore import Outcome, Plan
from onprem.services.backup.verify import Verdict

Say = Callable[[str], None]

_TOLD = {
    "project": "projects (erased ones too)",
    "api_key": "API keys",
    "secret": "secrets",
    "job": "jobs",
    "delivery": "deliveries",
    "ledger": "ledger entries",
    "access_log": "access log entries",
    "checkpoint": "checkpoints",
}
"""Tables that somebody asks about, and what their rows are called."""


def tell_created(created: Created, key_file: Path, say: Say) -> None:
    _tell(created.manifest, created.bytes, say)
    say(f"sha256         {created.sha256}")
    say(f"written        {created.file}")
    say(
        f"\nTHE MASTER KEY IS NOT IN IT. Keep a copy of {key_file}"
        "\nin a safe place of its own: without it nobody can restore this backup, and whoever has"
        "\nboth has all secrets of this installation."
    )


def tell_verdict(verdict: Verdict, say: Say) -> None:
    if verdict.backup is not None:
        _tell(verdict.backup.body, verdict.bytes or 0, say)
        say(f"age            {_age(verdict.age_seconds or 0.0)}")
    if verdict.opens:
        say("master key     opens it, and made it")
    for problem in verdict.problems:
        say(f"PROBLEM        {problem}")
    say("sound" if verdict.sound else f"{verdict.file} is NOT sound: do not rely on it")


def tell_plan(plan: Plan, say: Say) -> None:
    _tell(plan.backup, None, say)
    say(f"into           {plan.data_dir}")
    if plan.replaces is None:
        return
    held = plan.replaces.holds
    say(
        f"replaces       {held.projects} projects, {held.keys} API keys, {held.jobs} jobs;"
        f" deletes {held.artefacts} stored records"
    )
    if plan.replaces.ledger_kept:
        say(f"keeps          the ledger there, {plan.replaces.newer_entries} entries of it newer")


def tell_outcome(plan: Plan, outcome: Outcome, say: Say) -> None:
    say(f"restored       {plan.data_dir}")
    say(
        f"receipts       {outcome.deleted} records deleted here, {outcome.absent} that the backup"
        " does not hold"
    )
    say(f"jobs           {outcome.failed_jobs} failed, for they had not ended")
    say(f"deliveries     {outcome.deliveries} ended, for nobody knows where they lead")
    if outcome.revoked or outcome.erased:
        say(f"again          {outcome.revoked} keys revoked, {outcome.erased} projects erased")
    say(f"ledger         {outcome.ledger} entries, signed by checkpoint {outcome.checkpoint}")
    if plan.replaces is not None and plan.replaces.ledger_kept:
        return
    lost = "no checkpoint: what the ledger had after the backup, nothing explains"
    if outcome.last_known is not None:
        lost = f"entry {outcome.last_known}; what is lost up to there, the ledger explains"
    say(f"last known     {lost}")
    if outcome.warning is not None:
        say(f"WARNING        {outcome.warning}")


def _tell(manifest: Manifest, size: int | None, say: Say) -> None:
    counts = [f"{manifest.counts.get(table, 0)} {name}" for table, name in _TOLD.items()]
    say(f"backup of      installation {manifest.installation}, region {manifest.region}")
    of_size = "" if size is None else f", {size / 1e6:.1f} MB"
    say(f"made           {date(manifest.wall)} by onprem {manifest.onprem}{of_size}")
    say(f"schema         {manifest.schema}")
    say(f"holds          {', '.join(counts)}")
    say(f"ledger         up to entry {manifest.ledger.size}; digest {manifest.ledger.digest}")


def _age(seconds: float) -> str:
    for unit, length in (("days", 86400.0), ("hours", 3600.0), ("minutes", 60.0)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} seconds"
