"""How well a drive is steered: Eq. 24, errors, whiteness, by condition, and what time is worth."""
