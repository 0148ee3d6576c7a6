"""The process: watching, ledger, workers, delivery, command line. Refuses pixels."""
