"""Table 7 of the paper, for the pages that show ours beside it."""

from __future__ import annotations

TABLE_7_COLUMNS = ("MSE", "CSI", "FAR", "POD", "COR")
PAPER_TABLE_7 = {
    "convlstm_plain": (0.01156, 0.5349, 0.1733, 0.5986, 0.6851),
    "semicoupled_plain_p0": (0.01030, 0.5624, 0.1720, 0.6372, 0.7062),
    "semicoupled_plain_p3": (0.01033, 0.5635, 0.1702, 0.6371, 0.7072),
    "semicoupled_plain": (0.01022, 0.5636, 0.1682, 0.6368, 0.7072),
}
"""On REEC-2018's validation set, by variant."""
