"""Faults on demand, by script or by seed. The catalogue says which there are."""

from paper_exchange.faults.catalogue import CATALOGUE, FaultName, Point, listing
from paper_exchange.faults.injection import Faults
from paper_exchange.faults.script import Fault, fault, from_object, parse, read_script
from paper_exchange.faults.seeded import Mix

__all__ = [
    "CATALOGUE",
    "Fault",
    "FaultName",
    "Faults",
    "Mix",
    "Point",
    "fault",
    "from_object",
    "listing",
    "parse",
    "read_script",
]
