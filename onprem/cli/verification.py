"""The result of a verification, for people."""

import typer

from onprem.core.verification_report import AnchorReport, Beginning, ChainReport, Verification


def emit_verification(found: Verification) -> None:
    typer.echo(f"installation {found.installation}")
    if found.exported_at is not None:
        typer.echo(f"as it stood at {found.exported_at:%Y-%m-%dT%H:%M:%SZ}")
    for title, chain in (("ledger", found.ledger), ("access log", found.access_log)):
        if chain is not None:
            typer.echo(f"{title}: {_entries(chain)}{_beginning(chain)}{_tail(chain)}")
    if found.checkpoints is not None:
        typer.echo(f"checkpoints: {found.checkpoints}")
    if found.anchors is not None:
        typer.echo(f"anchors: {_anchors(found.anchors)}")
    elif found.exported_at is not None:
        typer.echo("anchors: none given; the installation itself could have changed all of it")
    for seq in found.restored:
        typer.echo(f"restored from a backup: ledger entry {seq}")
    for problem in found.problems:
        typer.echo(f"BROKEN: {problem.where} {problem.what}")
    if found.unlisted:
        typer.echo(f"BROKEN: and {found.unlisted} more")
    typer.echo("intact" if found.intact else "NOT INTACT")


def _entries(chain: ChainReport) -> str:
    if chain.last == chain.after:
        return "no entries"
    return f"entries {chain.after + 1} to {chain.last}"


def _beginning(chain: ChainReport) -> str:
    if chain.begins is Beginning.PRUNED:
        return ", older ones outlived their retention"
    return ", older ones were not asked for" if chain.begins is Beginning.SINCE else ""


def _tail(chain: ChainReport) -> str:
    if chain.anchored_up_to is None or chain.anchored_up_to >= chain.last:
        return ""
    return f", not anchored yet: {chain.anchored_up_to + 1} to {chain.last}"


def _anchors(anchors: AnchorReport) -> str:
    counts = [
        (anchors.on_chain, "on the chain"),
        (anchors.newer, "newer than this"),
        (anchors.before, "older than its first entries"),
        (anchors.lost, "of entries that a restore lost"),
        (len(anchors.unreadable), "lines that are no checkpoint"),
    ]
    return ", ".join(f"{count} {what}" for count, what in counts if count) or "none"
