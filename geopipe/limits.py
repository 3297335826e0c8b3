"""What one delivered file may cost, as a configuration says it: section `limits:`."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Limits(BaseModel):
    """How much a single file may cost before it is refused, and told of; 1 MB is 1,000,000 bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seconds: float = Field(default=1800, gt=0)
    """Longest time for one file, whatever its size."""
    seconds_at_least: float = Field(default=120, gt=0)
    """Time that the smallest file has."""
    seconds_per_mb: float = Field(default=20, ge=0)
    """Time for each megabyte beside that."""
    memory_mb: int | None = Field(default=None, ge=256)
    """Memory of the process that reads a file; by default half of the memory of this computer."""
    file_mb: int = Field(default=16_000, ge=1)
    """Largest file, with its companions."""
    archive_mb: int = Field(default=8_000, ge=1)
    """Largest size of an archive after unpacking. Archives inside archives are never unpacked."""
    archive_ratio: int = Field(default=200, ge=2)
    """Unpacked size divided by packed size, of archives that unpack to more than 64 MB."""
    archive_members: int = Field(default=2000, ge=1)
    """Most files inside one archive."""
    layers: int = Field(default=1000, ge=1)
    """Most layers inside one file."""
    points: int = Field(default=1_000_000, ge=4)
    """Most turning points of one record."""
