"""VAEs with one fault each, and healthy ones, by name: small, trained for a second or two.

Both the tests of `vaelib.doctor` and `python -m benchmarks museum` take them from here.
"""

from benchmarks.patients._healthy import HEALTHY
from benchmarks.patients._ill import BLIND, NEW, TUNED
from benchmarks.patients._parts import Case

__all__ = ["BLIND", "HEALTHY", "NEW", "TUNED", "Case"]
