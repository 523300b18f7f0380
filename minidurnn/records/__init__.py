"""Records of what was measured: their files, the tables that they make, and what they were measured on."""

from .record import chosen_run, read_record, read_records, table

__all__ = ["chosen_run", "read_record", "read_records", "table"]
