"""The checks, a module of related ones each; `audit.audit.CHECKS` says in which order they run."""
