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

PAPER_FAMILY = {
    "polyrnn_lstm": 61.4,
    "polyrnn_residual": 62.2,
    "polyrnn_reinforce": 67.2,
    "polyrnn_evaluator": 70.2,
    "polyrnn_pp": 71.4,
}
"""The same of the Polygon-RNN family, by variant; "attention + RL" is what `polyrnn_reinforce` makes of
`polyrnn_attention`, which the table does not have alone."""
