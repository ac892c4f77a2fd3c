"""A look at drives before anything is learned: what they hold, and what is wrong with labels, frames and times."""
