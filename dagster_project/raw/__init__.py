"""The raw room: typed accepted rows, the row checks, the ledger and the quarantine. No file formats."""
