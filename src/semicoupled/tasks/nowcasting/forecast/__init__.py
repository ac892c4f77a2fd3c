"""From a trained network to fields: rolled out, by tiles, matched, with the share of time."""
