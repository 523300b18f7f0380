"""Records of what was measured: their files, the tables that they make, and what they were measured on."""

from .record import Record, Run, Stage, chosen_run, read_record, read_records
from .table import table

__all__ = ["Record", "Run", "Stage", "chosen_run", "read_record", "read_records", "table"]
