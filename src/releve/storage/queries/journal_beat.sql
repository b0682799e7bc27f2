-- What the journal will be known to be complete to, once it is written that far.
UPDATE revocation_lineage SET seen = greatest(seen, now()) RETURNING seen
