"""What the doctor can find: a code that stays, how bad it is, what it is, and what to do."""

import enum
from typing import Literal

import msgspec


class Severity(enum.StrEnum):
    BROKEN = "broken"
    """A promise is violated now."""
    AT_RISK = "at_risk"
    """Nothing is violated, but one failure or one reader away from it."""
    UNKNOWN = "unknown"
    """It cannot be told from here."""


class Finding(msgspec.Struct, frozen=True):
    """One thing found; `what` and `remedy` are sentences."""

    code: str
    severity: Severity
    what: str
    remedy: str


class Kind(msgspec.Struct, frozen=True):
    """A finding before its facts are known: `what` and `remedy` are templates over them."""

    code: str
    severity: Severity
    what: str
    remedy: str

    def found(self, **facts: object) -> Finding:
        return Finding(
            self.code, self.severity, self.what.format(**facts), self.remedy.format(**facts)
        )


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """`verdict` is the worst severity that counts: what is unknown does not."""

    verdict: Literal["sound", "at_risk", "broken"]
    server_runs: bool
    findings: list[Finding]

    @classmethod
    def of(cls, findings: list[Finding], *, server_runs: bool) -> "Report":
        """The worst first."""
        order = list(Severity)
        worst_first = sorted(findings, key=lambda finding: order.index(finding.severity))
        found = {finding.severity for finding in findings}
        verdict: Literal["sound", "at_risk", "broken"] = "sound"
        if Severity.BROKEN in found:
            verdict = "broken"
        elif Severity.AT_RISK in found:
            verdict = "at_risk"
        return cls(verdict, server_runs, worst_first)
