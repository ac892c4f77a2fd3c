"""``semicoupled explain``: look inside the method and a trained model."""

from __future__ import annotations

import importlib
from collections.abc import Sequence

from semicoupled.errors import SettingsError, nearest

TOPICS = {
    "chains": "how many back-propagation chains the switches leave (Fig. 3): semicoupled explain chains",
    "maps": "the maps of both branches and of their product (Fig. 2b): semicoupled explain maps RUN",
    "importance": "how important time is for the answers (Table 6): semicoupled explain importance RUN",
    "probes": "what can be read out of each branch (Fig. 2b, 4a): semicoupled explain probes RUN",
    "focus": "q over the training (Fig. 4b): semicoupled explain focus RUN...",
}


def main(arguments: Sequence[str]) -> int:
    """Explain what was asked for; each topic is a file ``explain_TOPIC.py`` beside this one.

    Raises:
        SettingsError: no such topic.
    """
    topic, rest = (arguments[0], list(arguments[1:])) if arguments else ("--help", [])
    if topic in ("-h", "--help"):
        print(f"usage: semicoupled explain {{{','.join(TOPICS)}}} ...\n")
        for name, summary in TOPICS.items():
            print(f"  {name:<12}{summary}")
        return 0
    if topic not in TOPICS:
        raise SettingsError(f"semicoupled explain: {topic!r} cannot be explained. {nearest(topic, TOPICS)}")
    return importlib.import_module(f"semicoupled.cli.explain_{topic}").main(rest)
