"""Checkpoints: signed statements of where both chains stood, kept where this host cannot reach.

A chain alone proves nothing against who owns the whole of it. Once a checkpoint has left the host,
nobody can change, remove or add an entry before it unseen.
"""

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta

from onprem.core.signed import Statement

Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
"""SHA-256, hexadecimal."""


class ChainTip(msgspec.Struct, frozen=True):
    """`size`: the number of the last entry, so many were ever made; `digest`: that entry's."""

    size: int
    digest: Digest


class Checkpoint(
    Statement, frozen=True, kw_only=True, tag_field="format", tag="onprem-checkpoint/1"
):
    """`number` counts from 1 without gaps. `at` is retention time, `wall` what the clock showed."""

    number: int
    at: float
    wall: float
    ledger: ChainTip
    access_log: ChainTip
