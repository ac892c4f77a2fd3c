"""Table 4 of the paper, for the pages that show ours beside it."""

from __future__ import annotations

TABLE_4_COLUMNS = ("Cityscapes",)
PAPER_TABLE_4 = {
    "semicoupled_2": 62.9,
    "semicoupled_5": 65.8,
    "semicoupled_10": 68.0,
    "semicoupled_15": 71.0,
    "convlstm_2": 61.4,
    "convlstm_5": 63.0,
    "convlstm_10": 59.3,
    "convlstm_15": 46.7,
    "convgru_5": 63.8,
    "convgru_15": 64.7,
    "cbm_5": 63.1,
    "cbm_15": 70.4,
}
"""IoU in percent on Cityscapes' validation set, by kind and depth."""

PAPER_POLYGON_RNN = {
    "polyrnn_lstm": ("Original Polygon-RNN", 61.4),
    "polyrnn_residual": ("Residual Polygon-RNN", 62.2),
    "polyrnn_attention": ("Residual Polygon-RNN + attention + RL", 67.2),
    "polyrnn_evaluator": ("Residual Polygon-RNN + attention + RL + EN", 70.2),
    "polyrnn_pp": ("Polygon-RNN++", 71.4),
}
"""The upper half of Table 4, which is quoted from others: label and IoU in percent, by preset."""
