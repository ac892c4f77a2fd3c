"""Tables 5 and 6 of the paper, for the pages that show ours beside them."""

from __future__ import annotations

PAPER_TABLE_5 = {
    "semicoupled_length7": {"LiVi": (35.1, 19.4, 0.044), "Comma": (49.2, 25.0, 0.037)},
    "semicoupled_p3_length7": {"LiVi": (34.1, 17.4, 0.045), "Comma": (48.8, 25.5, 0.043)},
    "semicoupled_p0_length7": {"LiVi": (31.8, 16.9, 0.046), "Comma": (45.4, 24.5, 0.060)},
    "semicoupled_length3": {"LiVi": (33.4, 17.6, 0.046), "Comma": (47.4, 24.1, 0.041)},
    "semicoupled_p3_length3": {"LiVi": (30.5, 16.1, 0.048), "Comma": (46.9, 23.9, 0.044)},
    "semicoupled_p0_length3": {"LiVi": (28.8, 15.9, 0.049), "Comma": (42.5, 22.9, 0.05)},
    "cnn_lstm_length7": {"LiVi": (29.2, 15.9, 0.052), "Comma": (43.1, 23.8, 0.056)},
    "cnn_lstm_length3": {"LiVi": (27.3, 14.5, 0.057), "Comma": (42.3, 21.0, 0.058)},
    "cnn": {"LiVi": (24.5, 13.0, 0.057), "Comma": (45.2, 25.3, 0.056)},
}
"""Accuracy (24) at 6 and at 3 degrees in percent, and MSE, by variant and data."""

PAPER_TABLE_6 = {
    "straight": (39.1, 41.7, 2.6, 21.0, 21.4, 0.4),
    "curve": (32.9, 37.6, 4.7, 17.1, 20.1, 3.0),
    "T-junction": (23.4, 32.2, 8.8, 12.6, 17.0, 4.4),
    "crossroads": (18.3, 29.1, 10.8, 10.2, 16.3, 6.1),
}
"""In percent: spatial stream, temporal stream and their difference, at 6 and then at 3 degrees."""
