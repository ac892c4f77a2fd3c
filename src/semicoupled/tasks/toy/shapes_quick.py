"""Options of quick trainings on moving shapes: what the demo and Figure 2 share. Imports nothing."""

QUICK = (
    "--training.steps=4",
    "--training.batch=4",
    "--training.log_every=1",
    "--data.validation=8",
    "--data.test=8",
    "--data.frames=4",
    "--model.widths=[4,4,4]",
    "--model.strides=[4,2,1]",
)
"""They make every training a matter of seconds, and show that it runs, not what comes out."""
