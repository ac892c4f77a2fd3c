"""What the library logs, shown as plain lines on the standard error, above the progress bars."""

from __future__ import annotations

import logging
import sys


class Messages(logging.Handler):
    """Writes to whatever the standard error is at the time: rich puts something else there while bars are shown."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one line."""
        text = self.format(record)
        print(text if record.levelno < logging.WARNING else f"{record.levelname.lower()}: {text}", file=sys.stderr)


def show_messages() -> None:
    """Show what semicoupled logs, and of lightning-fabric only warnings."""
    logger = logging.getLogger("semicoupled")
    if not any(isinstance(handler, Messages) for handler in logger.handlers):
        logger.addHandler(Messages())
    logger.setLevel(logging.INFO)
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
