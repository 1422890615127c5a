"""`callcenter doctor`: checks this machine and its settings, and says what to do."""

from callcenter.doctor.command import CHECKS, doctor, examine
from callcenter.doctor.findings import Finding, Grade

__all__ = ["CHECKS", "Finding", "Grade", "doctor", "examine"]
