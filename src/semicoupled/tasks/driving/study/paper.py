"""Tables 5 and 6 of the paper, for the pages that show ours beside them."""

from __future__ import annotations

PAPER_TABLE_5 = {
    "SCS, p = .5, length 7, paper (LiVi)": (35.1, 19.4, 0.044),
    "SCS, p = .3, length 7, paper (LiVi)": (34.1, 17.4, 0.045),
    "SCS, p = 0, length 7, paper (LiVi)": (31.8, 16.9, 0.046),
    "SCS, p = .5, length 3, paper (LiVi)": (33.4, 17.6, 0.046),
    "SCS, p = .3, length 3, paper (LiVi)": (30.5, 16.1, 0.048),
    "SCS, p = 0, length 3, paper (LiVi)": (28.8, 15.9, 0.049),
    "CNN+LSTM, length 7, paper (LiVi)": (29.2, 15.9, 0.052),
    "CNN+LSTM, length 3, paper (LiVi)": (27.3, 14.5, 0.057),
    "CNN, paper (LiVi)": (24.5, 13.0, 0.057),
}
"""Accuracy (24) at 6 and at 3 degrees in percent, and MSE."""

PAPER_TABLE_6 = {
    "straight": (39.1, 41.7, 2.6, 21.0, 21.4, 0.4),
    "curve": (32.9, 37.6, 4.7, 17.1, 20.1, 3.0),
    "T-junction": (23.4, 32.2, 8.8, 12.6, 17.0, 4.4),
    "crossroads": (18.3, 29.1, 10.8, 10.2, 16.3, 6.1),
}
"""In percent: spatial stream, temporal stream and their difference, at 6 and then at 3 degrees."""
