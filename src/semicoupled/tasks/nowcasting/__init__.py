"""Precipitation nowcasting from radar images (Sec. 5.8)."""
