"""Whether a data directory keeps the promises: what crash tests and `onprem doctor` ask.

The numbers are those of the design: I1 jobs end, I2 only ciphertext lies on the disk, I3 nothing
outlives its deadline, I4 an artefact is live or has a receipt, I7 database and files agree,
I8 results are delivered or it is told that they were not, I10 jobs run where they were meant to.
"""

from onprem.services.invariants.check import check_invariants, violations
from onprem.services.invariants.violation import Violation

__all__ = ["Violation", "check_invariants", "violations"]
