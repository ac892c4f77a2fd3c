"""Studies: the same question put to several variants, each trained from several seeds, all with the same budget.

`trials` says which variants and seeds there are and runs them, and `request` what a task's study is asked. `training`
trains each once, `answers` asks it once, `rows` and `scores` make figures of the answers, and `page` writes them down.
"""
