"""The paper's tables and figures, made anew through the studies of the tasks: its figures beside ours."""
