"""What a data set, or a split of it, would let a model cheat with, before anyone trains.

`run_audit` looks at an `AuditSource` with the checks of `audit.checks` and returns an
`AuditReport` of `Finding`s. Nothing here trains a network; ``docs/audit.md`` says what each kind of
finding means, what it does to a score and how it is mended.
"""
