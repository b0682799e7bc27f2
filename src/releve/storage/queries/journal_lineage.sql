-- The history that this database belongs to; whoever compares it with a journal does so alone.
SELECT id, seal, home, seen FROM revocation_lineage FOR UPDATE
